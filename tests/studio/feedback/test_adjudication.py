"""Where people disagree somebody decides: the most split first, blind, with a reason, and it can be taken back."""

import json
from typing import Any

import pytest

from storage import adjudications
from storage.comparisons import Whole
from storage.errors import BadInput, Conflict, Forbidden, NotFound
from studio.feedback.adjudication import Decision, against_majority, decide, look, queue, undo, waiting
from studio.feedback.exclusions import exclude
from studio.feedback.leaderboard import leaderboard
from studio.feedback.showing import shown_order
from studio.feedback.study_settings import change_settings
from studio.people.roles import Actor
from tests.studio.feedback.conftest import Bench
from tests.studio.feedback.spoken import many, say

CURATOR = Actor("cu", "curator")
STUDY = "first-look"


def _side(bench: Bench, whole: Whole, position: int) -> str:
    """Where the curator sees a position."""
    order = shown_order(bench.study.seed, whole.comparison.id, CURATOR.name, 2)
    return ("left", "right")[order.index(position)]


@pytest.fixture
def split(bench: Bench) -> list[Whole]:
    """Four comparisons: agreed, a win against a tie, two wins against one, a win against a win."""
    wholes = [bench.compare(f"question {number}") for number in range(4)]
    for whole, said in zip(wholes, (["a", "a"], ["a", "tie"], ["a", "a", "b"], ["b", "a"]), strict=True):
        for person, choice in zip(("ann", "bob", "cem"), said, strict=False):
            bench.vote(whole, choice, person)
    return wholes


def test_what_is_most_split_comes_first_and_what_is_agreed_does_not_come(bench: Bench, split: list[Whole]) -> None:
    found = waiting(bench.store, STUDY)

    assert [(one.comparison_id, one.split, one.people) for one in found.disputes] == [
        (split[3].comparison.id, 1.0, 2),
        (split[2].comparison.id, pytest.approx(2 / 3), 3),
        (split[1].comparison.id, 0.5, 2),
    ]


def test_votes_that_somebody_excluded_split_nothing(bench: Bench, split: list[Whole]) -> None:
    exclude(bench.store, STUDY, "annotator", "bob", "a trial", Actor("me", "curator"))

    assert [one.comparison_id for one in waiting(bench.store, STUDY).disputes] == [split[2].comparison.id]


def test_a_decision_leaves_the_queue_stands_and_is_named_by_who_made_it(bench: Bench, split: list[Whole]) -> None:
    whole = split[3]
    decide(bench.store, STUDY, CURATOR, Decision(whole.comparison.id, _side(bench, whole, 1), reason=" B is right "))

    standing = adjudications.standing(bench.store, bench.study.id)
    assert {key: (one.choice, one.reason, one.author) for key, one in standing.items()} == {
        whole.comparison.id: ("b", "B is right", "cu")
    }
    listed = queue(bench.store, STUDY, "cu")
    assert (listed["disputed"], listed["undecided"]) == (3, 2)
    assert [one["comparison"] for one in listed["decided"]] == [whole.comparison.id]
    assert listed["decided"][0]["decided"]["reason"] == "B is right"


def test_it_is_taken_back_and_nothing_is_deleted(bench: Bench, split: list[Whole]) -> None:
    identity = split[3].comparison.id
    for choice in ("tie", "both_bad"):
        decide(bench.store, STUDY, CURATOR, Decision(identity, choice))
    undo(bench.store, STUDY, CURATOR, identity)

    assert adjudications.standing(bench.store, bench.study.id) == {}
    rows = bench.store.rows(
        "select choice, lifted_by, lifted_at is not null as lifted from adjudications order by rowid"
    )
    assert rows == [
        {"choice": "tie", "lifted_by": "cu", "lifted": 1},
        {"choice": "both_bad", "lifted_by": "cu", "lifted": 1},
    ]
    assert waiting(bench.store, STUDY).undecided[0].comparison_id == identity
    with pytest.raises(NotFound, match="Nothing is decided"):
        undo(bench.store, STUDY, CURATOR, identity)


def test_the_leaderboard_goes_on_counting_votes(bench: Bench, split: list[Whole]) -> None:
    before = leaderboard(bench.store, STUDY).to_json()
    decide(bench.store, STUDY, CURATOR, Decision(split[2].comparison.id, _side(bench, split[2], 1)))

    after = leaderboard(bench.store, STUDY).to_json()

    assert (after["pairs"], after["models"]) == (before["pairs"], before["models"])
    assert against_majority(waiting(bench.store, STUDY)) == 1


