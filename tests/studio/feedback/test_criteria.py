"""Ratings: the mean of each contestant with its interval, by criterion, and how well people agree on them."""

import pytest

from storage.errors import NotFound
from studio.feedback.agreement import agreement
from studio.feedback.criteria import tables
from studio.feedback.leaderboard import leaderboard
from studio.feedback.study_settings import change_settings
from tests.studio.feedback.conftest import Bench
from tests.studio.feedback.spoken import many, say

STUDY = "first-look"


@pytest.fixture
def rated(bench: Bench) -> Bench:
    """Two contestants, each rated by two people on six prompts: the otter 3 to 5, the walrus 1 to 2."""
    bench = bench._replace(study=change_settings(bench.store, bench.study, {"layout": "rate", "sides": 1, "scale": 5}))
    for number in range(6):
        for name, base in (("nimble-otter", 3), ("grand-walrus", 1)):
            whole = many(bench, "text", prompt=f"question {number}", names=(name,))
            for person, more in (("ann", number % 2), ("bob", number % 2 + (name == "nimble-otter"))):
                say(bench, whole, person, "rating", rating=float(base + more))
    return bench


def test_the_mean_of_each_contestant_has_an_interval_over_prompts(rated: Bench) -> None:
    first, second = leaderboard(rated.store, STUDY).to_json()["ratings"]

    assert {key: first[key] for key in ("name", "mean", "ratings", "prompts", "steps")} == {
        "name": "nimble-otter",
        "mean": 4.0,
        "ratings": 12,
        "prompts": 6,
        "steps": {"3": 3, "4": 6, "5": 3},
    }
    assert (second["name"], second["mean"]) == ("grand-walrus", 1.5)
    assert 3.5 <= first["low"] < 4.0 < first["high"] <= 4.5


def test_agreement_on_ratings_is_ordinal_unless_another_level_is_asked_for(rated: Bench) -> None:
    found = agreement(rated.store, STUDY)

    assert (found.of, found.level, found.items, found.annotators) == ("ratings", "ordinal", 12, 2)
    assert found.coefficients["percent"] == 0.5
    nominal = agreement(rated.store, STUDY, "nominal").coefficients["krippendorff_alpha"]
    assert found.coefficients["krippendorff_alpha"] > nominal
    assert [one["split"] for one in found.disputed] == [0.25] * 6


def test_each_criterion_has_its_agreement_and_the_means_of_its_contestants(bench: Bench) -> None:
    changes = {"criteria": [{"key": "right", "label": "Correct"}, {"key": "kind", "label": "Kind", "scale": 3}]}
    change_settings(bench.store, bench.study, changes)
    for number in range(4):
        whole = bench.compare(f"question {number}")
        say(bench, whole, "ann", "a", criteria={"right": [5, 1], "kind": [3, None]})
        say(bench, whole, "bob", "a", criteria={"right": [5, 2]})

    right, kind = tables(bench.store, STUDY)

    assert [(one.name, one.mean, one.ratings) for one in right.models] == [
        ("nimble-otter", 5.0, 8),
        ("grand-walrus", 1.5, 8),
    ]
    assert (kind.label, kind.scale, [(one.name, one.ratings) for one in kind.models]) == (
        "Kind", 3, [("nimble-otter", 4)])  # fmt: skip
    found = agreement(bench.store, STUDY, criterion="right")
    assert (found.of, found.criterion, found.level, found.items) == ("criterion", "right", "ordinal", 8)
    assert found.coefficients["percent"] == 0.5
    assert agreement(bench.store, STUDY, criterion="kind").coefficients["krippendorff_alpha"] is None
    with pytest.raises(NotFound, match='no criterion "mood"; there are: right, kind'):
        agreement(bench.store, STUDY, criterion="mood")


def test_criteria_of_votes_from_elsewhere_may_be_one_word_for_the_whole_comparison(bench: Bench) -> None:
    whole = bench.compare()
    say(bench, whole, "ann", "a", criteria={"helpful": "very", "score": 3})
    say(bench, whole, "bob", "a", criteria={"helpful": "hardly", "score": 4})

    helpful = agreement(bench.store, STUDY, criterion="helpful")

    assert (helpful.level, helpful.items, helpful.coefficients["percent"]) == ("nominal", 1, 0.0)
    assert [(table.key, table.label, table.models) for table in tables(bench.store, STUDY)] == [
        ("helpful", "helpful", []),
        ("score", "score", []),
    ]


def test_of_a_ranking_each_two_answers_are_an_item(bench: Bench) -> None:
    whole = many(bench, "one", "two", "three")
    say(bench, whole, "ann", "ranking", ranking=[0, 1, 2])
    say(bench, whole, "bob", "ranking", ranking=[0, 2, 1])

    found = agreement(bench.store, STUDY)

    assert (found.of, found.items, found.coefficients["percent"]) == ("votes", 3, pytest.approx(2 / 3))
    assert found.disputed == [
        {"item": whole.comparison.id, "labels": {"a > b > c": 1, "a > c > b": 1}, "majority": 0.5,
         "split": pytest.approx(1 / 3)}
    ]  # fmt: skip
