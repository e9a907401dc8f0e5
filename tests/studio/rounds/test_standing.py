"""The win rate of a round counts prompts that trained neither model, from the new model's side."""

from itertools import pairwise

import pytest

from storage.comparisons import get_study
from storage.models import get_model
from storage.rounds import list_rounds
from storage.rows import Study
from storage.rows_training import Round
from storage.store import Store
from studio.feedback.comparing import add_next
from studio.feedback.exclusions import exclude, include
from studio.feedback.intervals import win_rate
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.standing import Standing, standing
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import (
    add_dataset,
    add_starter,
    add_study,
    conversation,
    prompt,
    prompts_of,
    run_to_the_end,
    vote,
)


@pytest.fixture
def measured(store: Store) -> Study:
    """The measuring study of a first round that trained on the prompt "asked before"."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation("asked before", "a")])
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")))
    ledger.catch_up(store)
    return get_study(store, "round-1")


def _now(store: Store) -> Standing:
    found = standing(store, list_rounds(store)[0])
    assert found is not None
    return found


def test_wins_losses_and_draws_are_the_new_models(store: Store, measured: Study) -> None:
    """The study names the old model first, so choice "b" is a win of the new one."""
    for asked, choice in zip(prompts_of("train", 6), ["b", "b", "b", "a", "tie", "both_bad"], strict=True):
        vote(store, measured, asked, choice)

    now = _now(store)

    assert (now.votes, now.wins, now.losses, now.ties) == (6, 3, 1, 2)
    assert now.rate.rate == pytest.approx((3 + 1) / 6)
    assert now.rate.low < 0.5 < now.rate.high
    assert now.word == "open"


def test_votes_on_prompts_that_it_trained_on_do_not_count(store: Store, measured: Study) -> None:
    vote(store, measured, prompt("asked before"), "b")
    vote(store, measured, prompt("never asked"), "a")

    now = _now(store)

    assert (now.votes, now.left_out, now.wins, now.losses) == (1, 1, 0, 1)


def test_votes_that_somebody_excluded_do_not_count_until_they_are_included(store: Store, measured: Study) -> None:
    for asked, choice in zip(prompts_of("train", 4), ["b", "b", "b", "a"], strict=True):
        vote(store, measured, asked, choice)
    store.execute("update votes set annotator = 'hasty' where choice = 'b'")

    exclude(store, measured.name, "annotator", "hasty", "answers within a second", Actor("me", "curator"))
    assert (_now(store).votes, _now(store).wins, _now(store).losses) == (1, 0, 1)
    include(store, measured.name, "annotator", "hasty", Actor("me", "curator"))
    assert (_now(store).votes, _now(store).wins) == (4, 3)


def test_votes_on_one_prompt_are_one_piece_of_evidence(store: Store, measured: Study) -> None:
    for _ in range(40):
        vote(store, measured, prompt("again and again"), "b")

    now = _now(store)

    assert (now.votes, now.rate.units, now.word) == (40, 1, "open")


@pytest.mark.parametrize(("choice", "word"), [("b", "better"), ("a", "worse")])
def test_many_votes_for_one_side_settle_it(store: Store, measured: Study, choice: str, word: str) -> None:
    for asked in prompts_of("train", 30):
        vote(store, measured, asked, choice)

    assert (_now(store).word, _now(store).needed) == (word, 0)


def test_before_any_vote_everything_is_possible(store: Store, measured: Study) -> None:
    now = _now(store)

    assert (now.rate.rate, now.rate.low, now.rate.high, now.votes, now.word) == (None, 0.0, 1.0, 0, "open")


def test_a_round_without_a_model_stands_nowhere(store: Store) -> None:
    starter = add_starter(store)
    turn = Round("r", 1, "open", starter.id, None, None, None, None, None, None, 0.0, None, None)

    assert standing(store, turn) is None


def test_votes_between_other_models_in_the_same_study_do_not_count(store: Store, measured: Study) -> None:
    other = add_study(store, "other", get_model(store, "starter"), get_model(store, "starter"))
    vote(store, other, prompt("p"), "a")

    assert _now(store).votes == 0


def test_a_ranking_says_which_of_the_two_it_puts_first(store: Store, measured: Study) -> None:
    """The old model is at position 0, the new one at 1."""
    for asked, ranking in zip(prompts_of("train", 4), ["[1, 0]", "[[1], [0]]", "[0, 1]", "[[0, 1]]"], strict=True):
        vote(store, measured, asked, "tie")
        store.execute(
            "update votes set choice = 'ranking', ranking = ? where rowid = (select max(rowid) from votes)", [ranking]
        )

    now = _now(store)

    assert (now.votes, now.wins, now.losses, now.ties) == (4, 2, 1, 1)


def test_the_turns_of_one_conversation_are_one_piece_of_evidence(store: Store, measured: Study) -> None:
    first, second, third, other = prompts_of("train", 4)
    for asked in (first, second, third, other):
        vote(store, measured, asked, "b")
    by_number = [row["id"] for row in store.rows("select id from comparisons order by number")]
    for before, after in pairwise(by_number[:3]):
        store.execute("update comparisons set parent_id = ? where id = ?", [before, after])

    now = _now(store)

    assert (now.votes, now.wins) == (4, 4)
    assert now.rate == win_rate([1.0, 1.0])


def test_a_conversation_that_began_with_a_trained_prompt_does_not_count(store: Store, measured: Study) -> None:
    vote(store, measured, prompt("asked before"), "b")
    vote(store, measured, prompt("asked before") + conversation("and then?", "so")["messages"][:1], "b")
    first, second = (row["id"] for row in store.rows("select id from comparisons order by number"))
    store.execute("update comparisons set parent_id = ? where id = ?", [first, second])

    now = _now(store)

    assert (now.votes, now.left_out) == (0, 2)


def test_prompts_that_trained_neither_model_are_asked_first(store: Store, measured: Study) -> None:
    texts = [f"question {number}" for number in range(9)]
    asked = add_dataset(store, "asked", "prompts", [{"prompt": prompt(text)} for text in ["asked before", *texts]])

    first, second = (add_next(store, measured, 10, prompts_id=asked.id) for _ in range(2))

    for round_ in (first, second):
        assert [one.prompt for one in round_][-1] == prompt("asked before")
        assert sorted(one.prompt[0]["content"] for one in round_) == sorted(["asked before", *texts])
