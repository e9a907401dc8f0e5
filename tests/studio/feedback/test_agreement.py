"""Agreement against the published references, through the doors that people use."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput
from storage.home import Home
from studio.settings import Settings
from studio.studio import Studio

Triples = list[tuple[str, str, Any]]


@pytest.fixture
def studio(home: Home) -> Studio:
    return Studio(settings=Settings.from_env({}, home=home.path))


@pytest.fixture
def references(real_data: Path) -> dict[str, Any]:
    listed = json.loads((real_data / "agree" / "worked_examples_shared.json").read_text("utf-8"))
    return {one["id"]: one for one in listed}


def measured(studio: Studio, tmp_path: Path, triples: Triples, level: str = "nominal") -> dict[str, Any]:
    file = tmp_path / "labels.jsonl"
    lines = [json.dumps({"annotator": who, "item": item, "label": label}) for who, item, label in triples]
    file.write_text("\n".join(lines), encoding="utf-8")
    studio.import_votes(file, "labels")
    found: dict[str, Any] = studio.agreement("labels", level=level)
    return found


def by_raters(rows: list[list[Any]]) -> Triples:
    """From people (rows) by items (columns)."""
    return [(f"p{who}", f"i{item}", label) for who, row in enumerate(rows) for item, label in enumerate(row)]


def turned(rows: list[list[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def test_four_raters_of_twelve_units_with_missing_labels(
    studio: Studio, tmp_path: Path, references: dict[str, Any]
) -> None:
    reference = references["agreestat_12x4"]
    found = measured(studio, tmp_path, by_raters(turned(reference["data_units_by_raters"])))
    expected = reference["expected"]

    assert round(found["krippendorff_alpha"], 6) == expected["krippendorff_alpha_nominal"]
    assert round(found["percent"], 7) == expected["percent_agreement"]
    assert round(found["fleiss_kappa"], 5) == expected["fleiss_kappa_missing_ok"]
    assert round(found["conger_kappa"], 5) == expected["conger_kappa"]
    assert round(found["gwet_ac1"], 5) == expected["gwet_ac1"]
    assert round(found["brennan_prediger"], 5) == expected["brennan_prediger"]
    assert found["low"] < found["krippendorff_alpha"] < found["high"] <= 1.0


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_at_each_level(studio: Studio, tmp_path: Path, references: dict[str, Any], level: str) -> None:
    reference = references["wikipedia_alpha_3x15"]
    found = measured(studio, tmp_path, by_raters(reference["data_raters_by_units"]), level)

    assert round(found["krippendorff_alpha"], 6) == reference["expected"][level]


def test_an_item_with_one_label_does_not_matter_to_alpha(
    studio: Studio, tmp_path: Path, references: dict[str, Any]
) -> None:
    reference = references["nltk_easy"]
    found = measured(studio, tmp_path, [tuple(one) for one in reference["data_triples"]])

    assert round(found["krippendorff_alpha"], 7) == reference["expected"]["krippendorff_alpha_nominal"]
    assert found["disputed"] == [{"item": "dress1", "labels": {"YES": 1, "NO": 2}, "majority": 2 / 3},
                                 {"item": "dress2", "labels": {"YES": 1, "NO": 1}, "majority": 0.5}][::-1]  # fmt: skip


def test_fleiss_kappa_of_fourteen_raters(studio: Studio, tmp_path: Path, references: dict[str, Any]) -> None:
    reference = references["fleiss_wikipedia"]
    triples: Triples = []
    for item, counts in enumerate(reference["counts_units_by_categories"]):
        said = [category for category, count in enumerate(counts) for _ in range(count)]
        triples += [(f"p{who}", f"i{item}", label) for who, label in enumerate(said)]

    found = measured(studio, tmp_path, triples)
    assert round(found["fleiss_kappa"], 3) == reference["expected"]["fleiss_kappa"]
    assert len(found["pairs"]) == 14 * 13 / 2


@pytest.mark.parametrize("words", [False, True])
def test_cohens_kappa_and_the_weighted_one(
    studio: Studio, tmp_path: Path, references: dict[str, Any], words: bool
) -> None:
    reference = references["sas_3x3"]
    names: list[Any] = ["high", "low", "middle"] if words else [1, 2, 3]
    triples: Triples = []
    for a, row in enumerate(reference["table"]):
        for b, count in enumerate(row):
            for _ in range(count):
                item = f"i{len(triples)}"
                triples += [("one", item, names[a]), ("two", item, names[b])]

    found = measured(studio, tmp_path, triples)
    assert round(found["cohen_kappa"], 4) == reference["expected"]["cohen_kappa"]
    assert round(found["weighted_kappa"]["linear"], 4) == reference["expected"]["linear_weighted_kappa"]
    (pair,) = found["pairs"]
    assert {key: pair[key] for key in ("a", "b", "n", "percent", "cohen_kappa")} == {
        "a": "one",
        "b": "two",
        "n": 19,
        "percent": pytest.approx(13 / 19),
        "cohen_kappa": found["cohen_kappa"],
    }
    error, linear = pair["cohen_error"], pair["linear_error"]
    assert [round(error[name], 4) for name in ("ase", "ase_h0", "z")] == [
        reference["expected"][name] for name in ("ase", "ase_h0", "z")
    ]
    assert [round(error[name], 4) for name in ("low", "high")] == reference["expected"]["ci95"]
    assert [round(linear[name], 4) for name in ("low", "high")] == reference["expected"]["linear_ci95"]
    assert bool(found["notes"]) == words


def test_perfect_agreement_is_one_also_where_nothing_else_was_possible(
    studio: Studio, tmp_path: Path, references: dict[str, Any]
) -> None:
    reference = references["perfect"]
    found = measured(studio, tmp_path, [tuple(one) for one in reference["data_triples"]])

    ones = ("cohen_kappa", "scott_pi", "fleiss_kappa", "conger_kappa", "krippendorff_alpha", "percent", "low", "high")
    assert {key: found[key] for key in ones} == dict.fromkeys(ones, 1.0)


def test_words_have_no_order(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match='"red" is no number'):
        measured(studio, tmp_path, [("a", "x", "red"), ("b", "x", 1)], "ordinal")


def test_votes_are_labels_of_comparisons(studio: Studio, tmp_path: Path) -> None:
    votes = [("ann", "one", "a"), ("bo", "one", "a"), ("ann", "two", "b"), ("bo", "two", "tie")]
    lines = [
        {"id": f"{who}-{prompt}", "prompt": prompt, "models": ["x", "y"], "answers": ["1", "2"], "annotator": who,
         "choice": choice}
        for who, prompt, choice in votes
    ]  # fmt: skip
    file = tmp_path / "votes.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    studio.import_votes(file, "duel")

    found = studio.agreement("duel")
    assert (found["items"], found["annotators"], found["percent"], found["disputed_count"]) == (2, 2, 0.5, 1)
    assert found["disputed"][0]["labels"] == {"b": 1, "tie": 1}
