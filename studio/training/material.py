"""What a run learns from: a dataset's frozen version, or preferences made from votes, as rows for `data.parquet`.

`survey` only counts, for the form; `gather` freezes and reads. Both refuse with a sentence that says what is
missing and how to get it.
"""

import json
from itertools import islice
from typing import Any, NamedTuple

from storage.datasets import count_examples, get_dataset
from storage.errors import BadInput
from storage.examples import stream
from storage.queries import Query
from storage.rows import FROZEN, Dataset, Study, Version
from storage.specs.method import Method
from storage.specs.registry import METHODS
from storage.store import Store
from storage.versions import contents, freeze, nothing_to_learn, peek
from studio.training.request import Request
from studio.training.shaped import counted
from studio.training.shaping import SHAPES
from studio.training.shaping_thumbs import LOOKED_AT, answers_per_row
from studio.training.voted import VOTED, Survey

_KINDS = {
    "sft": "examples with answers (kind sft)",
    "preference": "preferences (kind preference)",
    "prompts": "prompts (kind prompts)",
    "text": "plain text (kind text)",
}


class Frozen(NamedTuple):
    """Rows in the shape of `data.parquet`, the prompts (hashes) that they train on, and what they came from."""

    rows: list[dict[str, Any]]
    prompts: set[str]
    version: Version | None
    study: Study | None
    policy: str | None


class Extras(NamedTuple):
    """Rows beside those learnt from, by name of their file, and the version of each."""

    rows: dict[str, list[dict[str, Any]]]
    versions: dict[str, Version]


def survey(store: Store, method: Method, request: Request) -> Survey:
    """Count what the request would learn from; raises BadInput or NotFound where that is nothing or the wrong kind."""
    if _wants_votes(method, request):
        return VOTED[method.shape](store, request).survey
    dataset = _dataset(store, method, request)
    rows = count_examples(store, dataset.id, FROZEN)
    if not rows:
        raise BadInput(nothing_to_learn(dataset, count_examples(store, dataset.id)))
    if method.shape == "thumbs":
        first = islice(stream(store, dataset.id, Query(status=FROZEN)), LOOKED_AT)
        rows = round(rows * answers_per_row([example.content for example in first]))
    noun = {"pairs": "pair", "thumbs": "judged answer"}.get(method.shape, "row")
    return Survey(rows, f'{counted(rows, noun)} of dataset "{dataset.name}"')


def gather(store: Store, method: Method, request: Request) -> Frozen:
    """Freeze what the request learns from and read it; raises as `survey` does."""
    if _wants_votes(method, request):
        voted = VOTED[method.shape](store, request)
        return Frozen(*voted.shaped(), None, voted.study, voted.policy)
    dataset = _dataset(store, method, request)
    version = freeze(store, dataset)
    examples = [_told(method, row) for row in contents(store, version)]
    return Frozen(*SHAPES[method.shape](dataset, examples), version, None, None)


class Glance(NamedTuple):
    """Rows in the shape of `data.parquet`, read without freezing; `total`: how many the run would have."""

    rows: list[dict[str, Any]]
    total: int


def glance(store: Store, method: Method, request: Request, most: int) -> Glance:
    """At most so many of the rows that the request would learn from; raises as `survey` does."""
    if _wants_votes(method, request):
        rows = VOTED[method.shape](store, request).shaped().rows
        return Glance(rows[:: max(1, -(-len(rows) // most))], len(rows))
    dataset = _dataset(store, method, request)
    rows = _looked_at(store, method, dataset, most)
    total = count_examples(store, dataset.id, FROZEN)
    return Glance(rows, total if total > most else len(rows))


def glance_extras(store: Store, method: Method, request: Request, most: int) -> dict[str, list[dict[str, Any]]]:
    """At most so many rows of each file beside the data, without freezing (see `gather_extras`)."""
    named = {"eval": request.eval, "replay": request.replay}
    return {
        name: _looked_at(store, method, _of_kind(get_dataset(store, dataset), method), most)
        for name, dataset in named.items()
        if dataset
    }


def _looked_at(store: Store, method: Method, dataset: Dataset, most: int) -> list[dict[str, Any]]:
    examples = [(name, json.loads(content)) for name, content in peek(store, dataset, most)]
    return SHAPES[method.shape](dataset, examples).rows


def gather_extras(store: Store, method: Method, request: Request) -> Extras:
    """Rows beside those learnt from, by name of their file: `eval` to measure on, `replay` to mix in.

    They come in the shape of the method; `replay` may be of any kind that the method learns from.
    """
    found = Extras({}, {})
    for name, reference in {"eval": request.eval, "replay": request.replay}.items():
        if not reference:
            continue
        dataset = _of_kind(get_dataset(store, reference), method)
        version = found.versions[name] = freeze(store, dataset)
        examples = [_told(method, row) for row in contents(store, version)]
        found.rows[name] = SHAPES[method.shape](dataset, examples).rows
    return found


def _told(method: Method, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """An example as shapes take it; its tags are a part of it where they may be what is learnt."""
    content = json.loads(row["content"])
    return row["example_id"], {**content, "tags": json.loads(row["tags"])} if method.shape == "labelled" else content


def _wants_votes(method: Method, request: Request) -> bool:
    """Whether to learn from votes; raises BadInput where the method cannot, or nothing was named."""
    if request.dataset and (request.study or request.votes):
        raise BadInput("Name a dataset or the votes of a study to learn from, not both.")
    if request.dataset:
        return False
    if not request.by_votes:
        wish = "a dataset, or a study whose votes count" if method.votes else "a dataset of examples"
        raise BadInput(f"Choose what {method.title} learns from: {wish}.")
    if not method.votes:
        raise BadInput(
            f"{method.title} learns from examples, not from votes; choose a dataset, or train with {_by_votes()}."
        )
    return True


def _dataset(store: Store, method: Method, request: Request) -> Dataset:
    """The dataset of a request, of a kind that the method learns from."""
    return _of_kind(get_dataset(store, request.dataset or ""), method)


def _of_kind(dataset: Dataset, method: Method) -> Dataset:
    """The dataset where the method can learn from its kind; raises BadInput."""
    if dataset.kind not in method.rows:
        raise BadInput(
            f'Dataset "{dataset.name}" holds {dataset.kind} rows, and {method.title} learns from '
            f"{' or '.join(_KINDS[kind] for kind in method.rows)}; choose another dataset or another method."
        )
    return dataset


def _by_votes() -> str:
    """The methods that learn from votes, for a sentence."""
    return ", ".join(method.title for method in METHODS.values() if method.votes)
