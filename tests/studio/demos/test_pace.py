"""How much strangers may ask: by address and in all, in a minute and at a time."""

import pytest

from storage.errors import TooMany
from studio.demos.pace import WINDOW, Pace, place_of
from studio.demos.terms import Terms

TERMS = Terms(rate=2, rate_all=3, at_once=3)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_address_waits_until_its_minute_is_over_and_others_do_not() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.ask("d", "one", TERMS)
    clock.now += 10
    pace.ask("d", "one", TERMS)

    with pytest.raises(TooMany, match="more than 2 questions a minute from one place; ask again in 50 s"):
        pace.ask("d", "one", TERMS)
    pace.ask("d", "other", TERMS)
    clock.now += 50
    pace.ask("d", "one", TERMS)


def test_all_visitors_together_have_a_limit_and_each_demo_its_own() -> None:
    pace = Pace(Clock())
    for address in ("one", "two", "three"):
        pace.ask("d", address, TERMS)

    with pytest.raises(TooMany, match="more than 3 questions a minute from all visitors together; ask again in 60 s"):
        pace.ask("d", "four", TERMS)
    pace.ask("another demo", "four", TERMS)


def test_what_is_refused_counts_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.ask("d", "one", TERMS, 2)
    for _ in range(5):
        with pytest.raises(TooMany):
            pace.ask("d", "one", TERMS)

    clock.now += WINDOW
    pace.ask("d", "one", TERMS, 2)


def test_a_pair_is_asked_even_where_one_question_a_minute_is_allowed() -> None:
    pace = Pace(Clock())

    pace.ask("d", "one", Terms(rate=1), 2)

    with pytest.raises(TooMany, match="more than 1 question a minute"):
        pace.ask("d", "one", Terms(rate=1))


def test_addresses_are_forgotten_when_their_minute_is_over() -> None:
    clock = Clock()
    pace = Pace(clock)
    for number in range(50):
        pace.ask("d", str(number), Terms(rate_all=6000))
    clock.now += WINDOW
    pace.ask("d", "last", TERMS)

    assert set(pace._asked) == {("d", "last"), ("d", "")}


def test_two_answers_at_a_time_for_one_address_and_so_many_in_all() -> None:
    pace = Pace(Clock())

    with (
        pace.under_way("d", "one", TERMS),
        pace.under_way("d", "one", TERMS),
        pytest.raises(TooMany, match="still being answered"),
        pace.under_way("d", "one", TERMS),
    ):
        raise AssertionError("a third was let in")
    with (
        pace.under_way("d", "one", TERMS),
        pace.under_way("d", "two", TERMS),
        pace.under_way("d", "three", TERMS),
        pytest.raises(TooMany, match="Many people are asking"),
        pace.under_way("d", "four", TERMS),
    ):
        raise AssertionError("a fourth was let in")

    with pace.under_way("d", "one", TERMS):
        pass
    assert pace._open == {}


@pytest.mark.parametrize(
    ("address", "place"),
    [("10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
     ("2001:db8:1:3::9", "2001:db8:1:3::/64"), ("::ffff:10.0.0.1", "10.0.0.1"), ("testclient", "testclient")],
)  # fmt: skip
def test_a_household_is_one_place_however_many_addresses_it_has(address: str, place: str) -> None:
    assert place_of(address) == place
