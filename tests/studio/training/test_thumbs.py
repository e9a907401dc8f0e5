"""What KTO learns from: judged answers of a dataset, both sides of pairs, and the votes of a study."""

import json
from typing import Any

import pytest

from storage import models
from storage.datasets import get_dataset
from storage.errors import BadInput
from storage.rows import Study
from storage.store import Store
from studio.feedback.preferences import Pair, Preferences
from studio.training.planning import plan
from studio.training.request import Request
from studio.training.shaping import SHAPES
from studio.training.voted import StudyPairs, judged_answers, thumbs
from tests.studio.training.project import add_dataset, add_study, first_day, prompt, prompts_of, second_vote, vote


@pytest.fixture
def ready(store: Store) -> Store:
    """A project on its first day."""
    first_day(store)
    return store


def thumb(number: int, label: bool) -> dict[str, Any]:
    return {"prompt": prompt(f"q{number}"), "completion": [{"role": "assistant", "content": "yes"}], "label": label}


def pair(number: int, chosen: str = "y", rejected: str = "n") -> dict[str, Any]:
    return {"prompt": prompt(f"p{number}"), "chosen": chosen, "rejected": rejected}


def shaped(store: Store, contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    dataset = add_dataset(store, "judged", "preference", contents)
    return SHAPES["thumbs"](dataset, [(f"e{at}", content) for at, content in enumerate(contents)]).rows


def test_judged_answers_stay_and_a_pair_makes_two(ready: Store) -> None:
    scored = {"prompt": prompt("q"), "completion": [{"role": "assistant", "content": "no"}], "score": 3.0}
    same = pair(9, "same", "same")

    rows = shaped(ready, [thumb(1, True), thumb(2, False), *(pair(n) for n in range(4)), scored, same])

    assert [(row["id"], row["label"]) for row in rows] == [
        ("e0-answer", True), ("e1-answer", False),
        *((f"e{at}-{side}", side == "chosen") for at in range(2, 6) for side in ("chosen", "rejected")),
    ]  # fmt: skip
    assert json.loads(rows[2]["completion"]) == [{"role": "assistant", "content": "y"}]
    assert json.loads(rows[2]["prompt"]) == prompt("p0")


def test_of_an_answer_in_several_turns_the_last_one_is_judged(ready: Store) -> None:
    talk = [*({"role": role, "content": role} for role in ("assistant", "user")), {"role": "assistant", "content": "z"}]

    rows = shaped(ready, [pair(n) | {"chosen": talk} for n in range(4)])

    assert json.loads(rows[0]["completion"]) == talk[-1:]
    assert json.loads(rows[0]["prompt"]) == [*prompt("p0"), *talk[:-1]]


def test_only_good_answers_are_refused(ready: Store) -> None:
    with pytest.raises(BadInput) as refusal:
        shaped(ready, [thumb(n, True) for n in range(9)])

    assert str(refusal.value) == (
        'Dataset "judged" holds 9 good answers and 0 bad answers; KTO needs at least 4 of each, to learn the '
        "difference."
    )
    assert get_dataset(ready, "judged").kind == "preference"


def test_a_plan_counts_answers_and_not_examples(ready: Store) -> None:
    add_dataset(ready, "mixed", "preference", [*(pair(n) for n in range(6)), thumb(1, True), thumb(2, False)])

    thought = plan(ready, Request("kto", "starter", dataset="mixed", options={"epochs": 1, "batch_size": 2}))

    assert thought.survey is not None
    assert (thought.survey.sentence, thought.steps) == ('14 judged answers of dataset "mixed"', 7)


@pytest.fixture
def voted(ready: Store) -> Study:
    """Five votes for one answer, two that call both bad, and a tie; all may train."""
    starter = models.get_model(ready, "starter")
    study = add_study(ready, "judging", starter, starter)
    for one, choice in zip(prompts_of("train", 8), [*"aaaaa", "both_bad", "both_bad", "tie"], strict=True):
        vote(ready, study, one, choice)
    return study


def test_votes_make_good_and_bad_answers(ready: Store, voted: Study) -> None:
    found = thumbs(ready, Request("kto", "starter", study="judging"))
    rows, prompts = found.shaped()

    assert found.survey.sentence == "5 good answers and 9 bad answers from 8 votes (left out: 1 tie)"
    assert (found.survey.rows, found.policy) == (14, "majority,both_bad=negatives")
    assert [row["label"] for row in rows].count(True) == 5
    assert len({row["id"] for row in rows}) == 14
    assert len(prompts) == 7


def test_both_bad_is_left_out_where_the_policy_says_so(ready: Store, voted: Study) -> None:
    found = thumbs(ready, Request("kto", "starter", study="judging", votes="each,both_bad=drop"))

    assert found.survey.sentence == "5 good answers and 5 bad answers from 8 votes (left out: 2 both bad, 1 tie)"


def test_ties_cannot_be_kept_for_kto(ready: Store, voted: Study) -> None:
    thought = plan(ready, Request("kto", "starter", study="judging", votes="majority,ties=keep"))

    assert thought.refusals == [
        'The loss "kto" cannot use the ties of these votes; choose a policy without them.',
    ]


def ranked(study: Study, policy: str) -> list[tuple[str, bool, float]]:
    """Answers A, B and C of one comparison, ranked in this order by one person."""
    pairs = [
        Pair(f"{better}{worse}", prompt("q"), "hash", answer(better), answer(worse), None, "one")
        for better, worse in ("ab", "ac", "bc")
    ]
    found = judged_answers(StudyPairs(study, policy, 1, Preferences(pairs)))
    return [(str(one.completion[0]["content"]), one.desirable, one.weight) for one in found]


def answer(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": text}]


def test_the_middle_of_a_ranking_is_neither_good_nor_bad(voted: Study) -> None:
    assert ranked(voted, "majority") == [("a", True, 1.0), ("c", False, 1.0)]


def test_under_each_every_preference_speaks(voted: Study) -> None:
    assert [text for text, _, _ in ranked(voted, "each")] == list("abacbc")


def test_disagreement_advises_how_much_to_smooth(ready: Store, voted: Study) -> None:
    """Twelve comparisons judged by two people each; on three of them they disagree."""
    for at, one in enumerate(prompts_of("train", 12, "twice")):
        vote(ready, voted, one, "a")
        second_vote(ready, voted, "b" if at < 3 else "a")

    thought = plan(ready, Request("dpo", "starter", study="judging", votes="each"))

    # A quarter of the pairs of votes disagree: (1 - sqrt(1 - 2/4)) / 2.
    assert thought.options["label_smoothing"] == 0.146
    assert thought.advice is not None
    assert thought.advice.why.endswith("15 % of the pairs are wrong; losses with label_smoothing reckon with it.")
