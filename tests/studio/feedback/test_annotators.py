"""Annotators: what stands out is flagged with its evidence, and nothing else is."""

import pytest

from studio.feedback.annotators import annotators
from studio.feedback.exclusions import exclude
from studio.feedback.shares import wilson
from studio.people.roles import Actor
from tests.studio.feedback.conftest import Bench


@pytest.fixture
def crowd(bench: Bench) -> Bench:
    """Ann, Bob and Cem agree and take 8 s; the robot says a on the left at once, whatever is there."""
    for number in range(30):
        whole = bench.compare(f"What is {number} plus 1?")
        for person in ("ann", "bob", "cem"):
            bench.vote(whole, "ab"[number % 2], person)
        bench.vote(whole, "a", "robot")
    bench.store.execute(
        "update votes set seconds = 8, shown_order = case when rowid / 16 % 2 then '[0, 1]' else '[1, 0]' end"
    )
    bench.store.execute("update votes set seconds = 0.6, shown_order = '[0, 1]' where annotator = 'robot'")
    return bench


def test_a_robot_is_flagged_with_the_evidence_and_people_are_not(crowd: Bench) -> None:
    found = {one.name: one for one in annotators(crowd.store, "first-look")}

    assert {name: one.flags for name, one in found.items() if name != "robot"} == {"ann": [], "bob": [], "cem": []}
    robot = found["robot"]
    assert [flag["kind"] for flag in robot.flags] == ["fast", "constant", "side", "contrary"]
    assert robot.flags[0]["evidence"] == "Half of the votes took 0.6 s or less; half of the others take 8.0 s or more."
    assert robot.flags[1]["evidence"] == '30 of 30 votes are "left".'
    assert (robot.left.rate, robot.agreement.rate, robot.median_seconds) == (1.0, 0.5, 0.6)
    assert found["ann"].agreement.rate == pytest.approx((30 * 2 + 15) / 90)


def test_an_excluded_person_stays_in_the_list_and_is_no_other(crowd: Bench) -> None:
    exclude(crowd.store, "first-look", "annotator", "robot", "a robot", Actor("me", "curator"))

    found = {one.name: one for one in annotators(crowd.store, "first-look")}

    assert (found["robot"].excluded, found["ann"].excluded) == ("a robot", None)
    assert found["ann"].agreement.rate == 1.0


def test_few_votes_flag_nobody(bench: Bench) -> None:
    for number in range(5):
        bench.vote(bench.compare(f"What is {number} plus 1?"), "a", "ann")

    assert [one.flags for one in annotators(bench.store, "first-look")] == [[]]


def test_the_interval_is_wilsons() -> None:
    """The worked example of 8 of 10: 0.4902 to 0.9433."""
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
