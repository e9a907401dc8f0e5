"""Published references through the command line, to their printed digits: votes import, leaderboard, agreement."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from studio.cli import main


class Shell:
    """The command line over one home; every call asks for JSON."""

    def __init__(self, home: Home, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.folder, self.capsys = home, folder, capsys

    def run(self, *words: str) -> dict[str, Any]:
        """One command that must end well."""
        self.capsys.readouterr()
        assert main([*words, "--home", str(self.home.path), "--json"]) == 0
        found: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return found

    def bring(self, study: str, lines: list[dict[str, Any]]) -> None:
        """Import lines into a study, all of them."""
        file = self.folder / f"{study}.jsonl"
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
        report = self.run("votes", "import", str(file), "--study", study)
        assert (report["imported"], report["rejected"]) == (len(lines), 0)


@pytest.fixture
def shell(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(home, tmp_path, capsys)


@pytest.fixture
def published(real_data: Path) -> dict[str, Any]:
    listed = json.loads((real_data / "agree" / "worked_examples_shared.json").read_text("utf-8"))
    return {one["id"]: one for one in listed}


def _labels(rows: list[list[Any]]) -> list[dict[str, Any]]:
    """From people (rows) by items (columns); a missing label is null."""
    return [
        {"item": f"unit {item}", "annotator": f"rater {who}", "label": label}
        for who, row in enumerate(rows)
        for item, label in enumerate(row)
    ]


def _triples(example: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"item": item, "annotator": who, "label": label} for who, item, label in example["data_triples"]]


def _same(found: Any, printed: float) -> bool:
    """Whether a number is the printed one, to the digits that are printed."""
    digits = len(str(printed).partition(".")[2])
    return bool(round(found, digits) == printed)


def test_the_coefficients_of_agreement(shell: Shell, published: dict[str, Any]) -> None:
    rows = [list(column) for column in zip(*published["agreestat_12x4"]["data_units_by_raters"], strict=True)]
    shell.bring("agreestat", _labels(rows))
    expected = published["agreestat_12x4"]["expected"]
    found = shell.run("agreement", "--study", "agreestat")
    names = {"krippendorff_alpha_nominal": "krippendorff_alpha", "percent_agreement": "percent",
             "fleiss_kappa_missing_ok": "fleiss_kappa"}  # fmt: skip
    assert [name for name in expected if not _same(found[names.get(name, name)], expected[name])] == []

    shell.bring("wikipedia", _labels(published["wikipedia_alpha_3x15"]["data_raters_by_units"]))
    for level, alpha in published["wikipedia_alpha_3x15"]["expected"].items():
        assert _same(shell.run("agreement", "--study", "wikipedia", "--level", level)["krippendorff_alpha"], alpha)

    shell.bring("easy", _triples(published["nltk_easy"]))
    alpha = published["nltk_easy"]["expected"]["krippendorff_alpha_nominal"]
    assert _same(shell.run("agreement", "--study", "easy")["krippendorff_alpha"], alpha)

    shell.bring("perfect", _triples(published["perfect"]))
    found = shell.run("agreement", "--study", "perfect")
    assert {name: found[name] for name in published["perfect"]["expected"]} == published["perfect"]["expected"]


def test_the_kappas_of_tables_with_their_errors(shell: Shell, published: dict[str, Any]) -> None:
    counts = published["fleiss_wikipedia"]["counts_units_by_categories"]
    said = [[category for category, number in enumerate(row) for _ in range(number)] for row in counts]
    shell.bring("fleiss", _labels([list(column) for column in zip(*said, strict=True)]))
    assert round(shell.run("agreement", "--study", "fleiss")["fleiss_kappa"], 3) == 0.21

    table, expected = published["sas_3x3"]["table"], published["sas_3x3"]["expected"]
    cells = [(a, b) for a, row in enumerate(table) for b, number in enumerate(row) for _ in range(number)]
    shell.bring("sas", _labels([[a for a, _ in cells], [b for _, b in cells]]))
    found = shell.run("agreement", "--study", "sas")
    (pair,) = found["pairs"]
    assert _same(found["cohen_kappa"], expected["cohen_kappa"])
    assert _same(found["weighted_kappa"]["linear"], expected["linear_weighted_kappa"])
    assert [name for name in ("ase", "ase_h0", "z") if not _same(pair["cohen_error"][name], expected[name])] == []
    for error, name in (("cohen_error", "ci95"), ("linear_error", "linear_ci95")):
        assert [round(pair[error][end], 4) for end in ("low", "high")] == expected[name]


def test_the_abilities_of_four_journals(shell: Shell, published: dict[str, Any]) -> None:
    example = published["citations_bradley_terry"]
    names, matrix = example["names"], example["matrix_row_cited_by_col"]
    lines = [
        {"models": [names[i], names[j]], "choice": "a"}
        for i in range(4) for j in range(4) if i != j for _ in range(matrix[i][j])
    ]  # fmt: skip
    shell.bring("journals", lines)

    found = shell.run("leaderboard", "--study", "journals")

    strength = {model["name"]: model["strength"] for model in found["models"]}
    expected = example["expected"]["log_ability_ref_Biometrika"]
    assert {name: round(strength[name] - strength["Biometrika"], 4) for name in expected} == expected
    assert _same(found["fit"]["deviance"], example["expected"]["residual_deviance"])
