"""The measurements are all there, take a trial run, and are held against scripts that know nothing of the project."""

import ast
from pathlib import Path

import pytest

from studio.measuring import benches

ROOT = Path(__file__).resolve().parent.parent.parent
BASELINES = sorted((ROOT / "bench" / "baselines").glob("*.py"))
OURS = {"studio", "storage", "trainers", "bench", "tests"}
PROMISED = {
    "start", "vote", "burst", "sidebyside", "train", "import", "browse", "neardup", "soak", "growth", "leaderboard",
    "effects", "page", "first_token", "button", "loop",
}  # fmt: skip


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("bench" if node.level else (node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", BASELINES, ids=lambda path: path.stem)
def test_a_baseline_imports_nothing_of_the_project(path: Path) -> None:
    assert _imported(path) & OURS == set()


@pytest.mark.parametrize("path", BASELINES, ids=lambda path: path.stem)
def test_a_baseline_runs_by_itself_and_says_how(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert path.name in (ast.get_docstring(tree) or "")


def test_every_measurement_that_was_promised_is_there() -> None:
    assert PROMISED - set(benches()) == set()


@pytest.mark.parametrize("name", benches())
def test_a_measurement_says_how_it_is_run_and_takes_a_trial_run(name: str) -> None:
    text = (ROOT / "bench" / f"{name}.py").read_text(encoding="utf-8")

    assert f"python -m bench.{name}" in (ast.get_docstring(ast.parse(text)) or "")
    assert '"--small"' in text
