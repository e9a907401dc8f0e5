"""Second looks: one's own comparison again, reversed, unrecognisable, never counted as a vote."""

import re
from typing import Any

import pytest

from storage import leases, second_looks, workdays
from storage.clock import now
from storage.comparisons import get_comparison
from storage.errors import Conflict, NotFound
from storage.leases import SECOND, Lease
from storage.rows import Study
from storage.votes import current_vote, current_votes
from studio.feedback import casting
from studio.feedback.ballots import Ballot
from studio.feedback.queue import deal, find
from studio.feedback.sittings import sit
from studio.feedback.study_settings import change_settings
from tests.studio.feedback.conftest import Bench


def _say(bench: Bench, study: Study, shown_id: str, choice: str, identity: str = "", seconds: float = 1.0) -> Any:
    shown = find(bench.store, study, "ann", shown_id)
    hashes = [answer.sha256 or "" for answer in shown.answers]
    ballot = Ballot(identity or f"vote-{shown_id}", shown_id, choice, hashes, seconds)
    return casting.cast(bench.store, study, "ann", ballot)


def _until_second_look(bench: Bench, choice: str = "left", every: int = 6) -> tuple[Study, Lease]:
    """Judge until a second look comes; the study and its lease."""
    for number in range(40):
        bench.compare(prompt=f"question {number}", texts=(f"yes {number}", f"no {number}"))
    study = change_settings(bench.store, bench.study, {"second_every": every})
    for _ in range(30):
        for lease in deal(bench.store, study, "ann"):
            if lease.kind == SECOND:
                return study, lease
            _say(bench, study, lease.comparison_id, choice)
    raise AssertionError("no second look came")


