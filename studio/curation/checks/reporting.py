"""What the checks found in a dataset, for people and programs: counts, explanations, what can be mended."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from storage import findings
from storage.datasets import count_examples
from storage.rows import Dataset
from storage.settling import settle
from storage.store import Store
from studio.curation.checks import registry, whole
from studio.curation.checks.check import Check

_WORST_FIRST = ("error", "warning", "info")


class Line(NamedTuple):
    """One check with what it found. `state`: done, outdated (something changed since), or not run.

    `examples`: the first 1,000 of `rows`. `measured`: what a check of the whole dataset measured.
    """

    check: Check
    rows: int
    examples: list[str]
    state: str
    measured: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The names that the command line prints."""
        check = self.check
        return {
            "check": check.name,
            "severity": check.severity,
            "count": self.rows,
            "examples": self.examples,
            "title": check.title,
            "explanation": check.meaning,
            "advice": check.advice,
            "mendable": check.mend is not None,
            "mend_label": check.mend_label or None,
            "state": self.state,
            "measured": dict(self.measured),
        }


class Report(NamedTuple):
    """All checks of a dataset. `unchecked`: rows that the checks of single rows have not seen as they stand.

    `languages`: rows by language, where that is sure.
    """

    dataset: Dataset
    rows: int
    unchecked: int
    lines: list[Line]
    languages: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """`findings` has what was found, the worst first; `checks` every check."""
        found = sorted(
            (line for line in self.lines if line.rows), key=lambda line: _WORST_FIRST.index(line.check.severity)
        )
        return {
            "dataset": self.dataset.name,
            "rows": self.rows,
            "unchecked": self.unchecked,
            "languages": self.languages,
            "findings": [line.to_json() for line in found],
            "checks": [{key: value for key, value in line.to_json().items() if key != "examples"}
                       for line in self.lines],
        }  # fmt: skip


def report(store: Store, dataset: Dataset) -> Report:
    """What is known now; computes nothing."""
    settle(store, dataset.id)
    unchecked = findings.count_due(store, dataset.id, registry.suite(store))
    made = findings.concluded(store, dataset.id)
    now = findings.state_of(store, dataset.id)
    lines = []
    for check in registry.checks(store.home.path).values():
        if check.name in whole.OF_PREFERENCES and dataset.kind != "preference":
            continue
        tally = findings.tally(store, dataset.id, check.name)
        state = _state_of_rows(store, check, unchecked)
        if check.name in made:
            state = "done" if now in made[check.name].state.split("|") else "outdated"
        measured = made[check.name].detail if check.name in made else {}
        lines.append(Line(check, tally.total, tally.examples, state, measured))
    rows = count_examples(store, dataset.id)
    # As the check counted them: counting a million rows again would take a second at every look.
    languages = made["language"].detail["languages"] if "language" in made else {}
    return Report(dataset, rows, unchecked, lines, languages)


def _state_of_rows(store: Store, check: Check, unchecked: int) -> str:
    """Whether a check of single rows has seen all of them."""
    if check.find is None:
        return "not run"
    return "done" if not unchecked else "outdated"


def of_example(store: Store, key: int) -> list[dict[str, Any]]:
    """What was found in one example as it stands, with what it means."""
    known = registry.checks(store.home.path)
    return [
        {"check": item.check, "severity": item.severity, "title": known[item.check].title,
         "explanation": known[item.check].meaning, "mendable": known[item.check].mend is not None, **item.detail}
        for item in findings.of_example(store, key) if item.check in known
    ]  # fmt: skip
