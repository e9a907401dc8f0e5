"""Counting a dataset's tokens by a model's tokenizer: once for each text, kept by revision and tokenizer."""

from collections.abc import Callable
from typing import NamedTuple

from storage import findings, tokens
from storage.datasets import count_examples
from storage.rows import Dataset
from storage.rows_training import Model
from storage.settling import settle
from storage.store import Store
from studio.clients.engine import Engine
from studio.clients.tokens import token_counts
from studio.curation.checks.stopping import Stopped

Progress = Callable[[float, str], bool | None]


class Counts(NamedTuple):
    """What was counted: `counted` texts now, by `tokenizer`; `refused` of them by its chat template."""

    tokenizer: tokens.Tokenizer
    counted: int
    refused: int


def count_tokens(
    store: Store, dataset: Dataset, model: Model, engine: Engine, progress: Progress | None = None
) -> Counts:
    """Count the texts of a dataset that this model's tokenizer has not counted; what is counted stays when stopped."""
    settle(store, dataset.id)
    asked = token_counts(engine, store, model, [])
    tokenizer = tokens.Tokenizer(asked.tokenizer_sha256, model.name, asked.context)
    tokens.register(store, tokenizer)
    total = max(count_examples(store, dataset.id), 1)
    counted = refused = 0
    for part in tokens.uncounted(store, dataset.id, tokenizer.sha256):
        contents = findings.contents(store, [item.revision for item in part])
        counts = token_counts(engine, store, model, list(contents.values())).counts
        tokens.record(store, tokenizer.sha256, dict(zip(contents, counts, strict=True)))
        counted += len(counts)
        refused += counts.count(None)
        if progress and progress(min(counted / total, 0.99), f"{counted:,} rows counted"):
            raise Stopped("The count was stopped; what is counted so far is kept.")
    return Counts(tokenizer, counted, refused)
