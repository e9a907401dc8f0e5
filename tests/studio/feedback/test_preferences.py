"""Policies make pairs of votes, and count all that they leave out."""

from dataclasses import replace

import pytest

from storage import adjudications, votes
from storage.comparisons import NewComparison, Whole, add_comparison, get_comparison, get_study
from storage.errors import BadInput
from storage.judgements import contests
from storage.prompts import as_messages, content_sha256, text_sha256
from studio.feedback.ballots import Ballot
from studio.feedback.gold import set_gold
from studio.feedback.policies import Options, read_policy, write_policy
from studio.feedback.preferences import preferences, preview
from studio.feedback.study_settings import change_settings
from studio.feedback.voting import cast
from studio.people.roles import Actor
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


def _conversation(bench: Bench, histories: tuple[list[dict[str, str]], list[dict[str, str]]]) -> Whole:
    contestants = [(model.id, model.name) for model in bench.models]
    new = NewComparison(as_messages(TRAINING), contestants, texts=["end a", "end b"], histories=list(histories))
    return get_comparison(bench.store, add_comparison(bench.store, bench.study, new).id)


def _said(*contents: str) -> list[dict[str, str]]:
    """Turns of the assistant and the user in their turn."""
    return [{"role": ("assistant", "user")[at % 2], "content": content} for at, content in enumerate(contents)]


def test_a_conversation_is_chosen_and_rejected_with_all_in_which_its_sides_differ(bench: Bench) -> None:
    bench.vote(_conversation(bench, (_said("a1", "and?"), _said("b1", "and?"))), "a")

    (pair,) = preferences(bench.store, "first-look", "each").pairs

    assert pair.prompt == [{"role": "user", "content": TRAINING}]
    assert (pair.chosen, pair.rejected) == (_said("a1", "and?", "end a"), _said("b1", "and?", "end b"))


def test_turns_that_both_sides_share_belong_to_the_prompt(bench: Bench) -> None:
    bench.vote(_conversation(bench, (_said("one", "and?"), _said("one", "and?"))), "b")

    (pair,) = preferences(bench.store, "first-look", "each").pairs

    assert pair.prompt == [{"role": "user", "content": TRAINING}, *_said("one", "and?")]
    assert (pair.chosen, pair.rejected) == (_said("end b"), _said("end a"))
    assert pair.prompt_sha256 == content_sha256(as_messages(TRAINING))


def _mended(bench: Bench, choice: str, whole: Whole, position: int = 0) -> None:
    identity = bench.vote(whole, choice)
    bench.store.execute("update votes set edited = 'mended', edited_position = ? where id = ?", [position, identity])


@pytest.mark.parametrize("policy", ["each", "majority", "unanimous", "weighted"])
def test_a_mended_answer_is_preferred_to_each_that_was_shown(bench: Bench, policy: str) -> None:
    _mended(bench, "a", bench.compare(TRAINING, ("x", "y")))
    _mended(bench, "a", bench.compare(MEASURING, ("x", "y")))

    found = preferences(bench.store, "first-look", policy)

    assert _texts(bench, policy) == [("x", "y"), ("mended", "x"), ("mended", "y")]
    assert (found.to_json()["edited"], found.dropped) == (2, {"measure prompt": 1})
    assert preferences(bench.store, "first-look", policy, Options(edited="drop")).edited == 0


def test_a_mended_turn_keeps_the_conversation_before_it(bench: Bench) -> None:
    _mended(bench, "b", _conversation(bench, (_said("a1", "and?"), _said("b1", "and?"))), position=1)

    _, over_a, over_b = preferences(bench.store, "first-look", "each").pairs

    assert (over_a.chosen, over_a.rejected) == (_said("b1", "and?", "mended"), _said("a1", "and?", "end a"))
    assert (over_b.prompt[1:], over_b.chosen, over_b.rejected) == (
        _said("b1", "and?"), _said("mended"), _said("end b"),
    )  # fmt: skip


def test_votes_on_known_answers_train_nothing(bench: Bench) -> None:
    whole = bench.compare(TRAINING, ("x", "y"))
    _mended(bench, "a", whole)
    bench.vote(bench.compare(TRAINING, ("x", "z")), "a")
    set_gold(bench.store, bench.study, whole.comparison.id, {"choice": "a"}, "plain", Actor("cora", "curator"))

    found = preferences(bench.store, "first-look", "each")

    assert _texts(bench, "each") == [("x", "z")]
    assert found.dropped == {"gold": 1}


