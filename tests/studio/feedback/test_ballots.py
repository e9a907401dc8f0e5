"""What a vote may say: checked by the study's settings, turned from sides into positions, refused with a sentence."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from storage import votes
from storage.comparisons import NewComparison, Whole, add_comparison, get_comparison, get_study
from storage.errors import BadInput
from storage.prompts import as_messages
from storage.rows import Vote
from studio.feedback.ballots import Ballot, Edit, layout_of
from studio.feedback.showing import show
from studio.feedback.study_settings import StudySettings, change_settings
from studio.feedback.voting import cast
from tests.studio.feedback.conftest import TRAINING, Bench

CRITERIA = [{"key": "correct", "label": "Correct", "scale": 5}, {"key": "kind", "label": "Kind", "scale": 2}]


def _asking(bench: Bench, **settings: Any) -> Bench:
    """The same study with other settings."""
    return bench._replace(study=change_settings(bench.store, bench.study, settings))


def _of(bench: Bench, count: int) -> Whole:
    """A comparison of so many answers."""
    contestants = [(bench.models[n % 2].id, f"model-{n}") for n in range(count)]
    new = NewComparison(as_messages(TRAINING), contestants, texts=[f"answer {n}" for n in range(count)])
    return get_comparison(bench.store, add_comparison(bench.store, bench.study, new).id)


def _vote(bench: Bench, whole: Whole, choice: str, **details: Any) -> Vote:
    shown = show(get_study(bench.store, bench.study.id), whole, "ann")
    hashes = [answer.sha256 or "" for answer in shown.answers]
    ballot = Ballot(details.pop("id", "vote-0001"), whole.comparison.id, choice, hashes, **details)
    return cast(bench.store, get_study(bench.store, bench.study.id), "ann", ballot).vote


def _refusal(bench: Bench, whole: Whole, choice: str, **details: Any) -> str:
    """The sentence of a refusal, after which nothing is stored."""
    with pytest.raises(BadInput) as caught:
        _vote(bench, whole, choice, **details)
    assert votes.current_votes(bench.store, bench.study.id) == []
    return str(caught.value)


def test_all_that_a_vote_says_is_stored_by_position(bench: Bench) -> None:
    bench = _asking(bench, criteria=CRITERIA, chips=["Clearer", "Correct"], strength="optional")
    seen = set()
    for number in range(8):
        whole = bench.compare(prompt=f"question {number}")
        order = show(bench.study, whole, "ann").order
        seen.add(tuple(order))

        vote = _vote(
            bench, whole, "right", id=f"vote-{number:04}", seconds=3.5, strength=2, rationale=" It is short. ",
            criteria={"correct": [1, 5], "kind": [None, None]}, chips=["Clearer"], edited=Edit(1, "Better."),
            guidelines=3,
        )  # fmt: skip

        assert votes.current_vote(bench.store, whole.comparison.id, "ann") == vote
        assert vote == Vote(
            id=f"vote-{number:04}", comparison_id=whole.comparison.id, study_id=bench.study.id, annotator="ann",
            choice="ab"[order[1]], ranking=None, strength=2,
            criteria={"correct": [1, 5] if order == [0, 1] else [5, 1]},
            rationale="It is short.", edited="Better.", shown_order=order,
            shown_sha256=[answer.sha256 or "" for answer in whole.answers], seconds=3.5, source="studio",
            supersedes=None, created_at=vote.created_at, chips=["Clearer"], rating=None, reason=None,
            edited_position=order[1], guidelines=3,
        )  # fmt: skip
    assert seen == {(0, 1), (1, 0)}


def test_a_ranking_is_stored_by_position_with_its_ties(bench: Bench) -> None:
    bench = _asking(bench, layout="rank", sides=4)
    whole = _of(bench, 4)
    order = show(bench.study, whole, "ann").order

    vote = _vote(bench, whole, "ranking", ranking=[[2], [3, 0], [1]])

    assert (vote.choice, vote.shown_order) == ("ranking", order)
    assert vote.ranking == [order[2], sorted([order[3], order[0]]), order[1]]


@pytest.mark.parametrize(
    "ranking", [None, [], [[0], [1]], [[0], [1], [1]], [[0, 1], [2], []], [[0], [1], [3]], [[-1], [0], [1]]]
)
def test_a_ranking_that_does_not_name_each_answer_once_is_refused(bench: Bench, ranking: Any) -> None:
    bench = _asking(bench, layout="rank", sides=3)

    sentence = _refusal(bench, _of(bench, 3), "ranking", ranking=ranking)

    assert sentence == "A ranking names each of the 3 answers once, 0 to 2 from left to right, best first."


@pytest.mark.parametrize(("scale", "rating"), [(2, 1), (2, 2), (5, 4), (7, 7.0)])
def test_a_rating_is_a_step_of_the_scale(bench: Bench, scale: int, rating: float) -> None:
    bench = _asking(bench, layout="rate", sides=1, scale=scale)

    vote = _vote(bench, _of(bench, 1), "rating", rating=rating)

    assert (vote.choice, vote.rating, vote.ranking, vote.shown_order) == ("rating", rating, None, [0])


@pytest.mark.parametrize(
    ("scale", "rating", "sentence"),
    [
        (2, 3, "A rating is 1 (down) or 2 (up), not 3."),
        (5, 0, "A rating is a whole number from 1 to 5, not 0."),
        (5, 2.5, "A rating is a whole number from 1 to 5, not 2.5."),
        (5, None, "A rating is a whole number from 1 to 5, not nothing."),
        (5, float("nan"), "A rating is a whole number from 1 to 5, not nan."),
    ],
)
def test_a_rating_off_the_scale_is_refused(bench: Bench, scale: int, rating: float | None, sentence: str) -> None:
    bench = _asking(bench, layout="rate", sides=1, scale=scale)

    assert _refusal(bench, _of(bench, 1), "rating", rating=rating) == sentence


@pytest.mark.parametrize(
    ("count", "choice", "sentence"),
    [
        (1, "left", 'One answer is rated: the choice is rating or skip, not "left".'),
        (2, "rating", 'A vote on two answers is one of left, right, tie, both_bad, skip, not "rating".'),
        (2, "ranking", 'A vote on two answers is one of left, right, tie, both_bad, skip, not "ranking".'),
        (3, "tie", 'Several answers are ranked: the choice is ranking or skip, not "tie".'),
    ],
)
def test_a_choice_that_the_layout_does_not_know_is_refused(
    bench: Bench, count: int, choice: str, sentence: str
) -> None:
    assert _refusal(bench, _of(bench, count), choice) == sentence


REQUIRING: Mapping[str, Any] = {
    "strength": "required",
    "rationale": "required",
    "criteria": [{**CRITERIA[0], "required": True}, CRITERIA[1]],
}


def test_what_is_required_and_missing_is_named(bench: Bench) -> None:
    whole = bench.compare()
    bench = _asking(bench, **REQUIRING)

    assert _refusal(bench, whole, "left", criteria={"correct": [3, None]}, rationale="  ") == (
        'This study asks for how much better the answer is (strength), "Correct" of every answer and a rationale; '
        "the vote was not kept without."
    )


def test_a_tie_needs_no_strength_and_a_skip_needs_nothing(bench: Bench) -> None:
    bench = _asking(bench, **REQUIRING)
    first, second = bench.compare(prompt="one"), bench.compare(prompt="two")

    tie = _vote(bench, first, "tie", criteria={"correct": [3, 3]}, rationale="Alike.")
    skip = _vote(bench, second, "skip", id="vote-0002", reason="I cannot tell")

    assert (tie.choice, tie.strength, skip.choice, skip.reason) == ("tie", None, "skip", "I cannot tell")


ONLY_SIDES = 'How much better an answer is (strength) can only be said of left or right, not of "tie".'
LEVELS = "A strength is one of 0 negligible, 1 slightly better, 2 better, 3 significantly better, not 4."
MENDS_NOTHING = "A skip mends nothing; vote, and the mended answer is kept with the vote."


@pytest.mark.parametrize(
    ("choice", "details", "sentence"),
    [
        ("tie", {"strength": 2}, ONLY_SIDES),
        ("left", {"strength": 4}, LEVELS),
        ("left", {"criteria": {"wit": [1, 2]}}, 'This study has no criterion "wit"; there are: correct, kind.'),
        ("left", {"criteria": {"kind": [1]}}, '"Kind" needs one value for each of the 2 answers, not 1.'),
        ("left", {"criteria": {"kind": [1, 3]}}, '"Kind" goes from 1 to 2; 3 is none of its steps.'),
        ("left", {"chips": ["Funny"]}, 'This study has no reason "Funny" to choose; there are: Clearer.'),
        ("left", {"rationale": "x" * 10_001}, "The rationale has 10,001 characters; 10,000 is the most."),
        ("left", {"reason": "tired"}, "Only a skip has a reason; why one answer is better goes into the rationale."),
        ("left", {"rating": 3}, 'A vote "left" has no rating; ratings by criterion go into criteria.'),
        ("left", {"ranking": [[0], [1]]}, 'A vote "left" has no ranking.'),
        ("left", {"edited": Edit(2, "better")}, "There is no answer 2 to mend; they are counted 0 to 1."),
        ("left", {"edited": Edit(0, "  ")}, "The mended answer is empty; write what it should have said."),
        ("skip", {"edited": Edit(0, "better")}, MENDS_NOTHING),
    ],
)  # fmt: skip
def test_what_no_vote_can_say_is_refused(bench: Bench, choice: str, details: dict[str, Any], sentence: str) -> None:
    whole = bench.compare()
    bench = _asking(bench, criteria=CRITERIA, chips=["Clearer"])

    assert _refusal(bench, whole, choice, **details) == sentence


def test_a_mended_answer_that_is_the_same_is_refused(bench: Bench) -> None:
    whole = bench.compare(texts=("same", "same"))

    assert _refusal(bench, whole, "left", edited=Edit(0, "same")) == (
        "The mended answer is the same as before; change it, or vote without mending."
    )


def test_a_vote_that_is_sent_again_counts_once_although_the_study_asks_for_more_by_now(bench: Bench) -> None:
    whole = bench.compare()
    first = _vote(bench, whole, "left")
    _asking(bench, **REQUIRING)

    assert _vote(bench, whole, "left") == first
    assert votes.current_votes(bench.store, bench.study.id) == [first]


def test_details_come_later_under_another_id(bench: Bench) -> None:
    whole = bench.compare()
    first = _vote(bench, whole, "left")
    second = _vote(bench, whole, "left", id="vote-0002", strength=3)

    assert second == replace(first, id="vote-0002", strength=3, supersedes="vote-0001", created_at=second.created_at)
    assert votes.current_votes(bench.store, bench.study.id) == [second]


@pytest.mark.parametrize(
    ("layout", "sides", "count", "shown"),
    [
        ("pair", 2, 2, "pair"), ("turns", 2, 2, "turns"), ("rank", 5, 5, "rank"), ("rate", 1, 1, "rate"),
        ("rank", 3, 2, "pair"), ("pair", 2, 3, "rank"), ("pair", 2, 1, "rate"), ("rate", 1, 2, "pair"),
    ],
)  # fmt: skip
def test_answers_are_shown_as_the_study_says_where_there_are_that_many(
    layout: str, sides: int, count: int, shown: str
) -> None:
    assert layout_of(StudySettings(layout=layout, sides=sides), count) == shown
