"""The leaderboard counts what was said, over prompts, and says what it does not know."""

import pytest

from storage.comparisons import create_study
from storage.store import Store
from studio.feedback.leaderboard import leaderboard
from studio.feedback.study_settings import change_settings
from tests.studio.feedback.conftest import TRAINING, Bench
from tests.studio.feedback.spoken import many, say


def test_a_study_without_votes_has_models_and_no_winner(bench: Bench) -> None:
    board = leaderboard(bench.store, "first-look").to_json()

    assert [(model["name"], model["rating"], model["votes"]) for model in board["models"]] == [
        ("nimble-otter", pytest.approx(1000), 0),
        ("grand-walrus", pytest.approx(1000), 0),
    ]
    assert (board["pairs"], board["left_rate"]) == ([], None)


def test_wins_ties_and_both_bad_are_counted_apart(bench: Bench) -> None:
    for number, choice in enumerate(["a", "a", "b", "tie", "both_bad", "skip"]):
        bench.vote(bench.compare(f"question {number}"), choice)

    board = leaderboard(bench.store, "first-look").to_json()

    (pair,) = board["pairs"]
    assert {name: pair[name] for name in ("a", "b", "wins_a", "wins_b", "ties", "both_bad", "win_rate", "verdict")} == {
        "a": "nimble-otter",
        "b": "grand-walrus",
        "wins_a": 2,
        "wins_b": 1,
        "ties": 1,
        "both_bad": 1,
        "win_rate": pytest.approx(3 / 5),
        "verdict": "not decided",
    }
    low, high = pair["interval_anytime"]
    assert low < 0.6 < high
    assert [model["votes"] for model in board["models"]] == [5, 5]


def test_both_bad_never_moves_a_rating(bench: Bench) -> None:
    bench.vote(bench.compare("one"), "a")
    bench.vote(bench.compare("two"), "b")
    before = leaderboard(bench.store, "first-look").models
    for number in range(5):
        bench.vote(bench.compare(f"bad {number}"), "both_bad")

    after = leaderboard(bench.store, "first-look").models

    assert [model["rating"] for model in after] == pytest.approx([model["rating"] for model in before])


def test_votes_that_share_a_prompt_are_one_unit(bench: Bench) -> None:
    whole = bench.compare(TRAINING)
    for person in ("ann", "bob", "cem", "dan"):
        bench.vote(whole, "a", person)
    bench.vote(bench.compare("another"), "b")

    (duel,) = leaderboard(bench.store, "first-look").duels

    assert (duel.wins_a, duel.wins_b, duel.rate.units, duel.rate.rate) == (4, 1, 2, 0.5)


def test_twelve_wins_on_twelve_prompts_decide(bench: Bench) -> None:
    for number in range(12):
        bench.vote(bench.compare(f"question {number}"), "b")

    (duel,) = leaderboard(bench.store, "first-look").duels

    assert (duel.rate.verdict, duel.needed) == ("b better", 0)


def test_the_left_rate_counts_where_the_winner_stood(bench: Bench) -> None:
    lefts = []
    for number in range(20):
        whole = bench.compare(f"question {number}")
        bench.vote(whole, "a")
        from studio.feedback.showing import shown_order

        lefts.append(shown_order(3, whole.comparison.id, "ann", 2)[0] == 0)

    board = leaderboard(bench.store, "first-look")

    assert (board.left_rate, board.left_votes) == (sum(lefts) / 20, 20)


def test_a_model_against_itself_has_votes_and_no_rank(bench: Bench) -> None:
    store: Store = bench.store
    mirror = Bench(store, create_study(store, "mirror", [bench.models[0]] * 2, None, seed=1), (bench.models[0],) * 2)
    mirror.vote(mirror.compare(), "a")

    board = leaderboard(store, "mirror").to_json()

    assert [(model["name"], model["rating"], model["votes"]) for model in board["models"]] == [
        ("nimble-otter", pytest.approx(1000), 1)
    ]
    assert board["pairs"] == []


def test_contestants_of_one_model_are_told_apart_by_their_names(bench: Bench) -> None:
    model = bench.models[0].id
    warm = {"name": "warm", "model": model, "sampling": {"temperature": 1.5}}
    terse = {"name": "terse", "model": model, "system": "Be brief."}
    change_settings(bench.store, bench.study, {"contestants": [warm, terse]})
    for number in range(3):
        whole = many(bench, "x", "y", prompt=f"question {number}", names=("terse", "warm"))
        say(bench, whole, "ann", "a")

    board = leaderboard(bench.store, "first-look").to_json()

    assert [(one["name"], one["votes"]) for one in board["models"]] == [("terse", 3), ("warm", 3)]
    (pair,) = board["pairs"]
    assert (pair["a"], pair["b"], pair["wins_a"], pair["wins_b"]) == ("warm", "terse", 0, 3)
