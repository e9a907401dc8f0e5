"""Examples become a file: in a chosen format, whole or not at all, with a count of all that stays out and why.

The rows are read at one moment and written one after the other, so that the memory is flat whatever the number of
rows. An export never comes out empty without saying so: then there is no file, and the report has a sentence.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from storage.errors import NotReady, RatchetError
from storage.store import Store
from studio.curation.export_chats import Dropped
from studio.curation.export_files import Writer, writing
from studio.curation.export_formats import Target, target_of
from studio.curation.export_policies import chosen, sift, why_empty
from studio.curation.export_preferences import Stored
from studio.curation.export_sources import Source, count, kind_of, stored

# Called with the fraction done and a sentence; answers True where somebody asked to stop.
Progress = Callable[[float, str], bool | None]

_BEAT = 500  # rows between two words of progress
_PREVIEWED = 5_000  # examples that a preview looks at; more would keep the person waiting
_SHOWN = 4_000  # characters of the first record


class Stopped(RatchetError):
    """Somebody asked to stop; no file is left."""

    kind = "stopped"


@dataclass(frozen=True)
class Wish:
    """What is wanted: of what, in which format, by which policies."""

    source: Source
    format: str
    policies: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Source, format: str, policy: str | Iterable[str] | None = None) -> "Wish":
        """A wish as a person says it; raises BadInput for policies that cannot be."""
        return cls(source, format, chosen(policy, votes=bool(source.study)))


@dataclass(frozen=True)
class ExportReport:
    """What was written: `rows` in the file, and how many examples were left out for which reason.

    `total`: examples that there are. `sentence`, with `path` None: why nothing came out.
    """

    dataset: str
    format: str
    rows: int
    dropped: dict[str, int]
    path: str | None
    sha256: str | None
    bytes: int
    total: int = 0
    policies: tuple[str, ...] = ()
    sentence: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The keys of the command line; `sentence` only where there is something to say."""
        said = asdict(self) | {"policies": list(self.policies)}
        return {key: value for key, value in said.items() if key != "sentence" or value}


@dataclass(frozen=True)
class Preview:
    """What an export would do. `exact` False: counted of the first examples alone. `first`: the record as text."""

    rows: int
    total: int
    dropped: dict[str, int]
    exact: bool
    first: str | None
    ending: str
    sentence: str | None

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self)


def export(
    store: Store,
    name: str | None = None,
    *,
    version: int | str | None = None,
    format: str,
    out: Path | str,
    policy: str | Iterable[str] | None = None,
    study: str | None = None,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a dataset, one of its frozen versions, or a study's votes, to a file; the container by its name's ending.

    Raises BadInput for an unknown format or policy, NotFound for an unknown dataset, version or study, NotReady where
    the file cannot be written, Stopped where `progress` answered True.
    """
    wish = Wish.of(Source(name, version, study), format, policy)
    return write(store, wish, Path(out).expanduser(), progress)


def write(store: Store, wish: Wish, out: Path, progress: Progress | None = None) -> ExportReport:
    """Write what is wanted to a file: first beside it, then renamed into place."""
    target = target_of(wish.format, kind_of(store, wish.source), out)
    neighbour = out.with_name(f".{out.name}.new")
    try:
        size, sha256 = 0, None
        with neighbour.open("wb") as file:
            tally = _write(store, wish, target, file, progress)
        if tally.rows:
            size, sha256 = neighbour.stat().st_size, _sha256(neighbour)
            neighbour.replace(out)
    except OSError as error:
        raise NotReady(f'The file "{out}" cannot be written: {error.strerror}.') from error
    finally:
        neighbour.unlink(missing_ok=True)
    return ExportReport(
        wish.source.name, wish.format, tally.rows, dict(tally.dropped), str(out) if size else None, sha256, size,
        tally.total, wish.policies, tally.sentence(wish),
    )  # fmt: skip


def preview(store: Store, wish: Wish, out: str = "") -> Preview:
    """What an export would do, with its first record; of a large dataset the first examples alone are looked at."""
    target = target_of(wish.format, kind_of(store, wish.source), out)
    tally, first = _Tally(), None
    with store.snapshot() as moment, TemporaryFile() as file, writing(file, target) as writer:
        for record in _records(moment, wish, target, tally, _PREVIEWED):
            if tally.take(writer, record):
                first = first or record
    shown = None if first is None else json.dumps(first, ensure_ascii=True, indent=2)[:_SHOWN]
    exact = tally.total < _PREVIEWED
    return Preview(
        tally.rows, tally.total, dict(tally.dropped), exact, shown, target.ending,
        tally.sentence(wish) if exact else None,
    )  # fmt: skip


class _Tally:
    """Counts of one export; `beat` is called again and again, and raises Stopped where somebody asked to stop."""

    def __init__(self, beat: Callable[["_Tally"], None] | None = None) -> None:
        self.total = 0
        self.rows = 0
        self.dropped = Counter[str]()
        self.beat = beat

    def see(self) -> None:
        """One more example was looked at."""
        self.total += 1
        if self.beat and self.total % _BEAT == 0:
            self.beat(self)

    def take(self, writer: Writer, record: Mapping[str, Any]) -> bool:
        """Write a record, or count why the file cannot hold it."""
        try:
            writer.write(record)
        except Dropped as reason:
            self.dropped[str(reason)] += 1
            return False
        self.rows += 1
        return True

    def sentence(self, wish: Wish) -> str | None:
        """Why nothing came out, where that is so."""
        if self.rows:
            return None
        return why_empty(max(self.total, sum(self.dropped.values())), self.dropped, wish.policies, wish.format)


def _write(store: Store, wish: Wish, target: Target, file: BinaryIO, progress: Progress | None) -> _Tally:
    """Write what fits, at one moment of the store."""
    with store.snapshot() as moment, writing(file, target) as writer:
        expected = max(1, count(moment, wish.source))

        def beat(tally: _Tally) -> None:
            if progress and progress(min(tally.total / expected, 0.99), f"{tally.rows:,} rows written"):
                raise Stopped(f'The export of "{wish.source.name}" was stopped; no file is left of it.')

        tally = _Tally(beat)
        for record in _records(moment, wish, target, tally):
            tally.take(writer, record)
    return tally


def _records(
    store: Store, wish: Wish, target: Target, tally: _Tally, most: int | None = None
) -> Iterator[dict[str, Any]]:
    """The records that the examples become; those that become none are counted."""
    found = _kept(store, islice(stored(store, wish.source, wish.policies, tally.dropped), most), wish, tally)
    for item in target.format.gather(found) if target.format.gather else found:
        try:
            records = target.make(item.content)
        except Dropped as reason:
            tally.dropped[str(reason)] += 1
            continue
        for record in records:
            yield {**record, "tags": list(item.tags)} if item.tags else record


def _kept(store: Store, items: Iterable[Stored], wish: Wish, tally: _Tally) -> Iterator[Stored]:
    """The examples that the policies let in."""
    for item, reason in sift(store, items, wish.policies):
        tally.see()
        if reason is None:
            yield item
        else:
            tally.dropped[reason] += 1


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
