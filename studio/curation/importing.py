"""Files become examples: recognised, validated row by row, written under one batch, seen whole or not at all.

Rows go in by transactions of at most a thousand under a batch that nobody sees; one last commit publishes it, and
with it the dataset where that is new. An exception, a cancel or a kill before that leaves nothing to be seen.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from storage import datasets
from storage.errors import BadInput, Conflict, NotFound, RatchetError
from storage.models import checked_name
from storage.rows import KINDS, Dataset
from storage.store import Store
from studio.curation.archives import is_several, members
from studio.curation.encodings import checked_encoding
from studio.curation.import_rows import Good, RowMaker, bare, chunks
from studio.curation.import_writer import ImportWriter, Row, unhurried
from studio.curation.mapping import SHAPES, check_columns, mapped_shape
from studio.curation.reading import open_source
from studio.curation.records import Item, Record, Source, Unreadable
from studio.curation.reports import ImportReport, ImportReports, RejectedFile
from studio.curation.shapes import Recognised, Shape, columns_of, recognise

# So many records are looked at before the shape of a file is decided.
SAMPLE = 100
# So many damaged ones may stand before the first good one.
_MOST_DAMAGED = 10_000

# Called with the fraction done and a sentence; answers True where somebody asked to stop.
Progress = Callable[[float, str], bool | None]


class Stopped(RatchetError):
    """Somebody asked to stop; nothing was imported."""

    kind = "stopped"


class Upload(NamedTuple):
    """A file to import and the name that the person gave it."""

    path: Path
    name: str


@dataclass(frozen=True)
class Wish:
    """What the person asked for beside the files."""

    dataset: str
    kind: str | None = None
    mapping: Mapping[str, str] | None = None
    author: str = "me"
    encoding: str | None = None


def import_files(
    store: Store,
    paths: Sequence[Path | str | Upload],
    dataset: str,
    *,
    kind: str | None = None,
    mapping: Mapping[str, str] | None = None,
    author: str = "me",
    progress: Progress | None = None,
    encoding: str | None = None,
) -> ImportReport | ImportReports:
    """Import files into a dataset, which is made if absent; several files give a report of reports.

    `encoding`: how the files' text is written, where a person knows better than the detection.
    A file that cannot be read or has no known shape imports nothing and says why in its report. Raises NotFound for
    a path that is no file, BadInput for a mapping or name that cannot be, Conflict where the dataset is of another
    kind, Stopped where `progress` answered True.
    """
    if kind is not None and kind not in KINDS:
        raise BadInput(f'A dataset\'s kind is one of {", ".join(KINDS)}, not "{kind}".')
    checked_name(dataset)
    uploads = [item if isinstance(item, Upload) else Upload(Path(item), Path(item).name) for item in paths]
    for upload in uploads:
        if not upload.path.is_file():
            raise NotFound(f'There is no file "{upload.path}".')
    wish = Wish(dataset, kind, mapping, author, encoding and checked_encoding(encoding))
    shape = mapped_shape(mapping) if mapping else None
    reports = []
    with ExitStack() as stack:
        files = [file for upload in uploads for file in _taken_apart(upload, stack)]
        for number, upload in enumerate(files):
            try:
                reports.append(_import_one(store, upload, wish, shape, _part(progress, number, len(files))))
            except (BadInput, Conflict) as error:
                if len(files) == 1:
                    raise
                # One file among several speaks for itself: the others are, or will be, imported.
                reports.append(ImportReport(upload.name, dataset))
                reports[-1].give_up(str(error))
    return reports[0] if len(reports) == 1 else ImportReports(reports)


def _taken_apart(upload: Upload, stack: ExitStack) -> list[Upload]:
    """The files in a ZIP archive, unpacked until the stack ends; any other file, and a bad archive, as it is."""
    if not is_several(upload.path):
        return [upload]
    try:
        return [Upload(*member) for member in stack.enter_context(members(upload.path, upload.name))]
    except Unreadable:
        return [upload]  # opening it will tell why


def _part(progress: Progress | None, number: int, count: int) -> Progress:
    """The progress of one file among several."""

    def said(fraction: float, sentence: str) -> bool | None:
        return progress((number + fraction) / count, sentence) if progress else None

    return said


def _import_one(store: Store, upload: Upload, wish: Wish, shape: Shape | None, progress: Progress) -> ImportReport:
    """Import one file; what makes the whole file unreadable becomes its report's only error."""
    begun = monotonic()
    report = ImportReport(upload.name, wish.dataset)
    try:
        with open_source(upload.path, upload.name, encoding=wish.encoding) as source:
            report.format, report.encoding = source.format, source.encoding
            head = _head(source.items)
            recognised = _recognised(head, wish, shape, report)
            report.columns = report.columns or (None if recognised else source.header)
            if recognised:
                report.kind = recognised.kind
                report.shape = recognised.shape.name if any(isinstance(item, Record) for item in head) else None
                _Import(store, wish, recognised, report, progress).run(chain(head, source.items), source)
                if not report.ok:
                    report.sentence = f"None of the {report.read:,} rows of this file can be imported."
    except Unreadable as error:
        report.give_up(str(error), error.line, error.column)
    report.seconds = round(monotonic() - begun, 3)
    return report


