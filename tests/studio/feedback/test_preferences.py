"""Policies make pairs of votes, and count all that they leave out."""

from dataclasses import replace

import pytest

from storage import votes
from storage.errors import BadInput
from storage.judgements import contests
from studio.feedback.preferences import preferences
from tests.studio.feedback.conftest import MEASURING, TRAINING, Bench


def _texts(bench: Bench, policy: str) -> list[tuple[str, str]]:
    found = preferences(bench.store, "first-look", policy).pairs
    return [(pair.chosen[0]["content"], pair.rejected[0]["content"]) for pair in found]


def test_every_decisive_vote_is_a_pair_of_messages(bench: Bench) -> None:
    whole = bench.compare(TRAINING, ("long and winding", "short"))
    identity = bench.vote(whole, "b")

    found = preferences(bench.store, "first-look", "each")

    (pair,) = found.pairs
    assert (pair.id, pair.prompt) == (identity, [{"role": "user", "content": TRAINING}])
    assert (pair.chosen, pair.rejected) == (
        [{"role": "assistant", "content": "short"}],
        [{"role": "assistant", "content": "long and winding"}],
    )
    assert (pair.margin, found.dropped) == (None, {})


def test_all_that_is_left_out_is_counted_with_its_reason(bench: Bench) -> None:
    bench.vote(bench.compare(TRAINING), "a")
    bench.vote(bench.compare(TRAINING), "tie")
    bench.vote(bench.compare(TRAINING), "both_bad")
    bench.vote(bench.compare(TRAINING), "skip")
    bench.vote(bench.compare(TRAINING, ("same", "same")), "a")
    bench.vote(bench.compare(MEASURING), "a")
    bench.vote(bench.compare(MEASURING), "tie")

    found = preferences(bench.store, "first-look", "each")

    assert {c.split for c in contests(bench.store, bench.study.id).values()} == {"train", "measure"}
    assert len(found.pairs) == 1
    assert found.dropped == {"both_bad": 1, "identical answers": 1, "measure prompt": 2, "skip": 1, "tie": 1}


def test_each_majority_and_unanimous_differ_where_people_do(bench: Bench) -> None:
    agreed, split, torn = (bench.compare(TRAINING, (f"a{n}", f"b{n}")) for n in range(3))
    for person, choices in {"ann": "aaa", "bob": "aab", "cem": "ab"}.items():
        for whole, choice in zip((agreed, split, torn), choices, strict=False):
            bench.vote(whole, choice, person)

    assert sorted(_texts(bench, "each")) == sorted(
        [("a0", "b0")] * 3 + [("a1", "b1")] * 2 + [("b1", "a1"), ("a2", "b2"), ("b2", "a2")]
    )
    assert _texts(bench, "majority") == [("a0", "b0"), ("a1", "b1")]
    assert _texts(bench, "unanimous") == [("a0", "b0")]
    assert preferences(bench.store, "first-look", "majority").dropped == {"no majority": 1}
    assert preferences(bench.store, "first-look", "unanimous").dropped == {"not unanimous": 2}


def test_ties_count_against_a_majority(bench: Bench) -> None:
    whole = bench.compare(TRAINING)
    for person, choice in {"ann": "a", "bob": "tie", "cem": "both_bad"}.items():
        bench.vote(whole, choice, person)

    assert _texts(bench, "majority") == []


def test_a_vote_that_was_taken_back_trains_nothing(bench: Bench) -> None:
    from studio.feedback.voting import undo

    bench.vote(bench.compare(TRAINING), "a")
    undo(bench.store, bench.study, "ann", "undo-0001")

    assert _texts(bench, "each") == []


def test_strength_becomes_the_margin_and_a_ranking_all_its_pairs(bench: Bench) -> None:
    whole = bench.compare(TRAINING, ("x", "y"))
    bench.vote(whole, "a")
    (vote,) = votes.current_votes(bench.store, bench.study.id)
    votes.cast(bench.store, replace(vote, id="ranked", ranking=[1, 0], choice="b", strength=3, supersedes=vote.id))

    (pair,) = preferences(bench.store, "first-look", "majority").pairs

    assert (pair.id, pair.chosen[0]["content"], pair.margin) == ("ranked-10", "y", 3.0)


def test_an_unknown_policy_is_refused(bench: Bench) -> None:
    with pytest.raises(BadInput, match=r'There is no policy "best"; there are each, majority, unanimous\.'):
        preferences(bench.store, "first-look", "best")
