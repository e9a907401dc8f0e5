"""Reads Parquet and Arrow (file and stream, as `datasets` writes it), a thousand rows at a time."""

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from studio.curation.records import Position, Record, Unreadable

_ROWS = 1000
# An Arrow stream begins with a mark and the length of the schema's message.
STREAM_MARK = b"\xff\xff\xff\xff"
# pandas keeps its index in a column of this name.
_INDEX = "__index_level_"


def read_parquet(path: Path, name: str, position: Position) -> Iterator[Record]:
    """The rows of a Parquet file; raises Unreadable."""
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(path)
        yield from _rows(table.iter_batches(batch_size=_ROWS), position, table.metadata.num_rows)
    except (pyarrow.ArrowException, OSError) as error:
        raise _broken(name, "Parquet", error) from error


def read_arrow(path: Path, name: str, position: Position) -> Iterator[Record]:
    """The rows of an Arrow file or stream; raises Unreadable."""
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as file:
            yield from _rows(_batches(file, path), position, None)
    except (pyarrow.ArrowException, OSError) as error:
        raise _broken(name, "Arrow", error) from error


def is_arrow_stream(path: Path) -> bool:
    """Whether a file that begins with a stream's mark has a schema behind it."""
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as file:
            pyarrow.ipc.open_stream(file)
    except (pyarrow.ArrowException, OSError):
        return False
    return True


def _batches(file: Any, path: Path) -> Iterator[Any]:
    """The batches of an Arrow file or stream."""
    import pyarrow

    with path.open("rb") as head:
        stream = head.read(6) != b"ARROW1"
    if stream:
        yield from pyarrow.ipc.open_stream(file)
        return
    reader = pyarrow.ipc.open_file(file)
    for number in range(reader.num_record_batches):
        yield reader.get_batch(number)


def _rows(batches: Iterator[Any], position: Position, total: int | None) -> Iterator[Record]:
    """The rows of all batches. A batch may be the whole table, so it is taken in slices."""
    number = 0
    for batch in batches:
        for begin in range(0, batch.num_rows, _ROWS):
            for row in batch.slice(begin, _ROWS).to_pylist():
                number += 1
                yield Record(number, {key: json_like(value) for key, value in row.items() if _INDEX not in key})
            if total:
                position.done = int(position.size * number / total)


def json_like(value: Any) -> Any:
    """A value as JSON would hold it: dates become text, bytes text where they are some, no number nothing."""
    if isinstance(value, str | bool | int | None):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): json_like(item) for key, item in value.items()}
    if isinstance(value, list):
        pairs = bool(value) and all(isinstance(item, tuple) and len(item) == 2 for item in value)
        return {str(key): json_like(item) for key, item in value} if pairs else [json_like(item) for item in value]
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"({len(value):,} bytes that are no text)"


def _broken(name: str, what: str, error: Exception) -> Unreadable:
    return Unreadable(f'"{name}" is a broken {what} file: {str(error).splitlines()[0]}.')