def _head(items: Iterator[Item]) -> list[Item]:
    """The first records; where they are all damaged, as many more as it takes to meet one that tells the shape."""
    head = list(islice(items, SAMPLE))
    while head and len(head) < _MOST_DAMAGED and not any(isinstance(item, Record) for item in head[-SAMPLE:]):
        more = list(islice(items, SAMPLE))
        if not more:
            break
        head += more
    return head


def _recognised(head: list[Item], wish: Wish, shape: Shape | None, report: ImportReport) -> Recognised | None:
    """The shape of the file, or None with the reason in the report."""
    rows = [bare(item.value) for item in head if isinstance(item, Record)]
    if shape:
        check_columns(wish.mapping or {}, columns_of(rows))
        return recognise(rows, [shape], wish.kind)
    found = recognise(rows, SHAPES, wish.kind)
    if found is None and head and not rows:
        # Not one of the first rows can be decoded: that is what the person must know.
        return Recognised(SHAPES[0], wish.kind or "sft", SHAPES)
    if found is None:
        report.columns = columns_of(rows)
        report.give_up(_no_shape(rows, report.columns))
    return found


def _no_shape(rows: Sequence[Any], columns: Sequence[str]) -> str:
    """Why a file has no known shape."""
    if not rows:
        return "The file has no known shape: it has no rows."
    if not columns:
        return (
            "The file has no known shape: its rows are no objects with named fields, "
            "so nothing says what is prompt and what is answer."
        )
    return (
        f"The file has no known shape. Its columns are {', '.join(columns[:30])}; "
        "say which one holds what (prompt, answer, system, chosen, rejected, text or messages)."
    )


class _Import:
    """One file on its way into the store."""

    def __init__(
        self, store: Store, wish: Wish, recognised: Recognised, report: ImportReport, progress: Progress
    ) -> None:
        self.store = store
        self.wish = wish
        self.recognised = recognised
        self.report = report
        self.progress = progress

    def run(self, items: Iterator[Item], source: Source) -> None:
        """Write all rows and publish them, or nothing."""
        with (
            RejectedFile(self.store.home, self.wish.dataset) as rejected,
            unhurried(self.store),
            ImportWriter(self.store, self._dataset(), self.wish.author, self.report.file) as writer,
        ):
            maker = RowMaker(self.recognised, self.report, rejected)
            for chunk in chunks(items, source):
                self._write(writer, list(maker.good(chunk)))
                said = f"{self.report.read:,} rows read, {self.report.imported:,} new"
                if self.progress(min(source.position.fraction, 0.99), said):
                    raise Stopped(f'The import of "{self.report.file}" was stopped; nothing of it was imported.')
            self.report.rejected_file = rejected.written
            if self.report.imported:
                self._publish(writer)

    def _dataset(self) -> Dataset:
        """The dataset to import into; raises Conflict where it holds another kind."""
        found = datasets.find_dataset(self.store, self.wish.dataset)
        if found is None:
            return datasets.begin_dataset(self.store, self.recognised.kind)
        if found.kind != self.recognised.kind:
            raise Conflict(
                f'Dataset "{found.name}" holds {found.kind} rows and "{self.report.file}" has '
                f"{self.recognised.kind} rows; import it into another dataset."
            )
        return found

    def _write(self, writer: ImportWriter, good: Sequence[Good]) -> None:
        """Write what is not there yet; a record all of whose rows are there is a duplicate."""
        new = iter(writer.are_new([row for record in good for row in record.rows]))
        fresh: list[Row] = []
        for record in good:
            before = len(fresh)
            fresh += [row for row in record.rows if next(new)]
            self.report.read += record.records
            if len(fresh) > before:
                self.report.imported += record.records
            else:
                self.report.duplicates += record.records
        writer.write(fresh)
        self.report.made += len(fresh)

    def _publish(self, writer: ImportWriter) -> None:
        """Let the rows be seen."""
        count = self.report.made
        rows = "1 row" if count == 1 else f"{count:,} rows"
        label = f"imported {rows} from {self.report.file}"
        writer.publish(self.wish.dataset, {"label": label, "file": self.report.file, "rows": count})
        self.report.batch = str(writer.batch.id)
