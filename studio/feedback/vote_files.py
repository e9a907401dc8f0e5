"""Votes in and out of files: one vote, label or record of another's shape a line (or an element, or a row).

Reading a file twice changes nothing: a line's own id says which vote it is, and a line without one gets an id from its
content and from how many equal lines stand above it, so that a log that has grown can be read again.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from storage.comparisons import create_study, get_study
from storage.errors import BadInput, NotFound
from storage.judgements import labels
from storage.rows import Study
from storage.store import Store
from studio.feedback.vote_intake import Intake
from studio.feedback.vote_lines import LabelLine, VoteLine, read_record, write_line
from studio.feedback.vote_outlet import vote_lines
from studio.feedback.vote_records import Unreadable, records
from studio.feedback.vote_shapes import Reject

_LISTED = 100
_AT_ONCE = 500  # lines a transaction: short enough that people go on voting meanwhile


class Rejected(NamedTuple):
    """A line that was not taken."""

    line: int
    column: str | int
    message: str


@dataclass
class Imported:
    """What an import did with each line."""

    study: str
    imported: int = 0
    duplicates: int = 0
    rejected: int = 0
    labels: int = 0
    """Of those imported, how many were labels."""

    errors: list[Rejected] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        return {
            "study": self.study,
            "imported": self.imported,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "labels": self.labels,
            "errors": [error._asdict() for error in self.errors],
        }


@dataclass(frozen=True)
class Exported:
    """The lines of an export, and the file that they went to."""

    study: str
    lines: list[str]
    path: Path | None

    def to_json(self) -> dict[str, Any]:
        """How many, and where; the lines themselves where there is no file."""
        counted = {"study": self.study, "votes": len(self.lines)}
        return {**counted, "path": str(self.path)} if self.path else {**counted, "lines": self.lines}


class _Numbered(NamedTuple):
    """A good line, its number, and the id that it has or gets."""

    number: int
    line: VoteLine | LabelLine
    id: str


def import_votes(store: Store, path: Path, study: str) -> Imported:
    """Read votes and labels into a study, which is made if absent; bad lines are counted and named.

    Raises NotFound or BadInput where the file cannot be read at all; then nothing is imported.
    """
    report = Imported(study)
    good = list(_read(path, report))
    if not good and not report.rejected:
        raise BadInput(f'"{path.name}" is empty; give a JSONL file with one vote a line.')
    if good:
        intake = Intake(store, _study(store, study))
        for start in range(0, len(good), _AT_ONCE):
            with store.write():
                for one in good[start : start + _AT_ONCE]:
                    _take(intake, one, report)
    return report


def export_votes(store: Store, study: str, out: Path | None = None, with_skips: bool = False) -> Exported:
    """Write a study's votes that count, and its labels, to a file, or return the lines."""
    chosen = get_study(store, study)
    found: list[VoteLine | LabelLine] = [*vote_lines(store, chosen, with_skips)]
    found += [LabelLine(row.item, row.annotator, row.label) for row in labels(store, chosen.id)]
    lines = [write_line(line) for line in found]
    if out is not None:
        try:
            out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise BadInput(f'"{out}" cannot be written: {error.strerror}.') from error
    return Exported(chosen.name, lines, out)


def _read(path: Path, report: Imported) -> Iterator[_Numbered]:
    """The good votes of a file; bad records go into the report."""
    seen = Counter[str]()
    for record in records(path):
        if isinstance(record, Unreadable):
            _reject(report, record.line, record.reject)
            continue
        try:
            lines = read_record(record.text)
        except Reject as reject:
            _reject(report, record.line, reject)
            continue
        made = _made_id(record.text, seen)
        for place, line in enumerate(lines):
            identity = line.id if isinstance(line, VoteLine) else None
            yield _Numbered(record.line, line, identity or (f"{made}-{place}" if place else made))


def _made_id(raw: bytes, seen: Counter[str]) -> str:
    """An id for a line without one: its content, and how many equal lines came before."""
    digest = hashlib.sha256(raw.strip()).hexdigest()
    seen[digest] += 1
    return f"{digest[:32]}-{seen[digest]}"


def _study(store: Store, name: str) -> Study:
    try:
        return get_study(store, name)
    except NotFound:
        return create_study(store, name, [], None)


def _take(intake: Intake, one: _Numbered, report: Imported) -> None:
    """Store one line and count it."""
    if isinstance(one.line, LabelLine):
        new = intake.label(one.line)
        report.labels += new
    else:
        new = intake.vote(one.line, one.id)
    report.imported += new
    report.duplicates += not new


def _reject(report: Imported, line: int, reject: Reject) -> None:
    report.rejected += 1
    if len(report.errors) < _LISTED:
        report.errors.append(Rejected(line, reject.column, f"{reject.message}."))
