"""Policies make pairs of votes, and count all that they leave out."""

from dataclasses import replace

import pytest

from storage import votes
from storage.errors import BadInput
from storage.judgements import contests
from studio.feedback.preferences import Options, preferences, preview
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
    with pytest.raises(BadInput, match=r'There is no policy "best"; there are each, majority, unanimous, weighted\.'):
        preferences(bench.store, "first-look", "best")


def test_weighted_follows_the_lead_and_says_how_large_it_is(bench: Bench) -> None:
    split, torn = (bench.compare(TRAINING, (f"a{n}", f"b{n}")) for n in range(2))
    for person, choices in {"ann": "aa", "bob": "ab", "cem": "b", "dan": "a"}.items():
        for whole, choice in zip((split, torn), choices, strict=False):
            bench.vote(whole, choice, person)

    found = preferences(bench.store, "first-look", "weighted")

    assert [(pair.chosen[0]["content"], pair.weight) for pair in found.pairs] == [("a0", 0.5)]
    assert found.dropped == {"split": 1}


def test_ties_are_kept_and_both_bad_makes_negatives_where_wanted(bench: Bench) -> None:
    bench.vote(bench.compare(TRAINING, ("a0", "b0")), "tie")
    bench.vote(bench.compare(TRAINING, ("a1", "b1")), "both_bad")
    bench.vote(bench.compare(MEASURING, ("a2", "b2")), "both_bad")

    for policy in ("each", "majority", "unanimous", "weighted"):
        found = preferences(bench.store, "first-look", policy, Options(ties="keep", both_bad="negatives"))

        assert [pair.chosen[0]["content"] for pair in found.ties] == ["a0"]
        assert [one.completion[0]["content"] for one in found.negatives] == ["a1", "b1"]
        assert (found.pairs, found.dropped) == ([], {"measure prompt": 1})


def test_a_ranking_makes_all_pairs_or_the_best_against_the_rest(bench: Bench) -> None:
    whole = bench.compare(TRAINING, ("x", "y"))
    identity = bench.vote(whole, "a")
    row = bench.store.one("select * from answers where comparison_id = ? and position = 1", [whole.comparison.id])
    assert row is not None
    bench.store.insert("answers", {**row, "id": "third", "position": 2, "text": "z"})
    bench.store.execute("update votes set choice = 'a', ranking = '[2, 0, 1]' where id = ?", [identity])

    assert _texts(bench, "each") == [("x", "y"), ("z", "x"), ("z", "y")]
    best = preferences(bench.store, "first-look", "each", Options(ranking="best")).pairs
    assert [(pair.chosen[0]["content"], pair.rejected[0]["content"]) for pair in best] == [("z", "x"), ("z", "y")]


def test_the_margin_is_the_strength_or_none(bench: Bench) -> None:
    identity = bench.vote(bench.compare(TRAINING), "a")
    bench.store.execute("update votes set strength = 2 where id = ?", [identity])

    margins = [
        preferences(bench.store, "first-look", "majority", Options(margin=margin)).pairs[0].margin
        for margin in ("strength", "none")
    ]

    assert margins == [2.0, None]


def test_a_preview_counts_what_each_policy_would_make(bench: Bench) -> None:
    whole = bench.compare(TRAINING)
    for person, choice in {"ann": "a", "bob": "a", "cem": "b"}.items():
        bench.vote(whole, choice, person)
    bench.vote(bench.compare(MEASURING), "a")

    counts = {one["policy"]: (one["rows"], one["dropped"]) for one in preview(bench.store, "first-look")}

    assert counts == {
        "each": (3, {"measure prompt": 1}),
        "majority": (1, {"measure prompt": 1}),
        "unanimous": (0, {"measure prompt": 1, "not unanimous": 1}),
        "weighted": (1, {"measure prompt": 1}),
    }


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(BadInput, match=r'"ties" is one of drop, keep, not "maybe"\.'):
        Options(ties="maybe")
