"""What an import says about itself (DESIGN section 4.2), and the file of rows that could not be imported."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from storage.clock import new_id
from storage.home import Home
from studio.curation.records import Column

ERRORS_LISTED = 100
# A rejected row carries its error under this key; importing a mended file passes over it.
ERROR_KEY = "_error"
# A row that could not even be decoded is kept as text under this key.
RAW_KEY = "_raw"


class ImportFault(NamedTuple):
    """Why a row was rejected. `line`: of the file (None where the whole file is meant); `column`: see `Column`."""

    line: int | None
    column: Column
    message: str


@dataclass
class ImportReport:
    """The outcome of one file: `read = imported + duplicates + rejected`."""

    file: str
    dataset: str
    kind: str | None = None
    format: str | None = None
    shape: str | None = None
    encoding: str | None = None
    read: int = 0
    imported: int = 0
    duplicates: int = 0
    rejected: int = 0
    made: int = 0
    errors: list[ImportFault] = field(default_factory=list)
    rejected_file: str | None = None
    columns: list[str] | None = None
    sentence: str | None = None
    seconds: float = 0.0
    batch: str | None = None  # the change that holds the rows, to undo just that

    @property
    def ok(self) -> bool:
        """Whether the file had a good row (one that is there already counts)."""
        return self.imported + self.duplicates > 0

    def note(self, line: int | None, column: Column, message: str) -> None:
        """List an error, of the first hundred."""
        if len(self.errors) < ERRORS_LISTED:
            self.errors.append(ImportFault(line, column, message))

    def give_up(self, sentence: str, line: int | None = None, column: int | None = None) -> None:
        """Say of the whole file that nothing of it was imported, and why."""
        self.read = self.imported = self.duplicates = self.rejected = self.made = 0
        self.rejected_file = None
        self.errors = [ImportFault(line, column, sentence)]
        self.sentence = sentence

    def to_json(self) -> dict[str, Any]:
        """The keys of the command line; `columns` and `sentence` only where there is something to say."""
        said = asdict(self) | {"errors": [fault._asdict() for fault in self.errors], "ok": self.ok}
        return {
            key: value
            for key, value in said.items()
            if value is not None or key not in ("columns", "sentence", "batch")
        }


@dataclass(frozen=True)
class ImportReports:
    """The outcome of several files, in their order."""

    files: list[ImportReport]

    @property
    def ok(self) -> bool:
        """Whether any file had a good row."""
        return any(report.ok for report in self.files)

    def to_json(self) -> dict[str, Any]:
        """A list `files` of what a single import answers."""
        return {"files": [report.to_json() for report in self.files]}


def refused(files: Sequence[str], dataset: str, sentence: str) -> ImportReport | ImportReports:
    """The reports of files none of which was looked into, for a reason that stands against all of them."""
    reports = [ImportReport(file, dataset) for file in files]
    for report in reports:
        report.give_up(sentence)
    return reports[0] if len(reports) == 1 else ImportReports(reports)


class RejectedFile:
    """Rows that were rejected, as JSONL in `exports/`: to be mended and imported again. Made with the first row."""

    def __init__(self, home: Home, dataset: str) -> None:
        self.path: Path = home.exports / f"rejected-{dataset}-{new_id()}.jsonl"
        self.file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.file:
            self.file.close()
        if kind:
            self.path.unlink(missing_ok=True)

    @property
    def written(self) -> str | None:
        """The path, once a row was written."""
        return str(self.path) if self.file else None

    def write(self, record: Any, fault: ImportFault) -> None:
        """One row with its error."""
        self.file = self.file or self.path.open("wb")
        row = record if isinstance(record, dict) else {RAW_KEY: record}
        self.file.write(json_line({**row, ERROR_KEY: fault._asdict()}))


def json_line(value: Any) -> bytes:
    """One line of JSONL, readable as it stands; escaped where a lone surrogate cannot be written as UTF-8."""
    try:
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(value).encode() + b"\n"
