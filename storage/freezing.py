"""Rows frozen by a short process of their own: `python -m storage.freezing FOLDER` reads them and writes Parquet.

pyarrow, and pandas which it looks for, would stay in the web process for good (90 MB and 0.8 s at its first training).
A child that hides pandas and numpy from pyarrow, which needs neither for rows of words and numbers, begins in 0.1 s
and takes its memory with it. The files and their hashes are those of `storage.runs.freeze_rows`, which it calls.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from storage.errors import RatchetError
from storage.runs import FrozenRows, freeze_rows, thaw_rows

_ROOT = Path(__file__).resolve().parent.parent
_HIDDEN = frozenset({"numpy", "pandas"})


class Sample(NamedTuple):
    """An even sample of at most so many rows of a file that is frozen already, in place of rows."""

    path: Path
    most: int


class NotFrozen(RatchetError):
    """Rows could not be written; nothing may be started with what there is."""

    kind = "not-frozen"


Source = Sequence[Mapping[str, Any]] | Sample


def freeze_apart(folder: Path, files: Mapping[str, Source]) -> dict[str, FrozenRows]:
    """Write `NAME.parquet` for each name into a folder, all by one process, and wait for it; raises NotFrozen."""
    with subprocess.Popen(
        [sys.executable, "-m", "storage.freezing", str(folder)],
        cwd=_ROOT,  # `python -m` looks there first
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None, "it was asked for"
        with suppress(BrokenPipeError):  # it has ended, and says why
            for line in _order(files):
                process.stdin.write(line + "\n")
        said, why = process.communicate()
    if process.returncode:
        reason = (why.strip() or f"ended by signal {-process.returncode}").splitlines()[-1]
        raise NotFrozen(
            f"The rows could not be written into {folder} ({reason[:500]}); look whether there is room on the disk and "
            "in memory, and start again."
        )
    return {name: FrozenRows(folder / f"{name}.parquet", *frozen) for name, frozen in json.loads(said).items()}


def _order(files: Mapping[str, Source]) -> Iterator[str]:
    """What the process reads: a line that announces each file, then its rows, a line each."""
    for name, rows in files.items():
        if isinstance(rows, Sample):
            yield json.dumps({"name": name, "sample": str(rows.path), "most": rows.most})
            continue
        yield json.dumps({"name": name, "rows": len(rows)})
        yield from (json.dumps(row) for row in rows)


def _ordered(lines: Iterator[str]) -> Iterator[tuple[str, Iterable[Mapping[str, Any]]]]:
    """The names and rows of an order."""
    for line in lines:
        file = json.loads(line)
        if "sample" in file:
            whole, most = thaw_rows(Path(file["sample"])), int(file["most"])
            yield file["name"], whole[:: max(1, len(whole) // most)][:most]
        else:
            yield file["name"], [json.loads(next(lines)) for _ in range(file["rows"])]


class _Hiding:
    """A finder before all others to which some packages are not installed."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        """Nothing is found here; what is hidden is not looked for any further."""
        if name in _HIDDEN:
            raise ModuleNotFoundError(f"{name} is hidden here", name=name)


def main(folder: Path, order: IO[str]) -> dict[str, list[Any]]:
    """Write what is ordered; the rows and hash of each file."""
    sys.meta_path.insert(0, _Hiding)
    return {name: list(freeze_rows(folder / f"{name}.parquet", rows)[1:]) for name, rows in _ordered(iter(order))}


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # a text stream, as every process begins with
    print(json.dumps(main(Path(sys.argv[1]), sys.stdin)))