def test_what_a_curator_decided_stands_in_the_place_of_the_votes(bench: Bench) -> None:
    torn, agreed = bench.compare(TRAINING, ("x", "y")), bench.compare(TRAINING, ("v", "w"))
    for person, choice in {"ann": "a", "bob": "b", "cem": "b"}.items():
        bench.vote(torn, choice, person)
        bench.vote(agreed, "a", person)
    adjudications.add(bench.store, adjudications.decision(bench.study.id, torn.comparison.id, "a", "cora"))

    for policy in ("majority", "unanimous", "weighted"):
        assert _texts(bench, policy) == [("x", "y"), ("v", "w")]
    assert preferences(bench.store, "first-look", "majority").to_json()["adjudicated"] == 1

    adjudications.lift(bench.store, bench.study.id, torn.comparison.id, "cora")
    assert _texts(bench, "majority") == [("y", "x"), ("v", "w")]


def _rate(bench: Bench, text: str, **ratings: float) -> None:
    """A single answer with its ratings by annotator."""
    study = bench.study
    new = NewComparison(as_messages(TRAINING), [(bench.models[0].id, "nimble-otter")], texts=[text])
    comparison = add_comparison(bench.store, study, new)
    for person, rating in ratings.items():
        ballot = Ballot(f"rate-{text}-{person}", comparison.id, "rating", [text_sha256(text)], rating=rating)
        cast(bench.store, get_study(bench.store, study.id), person, ballot)


def _thumbs(bench: Bench, policy: str) -> list[tuple[str, bool]]:
    found = preferences(bench.store, "first-look", policy)
    assert found.pairs == []
    return [(one.completion[0]["content"], one.desirable) for one in found.thumbs]


def test_five_steps_are_good_from_four_and_bad_below_three(bench: Bench) -> None:
    change_settings(bench.store, bench.study, {"layout": "rate", "sides": 1, "scale": 5})
    for rating in (1, 2, 3, 4, 5):
        _rate(bench, f"worth-{rating}", ann=rating)

    assert _thumbs(bench, "each") == [
        ("worth-1", False), ("worth-2", False), ("worth-4", True), ("worth-5", True),
    ]  # fmt: skip
    found = preferences(bench.store, "first-look", "each")
    assert (found.dropped, found.to_json()["negatives"], found.to_json()["positives"]) == ({"middle rating": 1}, 2, 2)


def test_thumbs_are_good_or_bad_and_policies_say_when_people_agree_enough(bench: Bench) -> None:
    change_settings(bench.store, bench.study, {"layout": "rate", "sides": 1, "scale": 2})
    _rate(bench, "good", ann=2, bob=2, cem=2)
    _rate(bench, "mixed", ann=1, bob=1, cem=2)
    _rate(bench, "torn", ann=1, bob=2)

    assert _thumbs(bench, "unanimous") == [("good", True)]
    assert _thumbs(bench, "majority") == [("good", True), ("mixed", False)]
    assert _thumbs(bench, "weighted") == [("good", True), ("mixed", False)]
    assert [round(one.weight, 2) for one in preferences(bench.store, "first-look", "weighted").thumbs] == [1.0, 0.33]
    assert len(_thumbs(bench, "each")) == 8
    assert preferences(bench.store, "first-look", "unanimous").dropped == {"not unanimous": 2}


def test_a_policy_is_written_with_its_options() -> None:
    wish = read_policy("weighted, ties=keep,ranking=best")

    assert (wish.policy, wish.options) == ("weighted", Options(ties="keep", ranking="best"))
    assert write_policy(wish) == "weighted,ties=keep,ranking=best"
    assert write_policy(read_policy("each")) == "each"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("best", 'There is no policy "best"; there are each, majority, unanimous, weighted.'),
        ("each,best", '"best" is no option of a policy; there are margin=strength|none, ties=drop|keep, '),
        ("each,ties=some", '"ties" is one of drop, keep, not "some".'),
    ],
)
def test_words_that_are_no_policy_are_refused(words: str, sentence: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_policy(words)
    assert str(caught.value).startswith(sentence)