def test_who_decides_sees_what_was_said_and_no_name_of_a_model(bench: Bench, split: list[Whole]) -> None:
    seen = look(bench.store, STUDY, split[3].comparison.id, "cu")

    names = {_side(bench, split[3], 0): "a", _side(bench, split[3], 1): "b"}
    letters = {names["left"]: "A", names["right"]: "B"}
    assert [(vote["annotator"], vote["said"]) for vote in seen["votes"]] == [
        ("ann", letters["b"]),
        ("bob", letters["a"]),
    ]
    assert [one["text"] for one in seen["sides"]] == [
        {"a": "yes", "b": "no"}[names[side]] for side in ("left", "right")
    ]
    assert seen["next"] == split[2].comparison.id
    assert not any(model.name in json.dumps(seen) for model in bench.models)


def test_an_annotator_may_not_decide(bench: Bench, split: list[Whole]) -> None:
    ann = Actor("ann", "annotator")

    with pytest.raises(Forbidden):
        decide(bench.store, STUDY, ann, Decision(split[3].comparison.id, "tie"))
    with pytest.raises(Forbidden):
        undo(bench.store, STUDY, ann, split[3].comparison.id)
    assert adjudications.standing(bench.store, bench.study.id) == {}


def test_rankings_are_apart_by_their_pairs_and_decided_as_seen(bench: Bench) -> None:
    whole = many(bench, "one", "two", "three")
    for person, ranking in (("ann", [0, 1, 2]), ("bob", [0, 2, 1]), ("cem", [[0, 1], 2])):
        say(bench, whole, person, "ranking", ranking=ranking)

    (dispute,) = waiting(bench.store, STUDY).disputes
    assert dispute.split == pytest.approx((1 + 0.5 + 1.5) / 3 / 3)

    order = shown_order(bench.study.seed, whole.comparison.id, "cu", 3)
    rest = [side for side in range(3) if side != order.index(0)]
    decide(bench.store, STUDY, CURATOR, Decision(whole.comparison.id, "ranking", [order.index(0), rest]))
    (decision,) = adjudications.standing(bench.store, bench.study.id).values()
    assert decision.ranking == [0, [1, 2]]
    with pytest.raises(BadInput, match="names each of the 3 answers once"):
        decide(bench.store, STUDY, CURATOR, Decision(whole.comparison.id, "ranking", [0, [1]]))
    assert queue(bench.store, STUDY, "cu")["decided"][0]["decided"]["said"].count("=") == 1


def test_ratings_are_apart_by_the_scale(bench: Bench) -> None:
    change_settings(bench.store, bench.study, {"layout": "rate", "sides": 1, "scale": 5})
    far, near = many(bench, "one"), many(bench, "two")
    for whole, ratings in ((near, (4, 5)), (far, (1, 5))):
        for person, rating in zip(("ann", "bob"), ratings, strict=True):
            say(bench, whole, person, "rating", rating=rating)

    found = waiting(bench.store, STUDY).disputes

    assert [(one.comparison_id, one.split) for one in found] == [(far.comparison.id, 1.0), (near.comparison.id, 0.25)]
    with pytest.raises(BadInput, match="between 1 and 5, not at 9"):
        decide(bench.store, STUDY, CURATOR, Decision(far.comparison.id, "rating", rating=9))
    decide(bench.store, STUDY, CURATOR, Decision(far.comparison.id, "rating", rating=4))
    assert adjudications.standing(bench.store, bench.study.id)[far.comparison.id].rating == 4.0


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        ({"choice": "skip"}, 'For 2 answers a decision is left, right, tie, both_bad, not "skip".'),
        ({"choice": "tie", "reason": "x" * 2001}, "A reason has at most 2000 characters, not 2001."),
    ],
)
def test_what_cannot_be_decided_is_said(
    bench: Bench, split: list[Whole], decision: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        decide(bench.store, STUDY, CURATOR, Decision(split[3].comparison.id, **decision))

    assert str(refused.value) == sentence
    assert adjudications.standing(bench.store, bench.study.id) == {}


def test_nothing_is_decided_on_texts_that_were_not_seen(bench: Bench, split: list[Whole]) -> None:
    with pytest.raises(Conflict, match="have changed"):
        decide(bench.store, STUDY, CURATOR, Decision(split[3].comparison.id, "tie", shown_sha256=["x", "y"]))
