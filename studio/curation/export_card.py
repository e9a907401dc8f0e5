"""The data card of an exported dataset: what the Hub shows, and what anybody should know before they train on it.

The text is made from facts alone, without the store and without the network. Names come from people and files, so
they are escaped: a name never becomes a link, a heading or a cell.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_TASKS: Mapping[str, str] = {
    "sft": "text-generation",
    "preference": "text-generation",
    "prompts": "text-generation",
    "text": "text-generation",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:@]|^-)")


class Origin(NamedTuple):
    """Where examples came from. `licence`: as its publisher says it, None where nobody said."""

    name: str
    rows: int
    day: str
    licence: str | None = None


class Found(NamedTuple):
    """What a check found."""

    check: str
    severity: str
    examples: int


@dataclass(frozen=True)
class Facts:
    """What a card says. `splits`: rows by name of the split; `files`: their paths. `findings` None: never checked.

    `labelled`: sentences about how the rows were made and judged. `dropped`: examples left out, by reason.
    """

    name: str
    kind: str
    format: str
    splits: Mapping[str, int]
    files: Mapping[str, str]
    description: str = ""
    licence: str = "unknown"
    version: str | None = None
    policies: Sequence[str] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    origins: Sequence[Origin] = ()
    findings: Sequence[Found] | None = None
    languages: Sequence[str] = ()
    labelled: Sequence[str] = ()


def data_card(facts: Facts) -> str:
    """The card as Markdown with the Hub's YAML above it."""
    parts = [
        f"# {plain(facts.name)}",
        plain(facts.description) if facts.description.strip() else "",
        _counts(facts),
        _origins(facts),
        _labelled(facts),
        _findings(facts),
        "Made with Ratchet.",
    ]
    card = f"---\n{header(facts)}---\n\n" + "\n\n".join(part for part in parts if part) + "\n"
    return card.encode("utf-8", "replace").decode()  # half characters, which no file holds


def header(facts: Facts) -> str:
    """The YAML that the Hub reads, written by the Hub's own class."""
    from huggingface_hub import DatasetCardData

    known = [code for code in facts.languages if re.fullmatch("[a-z]{2,3}", code)]
    configs: list[dict[str, Any]] = [
        {
            "config_name": "default",
            "data_files": [{"split": split, "path": path} for split, path in facts.files.items()],
        }
    ]
    data = DatasetCardData(
        pretty_name=facts.name, license=facts.licence, language=known or None, size_categories=_size(facts),
        task_categories=[_TASKS[facts.kind]], tags=["ratchet", facts.kind, facts.format], configs=configs,
    )  # fmt: skip
    return f"{data.to_yaml(line_break=None)}\n"


def _size(facts: Facts) -> str:
    rows = sum(facts.splits.values())
    return next((name for limit, name in _SIZES if rows < limit), "n>10M")


def _counts(facts: Facts) -> str:
    rows = sum(facts.splits.values())
    lines = ["## What is in it", "", f"{_count(rows, 'row')} in the format `{facts.format}`."]
    if facts.version:
        lines[-1] += f" They are version {plain(facts.version)} of the dataset."
    lines += ["", *table(("Split", "Rows"), [(split, f"{count:,}") for split, count in facts.splits.items()])]
    if "test" in facts.splits:
        lines += ["", "The split is by prompt and fixed by its hash: no prompt is in both, and rows keep their side."]
    if facts.policies:
        lines += ["", f"What went in: {', '.join(facts.policies)}."]
    if facts.dropped:
        left = [(reason, f"{count:,}") for reason, count in sorted(facts.dropped.items())]
        lines += ["", "Left out:", "", *table(("Why", "Examples"), left)]
    return "\n".join(lines)


def _origins(facts: Facts) -> str:
    lines = ["## Sources and licences", ""]
    if facts.origins:
        rows = [(one.name, f"{one.rows:,}", one.day, one.licence or "not stated") for one in facts.origins]
        lines += table(("Source", "Rows at first", "Imported", "Licence"), rows)
    else:
        lines += ["Nothing was imported: the rows were written or judged in Ratchet."]
    if facts.licence == "unknown":
        lines += ["", "Nobody has stated a licence for the whole. Ask before you use it."]
    return "\n".join(lines)


def _labelled(facts: Facts) -> str:
    lines = ["## How it was made", ""]
    lines += [f"- {plain(sentence)}" for sentence in facts.labelled]
    if facts.statuses:
        said = ", ".join(f"{count:,} {status}" for status, count in facts.statuses.items() if count)
        lines += [f"- Status of the examples in the dataset: {said}."]
    return "\n".join(lines) if len(lines) > 2 else ""


def _findings(facts: Facts) -> str:
    lines = ["## What checks found", ""]
    if facts.findings is None:
        return "\n".join([*lines, "The dataset was not checked."])
    if not facts.findings:
        return "\n".join([*lines, "The checks found nothing."])
    rows = [(found.check, found.severity, f"{found.examples:,}") for found in facts.findings]
    return "\n".join([*lines, "Counted over the whole dataset, what was left out included.", "",
                      *table(("Check", "Severity", "Examples"), rows)])  # fmt: skip


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown; every cell is plain text."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows)]


def plain(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
