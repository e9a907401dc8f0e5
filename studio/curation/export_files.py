"""The files that records go into: JSON lines, one JSON list, Parquet, and CSV for spreadsheets; each row by row."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Protocol, cast

from studio.curation.export_chats import Dropped
from studio.curation.export_formats import Columns, Target
from studio.curation.reports import json_line
from studio.curation.table_rows import FORMULA_SIGNS

_GROUP = 2_000  # rows of a Parquet group: what is held in memory, and what a reader skips by
_GROUP_CHARS = 64_000_000
_HALF = "half a character that no text file can hold"


class Writer(Protocol):
    """What puts records into a file."""

    def write(self, record: Mapping[str, Any]) -> None:
        """One record; raises Dropped where the file cannot hold it."""

    def close(self) -> None:
        """What stands at the end of the file."""


@contextmanager
def writing(file: BinaryIO, target: Target) -> Iterator[Writer]:
    """A writer of the target's container into an open file; what belongs to the end is written at the end."""
    packed = cast(BinaryIO, gzip.GzipFile("", "wb", 6, file, mtime=0)) if target.packed else file
    writer = _writer(packed, target)
    try:
        yield writer
        writer.close()
    finally:
        if target.packed:
            packed.close()


def _writer(file: BinaryIO, target: Target) -> Writer:
    if target.container == "csv":
        return _Table(file, target.format.flat_columns)
    if target.container == "parquet":
        return _Parquet(file, target.format.columns)
    return _Array(file) if target.container == "json" else _Lines(file)


class _Lines:
    """JSON lines."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def write(self, record: Mapping[str, Any]) -> None:
        """One line."""
        self.file.write(json_line(record))

    def close(self) -> None:
        """Nothing stands at the end."""


class _Array:
    """One JSON list, a record a line."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.before = b"[\n"

    def write(self, record: Mapping[str, Any]) -> None:
        """One element."""
        self.file.write(self.before + json_line(record).rstrip(b"\n"))
        self.before = b",\n"

    def close(self) -> None:
        """The end of the list."""
        self.file.write(b"\n]\n" if self.before != b"[\n" else b"[]\n")


class _Table:
    """CSV for spreadsheets: with a byte order mark, all cells quoted, none of them run as a formula."""

    def __init__(self, file: BinaryIO, columns: Sequence[str]) -> None:
        self.file = file
        self.columns = columns
        file.write(b"\xef\xbb\xbf")
        self._row(columns)

    def write(self, record: Mapping[str, Any]) -> None:
        """One row; raises Dropped for signs that a table cannot hold."""
        if any("\0" in value for value in record.values() if isinstance(value, str)):
            raise Dropped("a NUL character")
        self._row([cell(record.get(name)) for name in self.columns])

    def _row(self, cells: Sequence[str]) -> None:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
        try:
            self.file.write(text.getvalue().encode())
        except UnicodeEncodeError:
            raise Dropped(_HALF) from None

    def close(self) -> None:
        """Nothing stands at the end."""


def cell(value: Any) -> str:
    """A cell that a spreadsheet shows and does not run; reading takes the apostrophe away again."""
    if isinstance(value, bool | int | float):
        return json.dumps(value)  # a number is no formula, and no program takes "'-1" for one
    text = ", ".join(value) if isinstance(value, list | tuple) else str(value or "")
    return f"'{text}" if text[:1] in (*FORMULA_SIGNS, "'") and text else text


class _Parquet:
    """Parquet, a group of rows at a time."""

    def __init__(self, file: BinaryIO, columns: Columns) -> None:
        from pyarrow import parquet

        self.columns = columns
        self.schema = _schema(columns)
        self.rows: list[dict[str, Any]] = []
        self.chars = 0
        self.file = parquet.ParquetWriter(cast(IO[bytes], file), self.schema, compression="zstd")

    def write(self, record: Mapping[str, Any]) -> None:
        """One row; raises Dropped for half characters, for which UTF-8 has no bytes."""
        row = {name: _parquet_value(record.get(name), type_) for name, type_ in self.columns.items()}
        text = json.dumps(row, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Dropped(_HALF) from None
        self.rows.append(row)
        self.chars += len(text)
        if len(self.rows) >= _GROUP or self.chars >= _GROUP_CHARS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow

        if self.rows:
            self.file.write_table(pyarrow.Table.from_pylist(self.rows, schema=self.schema))
        self.rows, self.chars = [], 0

    def close(self) -> None:
        """The last group, and the table of contents."""
        self._flush()
        self.file.close()


def _parquet_value(value: Any, type_: str) -> Any:
    """A value as its column holds it."""
    if value is None or type_ not in ("json", "number"):
        return value
    return float(value) if type_ == "number" else json.dumps(value, ensure_ascii=False)


def _schema(columns: Columns) -> Any:
    """Arrow's types of the columns."""
    import pyarrow as pa

    text = pa.string()
    call = pa.struct({"id": text, "type": text, "function": pa.struct({"name": text, "arguments": text})})
    beside = {"name": text, "tool_call_id": text, "reasoning_content": text}
    messages = pa.list_(pa.struct({"role": text, "content": text, "tool_calls": pa.list_(call), **beside}))
    answer = {"messages": messages, "rank": pa.int64(), "score": pa.float64(), "model": text}
    types = {
        "text": text, "json": text, "number": pa.float64(), "bool": pa.bool_(), "tags": pa.list_(text),
        "messages": messages, "turns": pa.list_(pa.struct({"from": text, "value": text, **beside})),
        "pairs": pa.list_(pa.list_(text)),
        "answers": pa.list_(pa.struct(answer)),
    }  # fmt: skip
    return pa.schema([(name, types[type_]) for name, type_ in columns.items()])
