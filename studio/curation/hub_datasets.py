"""Datasets from the Hugging Face Hub, read row by row through `datasets` and never as code.

A dataset is looked at first (which configurations, splits and columns there are), then its rows are written as JSONL:
from there on it is a file like any other. Runs in a task, because every step may wait for the network; the token is the
one that the Hub's own login or environment has. Formats that run code when they are read were taken out of `datasets`.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, NamedTuple

from storage.errors import BadInput, NotFound, NotReady, Refused

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9_][\w.-]{0,95})?")
_CONNECT_SECONDS = 15
_SAID_EVERY = 0.25
_CELL = 160
Progress = Callable[[float, str], bool | None]
"""Called with the fraction done and a sentence; answers True where somebody asked to stop."""


class Split(NamedTuple):
    """A part of a dataset; `rows` is None where the Hub does not say."""

    name: str
    rows: int | None


class Column(NamedTuple):
    """A column with the value of the first row, cut short."""

    name: str
    example: str


class Overview(NamedTuple):
    """What there is to choose in a dataset, and what was looked at."""

    id: str
    configs: list[str]
    config: str
    splits: list[Split]
    split: str
    columns: list[Column]

    def to_json(self) -> dict[str, Any]:
        """For the form."""
        columns = [column._asdict() for column in self.columns]
        return {**self._asdict(), "splits": [split._asdict() for split in self.splits], "columns": columns}


class Part(NamedTuple):
    """Which rows are wanted. `columns`: empty for all; `limit`: rows at most."""

    config: str
    split: str
    columns: Sequence[str] = ()
    limit: int | None = None


def checked_id(dataset: str) -> str:
    """A dataset's id on the Hub, also from its address; raises BadInput."""
    name = re.sub(r"^https://(huggingface\.co|hf\.co)/datasets/", "", dataset.strip()).rstrip("/")
    if not _ID.fullmatch(name) or ".." in name:
        raise BadInput(f'"{dataset[:100]}" is no id of a dataset on the Hub; it looks like owner/name.')
    return name


def reach(dataset: str) -> None:
    """Ask the Hub for a dataset at once, before its client's patient retries begin; raises as `answers` does."""
    from huggingface_hub import HfApi

    with answers(dataset):
        HfApi().dataset_info(dataset, timeout=_CONNECT_SECONDS)


def look(place: str, config: str | None = None, split: str | None = None) -> Overview:
    """What a dataset has; `place` is an id on the Hub or a folder in its layout."""
    with answers(place), _nowhere():
        import datasets

        configs = datasets.get_dataset_config_names(place)
        chosen = config or ("default" if "default" in configs else configs[0])
        info = datasets.load_dataset_builder(place, chosen).info
        names = list(info.splits or ()) or datasets.get_dataset_split_names(place, chosen)
        splits = [Split(name, _count(info, name)) for name in names]
        wanted = split or ("train" if "train" in names else names[0])
        first: dict[str, Any] = next(iter(_rows(place, Part(chosen, wanted, limit=1))), {})
        columns = [Column(name, _short(value)) for name, value in first.items()]
        return Overview(place, configs, chosen, splits, wanted, columns)


def fetch(place: str, part: Part, write: Callable[[bytes], None], progress: Progress) -> int | None:
    """Write the rows of a part as JSONL; the count, or None where `progress` answered True."""
    with answers(place), _nowhere():
        import datasets

        total = _count(datasets.load_dataset_builder(place, part.config).info, part.split)
        total = min(total or part.limit or 0, part.limit or total or 0)
        begun = said = monotonic()
        count = 0
        for row in _rows(place, part):
            write(line_of(row))
            count += 1
            if monotonic() - said > _SAID_EVERY:
                said = monotonic()
                if progress(min(0.99, count / total) if total else 0.0, _pace(count, total, said - begun)):
                    return None
        progress(0.99, _pace(count, total, monotonic() - begun))
        return count


def _pace(count: int, total: int, seconds: float) -> str:
    """How far it is, how fast, and how long it will take."""
    each_second = count / max(seconds, 0.001)
    of_all = f" of {total:,}" if total else ""
    left = f", about {math.ceil((total - count) / each_second)} s left" if total > count else ""
    rows = "row" if count == 1 and not total else "rows"
    return f"{count:,}{of_all} {rows} fetched, {each_second:,.0f} rows/s{left}"


def _rows(place: str, part: Part) -> Iterator[dict[str, Any]]:
    """The rows of a part, one at a time; pictures and sounds stay undecoded."""
    import datasets

    stream = datasets.load_dataset(place, part.config, split=part.split, streaming=True)
    if stream.features is not None:  # where nobody says what the columns are, nothing is decoded
        stream = stream.decode(False)
    if part.columns:
        stream = stream.select_columns(list(part.columns))
    yield from stream.take(part.limit) if part.limit else stream


def _count(info: Any, split: str) -> int | None:
    """How many rows the dataset's card says that a split has."""
    known = (info.splits or {}).get(split)
    return int(known.num_examples) if known and known.num_examples else None


def line_of(row: dict[str, Any]) -> bytes:
    """A row as one line of JSON."""
    try:
        return json.dumps(row, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError):
        return json.dumps(_plain(row)).encode() + b"\n"


def _plain(value: Any) -> Any:
    """A value as JSON can say it: times as text, bytes and numbers that are none as null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return None if isinstance(value, bytes) else str(value)


def _short(value: Any) -> str:
    """A cell cut short."""
    text = value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)
    return text[:_CELL] + "…" if len(text) > _CELL else text


@contextmanager
def _nowhere() -> Iterator[None]:
    """Work in an empty folder: `datasets` takes an id for a folder where one of that name lies in the current one."""
    with TemporaryDirectory(prefix="ratchet-") as folder, chdir(folder):
        yield


@contextmanager
def answers(place: str) -> Iterator[None]:
    """Turn the errors of the Hub's clients into sentences.

    Raises NotReady where the Hub cannot be reached, NotFound for an unknown or private dataset, Refused for a gated one
    or one that needs code, BadInput for a configuration or split that it does not have.
    """
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError
    from huggingface_hub.errors import HTTPError as HubError  # type: ignore[attr-defined] # of its own HTTP client

    name = Path(place).name if Path(place).is_absolute() else place
    try:
        yield
    except GatedRepoError as error:
        raise Refused(
            f'"{name}" is gated: accept its terms on huggingface.co, log in with `hf auth login`, and try again.'
        ) from error
    except RepositoryNotFoundError as error:
        raise NotFound(
            f'The Hub has no dataset "{name}", or it is private; check the name, or log in with `hf auth login`.'
        ) from error
    except (OfflineModeIsEnabled, HubError, ConnectionError, TimeoutError) as error:
        raise NotReady(
            f'The Hub could not be reached for "{name}": try again when there is a connection, '
            "or fetch the files on another machine and import them here."
        ) from error
    except (DatasetsError, EmptyDatasetError, ValueError, RuntimeError, OSError) as error:
        raise BadInput(f'"{name}" cannot be read from the Hub: {_first_sentence(error)}') from error


def _first_sentence(error: BaseException) -> str:
    """The beginning of somebody else's message, on one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300].rstrip(".") + "."
