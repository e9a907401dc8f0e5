"""Examples become a file: in a chosen format, whole or not at all, with a count of what the format cannot hold."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from storage import datasets, examples, versions
from storage.errors import BadInput, NotReady
from storage.rows import Dataset
from storage.store import Store
from studio.curation.export_formats import FORMATS, Dropped
from studio.curation.reports import json_line
from studio.curation.tables import FORMULA_SIGNS

_PAGE = 500
_COLUMNS = ("system", "prompt", "completion", "tags")
POLICIES: Mapping[str, str] = {"all": "every example that is not deleted"}


@dataclass(frozen=True)
class ExportReport:
    """What was written: `rows` in the file, and how many examples were left out for which reason."""

    dataset: str
    format: str
    rows: int
    dropped: dict[str, int]
    path: str
    sha256: str
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """The keys of the command line."""
        return asdict(self)


class Stored(NamedTuple):
    """An example on its way out."""

    content: dict[str, Any]
    tags: list[str]


class _Writer(Protocol):
    """What puts records into a file."""

    def write(self, record: Mapping[str, Any]) -> None:
        """One record."""


def export(
    store: Store,
    name: str,
    *,
    version: int | str | None = None,
    format: str,
    out: Path | str,
    policy: str | None = None,
) -> ExportReport:
    """Write a dataset, or one of its frozen versions, to a file.

    Raises BadInput for an unknown format or policy, NotFound for an unknown dataset or version, NotReady where the
    file cannot be written.
    """
    if format not in FORMATS:
        raise BadInput(f'"{format}" is no export format; the formats are {", ".join(FORMATS)}.')
    if policy is not None and policy not in POLICIES:
        raise BadInput(f'"{policy}" is no policy for a dataset; the policies are {", ".join(POLICIES)}.')
    dataset = datasets.get_dataset(store, name)
    stored = _frozen(store, dataset, version) if version is not None else _current(store, dataset)
    target = Path(out).expanduser()
    neighbour = target.with_name(f".{target.name}.new")
    try:
        with neighbour.open("wb") as file:
            rows, dropped = _write(file, stored, format)
        sha256 = hashlib.sha256()
        with neighbour.open("rb") as file:
            while block := file.read(1 << 20):
                sha256.update(block)
        size = neighbour.stat().st_size
        neighbour.replace(target)
    except OSError as error:
        raise NotReady(f'The file "{target}" cannot be written: {error.strerror}.') from error
    finally:
        neighbour.unlink(missing_ok=True)
    return ExportReport(dataset.name, format, rows, dict(dropped), str(target), sha256.hexdigest(), size)


def _write(file: BinaryIO, stored: Iterator[Stored], format_: str) -> tuple[int, Counter[str]]:
    """Write what fits; how many rows that were, and what was left out."""
    rows, dropped = 0, Counter[str]()
    writer: _Writer = _Table(file) if format_ == "csv" else _Lines(file)
    for item in stored:
        try:
            record = FORMATS[format_](item.content)
            writer.write({**record, "tags": item.tags} if item.tags else record)
            rows += 1
        except Dropped as reason:
            dropped[str(reason)] += 1
    return rows, dropped


def _current(store: Store, dataset: Dataset) -> Iterator[Stored]:
    """The examples as they stand, page by page."""
    offset = 0
    while found := examples.page(store, dataset.id, examples.Query(limit=_PAGE, offset=offset)).examples:
        yield from (Stored(item.content, item.tags) for item in found)
        offset += _PAGE


def _frozen(store: Store, dataset: Dataset, reference: int | str) -> Iterator[Stored]:
    """The examples of a frozen version, by number or id."""
    by_number = isinstance(reference, int) or reference.isdigit()
    version = versions.numbered(store, dataset, int(reference)) if by_number else versions.get_version(
        store, str(reference)
    )  # fmt: skip
    for row in versions.contents(store, version):
        yield Stored(json.loads(row["content"]), json.loads(row["tags"]))


class _Lines:
    """JSONL."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, record: Mapping[str, Any]) -> None:
        """One line."""
        self.file.write(json_line(record))


class _Table:
    """CSV for spreadsheets: with a byte order mark, all cells quoted, none of them run as a formula."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        file.write(b"\xef\xbb\xbf")
        self._row(_COLUMNS)

    def write(self, record: Mapping[str, Any]) -> None:
        """One row; raises Dropped for signs that a table cannot hold."""
        if any("\0" in str(value) for value in record.values()):
            raise Dropped("a NUL character")
        self._row([_cell(record.get(name)) for name in _COLUMNS])

    def _row(self, cells: Sequence[str]) -> None:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
        try:
            self.file.write(text.getvalue().encode())
        except UnicodeEncodeError:
            raise Dropped("half a character that no text file can hold") from None


def _cell(value: Any) -> str:
    """A cell that a spreadsheet shows and does not run; reading takes the apostrophe away again."""
    text = ", ".join(value) if isinstance(value, list) else str(value or "")
    return f"'{text}" if text[:1] in (*FORMULA_SIGNS, "'") and text else text
