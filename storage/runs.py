"""The run folder: frozen rows, events that are only appended, the log (DESIGN section 4.3)."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from storage.clock import now
from storage.home import read_json, write_json
from storage.specs.retrying import retries


class EventPage(NamedTuple):
    """Events read from an offset, and the offset to go on from (bytes)."""

    events: list[dict[str, Any]]
    offset: int


class FrozenRows(NamedTuple):
    """Rows written for a run: the file, how many, and the hash of their content."""

    path: Path
    rows: int
    sha256: str


def append_event(folder: Path, kind: str, **values: Any) -> None:
    """Append one line to `events.jsonl` in a single write, so that readers see whole lines or a torn last one."""
    line = json.dumps({"t": round(now(), 3), "kind": kind, **values}, ensure_ascii=False) + "\n"
    descriptor = os.open(folder / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read_events(folder: Path, offset: int = 0, most: int = -1) -> EventPage:
    """Events from a byte offset on; a last line that is still being written waits for the next call.

    `most`: bytes to read at the most, more than any line has; all of them where it is negative.
    """
    path = folder / "events.jsonl"
    if not path.exists():
        return EventPage([], offset)
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(most)
    whole = data[: data.rfind(b"\n") + 1]
    return EventPage([event for line in whole.splitlines() if (event := _event(line))], offset + len(whole))


def _event(line: bytes) -> dict[str, Any] | None:
    """The event of one line; None for a line torn by a crash."""
    try:
        event = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    return event if isinstance(event, dict) else None


def tail_log(folder: Path, size: int = 20_000) -> str:
    """The last `size` bytes of `train.log` as text."""
    path = folder / "train.log"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - size))
        return file.read().decode(errors="replace")


def write_error(folder: Path, kind: str, sentence: str, fix: str) -> dict[str, Any]:
    """Write `error.json`, with what is safe to try next (`retry`), and return it."""
    spec = read_json(folder / "spec.json") or {}
    error = {"kind": kind, "sentence": sentence, "fix": fix, "retry": retries(kind, spec.get("options") or {})}
    write_json(folder / "error.json", error)
    return error


def freeze_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> FrozenRows:
    """Write rows to a Parquet file; the hash is over the rows' canonical JSON, not over the file's bytes."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.Table.from_pylist([dict(row) for row in rows])
    parquet.write_table(table, path)
    return FrozenRows(path, table.num_rows, _sha256_of(table.to_pylist()))


def frozen_sha256(path: Path) -> str:
    """The hash of the rows that a Parquet file holds now, as `freeze_rows` told it."""
    return _sha256_of(thaw_rows(path))


def _sha256_of(rows: Iterable[Mapping[str, Any]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def thaw_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file as dicts."""
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows
