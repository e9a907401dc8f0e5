"""Records of a source become rows for the store, one by one; what cannot become one is noted with the reason."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from storage.contents import prepared, words_of
from storage.search import spaced
from studio.curation import plain_rows
from studio.curation.examples import Made
from studio.curation.import_writer import CHUNK, Row
from studio.curation.lines import decode
from studio.curation.records import Fault, Item, Record, RowError, Source
from studio.curation.reports import ERROR_KEY, RAW_KEY, ImportFault, ImportReport, RejectedFile
from studio.curation.shapes import Recognised

# Bytes of the file that are held at a time: a thousand rows may be a thousand times ten megabytes.
_CHUNK_BYTES = 16_000_000


class Good(NamedTuple):
    """A record that became rows, and how many records of the file it stands for."""

    rows: list[Row]
    records: int


def chunks(items: Iterator[Item], source: Source) -> Iterator[list[Item]]:
    """Records in chunks: at most a thousand, and fewer where they are large."""
    chunk: list[Item] = []
    begun = source.position.done
    for item in items:
        chunk.append(item)
        if len(chunk) == CHUNK or source.position.done - begun > _CHUNK_BYTES:
            yield chunk
            chunk, begun = [], source.position.done
    if chunk:
        yield chunk


class RowMaker:
    """Makes rows of one file's records; counts and keeps the rejected ones."""

    def __init__(self, recognised: Recognised, report: ImportReport, rejected: RejectedFile) -> None:
        self.recognised = recognised
        self.report = report
        self.rejected = rejected
        self._plain = recognised.kind == "sft" and recognised.shape.name == "messages"

    def good(self, chunk: Sequence[Item]) -> Iterator[Good]:
        """The records of a chunk that became rows."""
        for item in chunk:
            if isinstance(item, Fault):
                self._reject(item.raw, ImportFault(item.line, item.column, item.message))
            elif item.plain and self._plain:
                yield Good([plain_rows.row_of(item.value)], 1)
            elif (found := self._made(item)) is not None:
                yield Good([row_of(made) for made in found], item.records)

    def _made(self, item: Record) -> list[Made] | None:
        """The examples of a record; None where it was rejected."""
        try:
            return self.recognised.make(bare(item.value))
        except RowError as error:
            fault = ImportFault(item.line, error.column or None, error.message)
            self._reject(item.value, fault, item.records)
        except RecursionError:
            self._reject(None, ImportFault(item.line, None, "The row is nested too deeply."), item.records)
        return None

    def _reject(self, record: Any, fault: ImportFault, count: int = 1) -> None:
        self.report.read += count
        self.report.rejected += count
        self.report.note(*fault)
        self.rejected.write(record, fault)


def row_of(made: Made) -> Row:
    """An example ready for the store, by the ordinary road."""
    return Row(prepared(made.content, made.tags), spaced(words_of(made.content)))


def bare(value: Any) -> Any:
    """A record without what a file of rejected rows adds, a bare text as a row of text."""
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, dict) and ERROR_KEY in value:
        value = {key: item for key, item in value.items() if key != ERROR_KEY}
        if value.keys() == {RAW_KEY} and isinstance(value[RAW_KEY], str):
            try:
                return decode(value[RAW_KEY])
            except (ValueError, RecursionError):
                return value
    return value