def test_it_is_an_earlier_comparison_the_other_way_round_under_an_id_like_any_other(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    first = current_vote(bench.store, lease.comparison_id, "ann")

    shown = find(bench.store, study, "ann", lease.alias or "")

    assert first is not None
    assert shown.order == first.shown_order[::-1]
    assert shown.id == lease.alias != lease.comparison_id
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{26}", shown.id)


def test_nothing_in_the_body_tells_it_from_the_rest(bench: Bench) -> None:
    study, lease = _until_second_look(bench)

    pairs = sit(bench.store, study, "ann").to_json()["pairs"]

    (second,) = [pair for pair in pairs if pair["comparison"] == lease.alias]
    (other, *_) = [pair for pair in pairs if pair["comparison"] != lease.alias]
    assert lease.comparison_id not in str(pairs)
    assert list(second) == list(other)
    assert [second[key] for key in ("state", "source", "layout", "error", "names_a_model")] == [
        other[key] for key in ("state", "source", "layout", "error", "names_a_model")
    ]


@pytest.mark.parametrize(("choice", "agreed"), [("right", 1), ("left", 0), ("tie", 0)])
def test_agreeing_is_choosing_the_same_answer_wherever_it_stood(bench: Bench, choice: str, agreed: int) -> None:
    study, lease = _until_second_look(bench, choice="left")
    first = current_vote(bench.store, lease.comparison_id, "ann")

    given = _say(bench, study, lease.alias or "", choice)

    (look,) = second_looks.standing(bench.store, study.id)
    assert first is not None and given.new
    assert (look.vote_id, look.comparison_id, look.annotator) == (first.id, lease.comparison_id, "ann")
    assert (look.agreed, look.choice == first.choice) == (agreed, bool(agreed))
    assert given.reveal == [
        find(bench.store, study, "ann", lease.alias or "").answers[side].model_name for side in (0, 1)
    ]


def test_it_counts_for_the_person_and_never_as_a_vote(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    votes, before = current_votes(bench.store, study.id), workdays.work(bench.store, study.id, "ann")
    held = get_comparison(bench.store, lease.comparison_id).comparison.given

    _say(bench, study, lease.alias or "", "right")

    after = workdays.work(bench.store, study.id, "ann")
    assert current_votes(bench.store, study.id) == votes
    assert get_comparison(bench.store, lease.comparison_id).comparison.given == held
    assert (after.mine, after.today, after.left_of) == (before.mine + 1, before.today + 1, before.left_of + 1)
    assert lease.alias not in [one.alias for one in deal(bench.store, study, "ann")]


def test_sent_twice_it_is_stored_once(bench: Bench) -> None:
    study, lease = _until_second_look(bench)

    first, again = (_say(bench, study, lease.alias or "", "right") for _ in range(2))

    assert (first.new, again.new, first.vote.id) == (True, False, again.vote.id)
    assert bench.store.value("select count(*) from second_looks") == 1


def test_said_again_with_details_the_newest_counts(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    mine = workdays.work(bench.store, study.id, "ann").mine
    _say(bench, study, lease.alias or "", "left", "look-0001")

    _say(bench, study, lease.alias or "", "right", "look-0002")

    assert [(look.id, look.agreed) for look in second_looks.standing(bench.store, study.id)] == [("look-0002", 1)]
    assert workdays.work(bench.store, study.id, "ann").mine == mine + 1


def test_an_undo_takes_it_back_once_and_brings_it_again_first(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    mine = workdays.work(bench.store, study.id, "ann").mine
    given = _say(bench, study, lease.alias or "", "right")

    taken = casting.take_back(bench.store, study, "ann", "undo-0001")
    again = casting.take_back(bench.store, study, "ann", "undo-0001")

    assert (taken.id, taken.pair and taken.pair.id, again.id) == (given.vote.id, lease.alias, None)
    assert second_looks.standing(bench.store, study.id) == []
    assert workdays.work(bench.store, study.id, "ann").mine == mine
    assert deal(bench.store, study, "ann")[0].alias == lease.alias
    assert current_vote(bench.store, lease.comparison_id, "ann") is not None


def test_undo_goes_back_in_the_order_in_which_things_were_said(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    look = _say(bench, study, lease.alias or "", "right")
    plain = next(one for one in deal(bench.store, study, "ann") if one.alias is None)
    vote = _say(bench, study, plain.comparison_id, "tie")

    taken = [casting.take_back(bench.store, study, "ann", f"undo-000{n}").id for n in range(2)]

    assert taken == [vote.vote.id, look.vote.id]


def test_skipped_it_says_nothing_and_does_not_come_again(bench: Bench) -> None:
    study, lease = _until_second_look(bench)

    _say(bench, study, lease.alias or "", "skip")

    assert second_looks.standing(bench.store, study.id) == []
    assert workdays.work(bench.store, study.id, "ann").skips == 1
    assert lease.alias not in [one.alias for one in deal(bench.store, study, "ann")]


def test_no_comparison_comes_a_third_time(bench: Bench) -> None:
    study, lease = _until_second_look(bench, every=2)
    looked = [lease.comparison_id]
    _say(bench, study, lease.alias or "", "right")
    while given := deal(bench.store, study, "ann"):
        if given[0].alias:
            looked.append(given[0].comparison_id)
        _say(bench, study, given[0].alias or given[0].comparison_id, "left")

    assert len(looked) == len(set(looked)) > 10
    assert len(current_votes(bench.store, study.id)) == 40


def test_texts_that_have_changed_are_refused_here_too(bench: Bench) -> None:
    study, lease = _until_second_look(bench)

    with pytest.raises(Conflict, match="have changed since they were shown"):
        casting.cast(bench.store, study, "ann", Ballot("look-0001", lease.alias or "", "left", ["0", "1"]))

    assert bench.store.value("select count(*) from second_looks") == 0


def test_nobody_else_can_use_the_id(bench: Bench) -> None:
    study, lease = _until_second_look(bench)

    with pytest.raises(NotFound, match=f'There is no comparison "{lease.alias}"'):
        casting.cast(bench.store, study, "bob", Ballot("look-0001", lease.alias or "", "left", []))


def test_the_vote_that_it_repeats_can_be_taken_back_before_it(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    casting.take_back(bench.store, study, "ann", "undo-0001", lease.comparison_id)

    held = [[one.alias or one.comparison_id for one in deal(bench.store, study, "ann")] for _ in range(3)]

    assert [ids.count(lease.comparison_id) for ids in held] == [1, 1, 1]
    assert [lease.alias in ids for ids in held] == [False, False, False]
    _say(bench, study, lease.comparison_id, "tie", "vote-0002")
    assert lease.alias in [one.alias for one in deal(bench.store, study, "ann")]


def test_one_that_waits_keeps_nobody_from_its_comparison(bench: Bench) -> None:
    study, lease = _until_second_look(bench)
    casting.take_back(bench.store, study, "ann", "undo-0001", lease.comparison_id)
    leases.end(bench.store, lease.comparison_id, "ann")  # it ran out, and others had the slot for a while

    left = leases.open_slots(bench.store, study.id, "ann", 1, now(), ["ready"], 100)

    assert lease.comparison_id in left
