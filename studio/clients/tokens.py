"""Asking the engine about tokens: how many an example has, and what a model sees of it. No weights are loaded."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.models import base_of
from storage.rows_training import Model
from storage.store import Store
from studio.clients.engine import Engine

Content = Mapping[str, Any]


class TokenCounts(NamedTuple):
    """Tokens of each example, None where the chat template refuses it.

    `tokenizer_sha256` names tokenizer and template together; `context`: the most tokens that the model reads, None
    where its files do not say.
    """

    counts: list[int | None]
    tokenizer_sha256: str
    context: int | None


class Token(NamedTuple):
    """A token as the model reads it. `trained`: whether training on answers learns it."""

    id: int
    text: str
    trained: bool


class Part(NamedTuple):
    """Tokens that are read in one go; `name`: messages, answer 1 …, chosen, rejected, completion, prompt or text."""

    name: str
    tokens: list[Token]


class Picture(NamedTuple):
    """What a model sees of an example. `marked`: False where each answer becomes a training row of its own."""

    parts: list[Part]
    marked: bool
    tokenizer_sha256: str
    context: int | None


def token_counts(engine: Engine, store: Store, model: Model, contents: Sequence[Content]) -> TokenCounts:
    """Tokens of up to 1,000 examples (contents in the inner form) by a model's tokenizer and chat template."""
    body = {**_whose(store, model), "contents": list(contents)}
    answer = engine.connect().post("/tokenize", body, timeout=120)
    return TokenCounts(answer["counts"], answer["tokenizer_sha256"], answer["context"])


def render(engine: Engine, store: Store, model: Model, content: Content) -> Picture:
    """An example as training with this model reads it, token by token; raises BadInput where its template refuses."""
    answer = engine.connect().post("/render", {**_whose(store, model), "content": dict(content)}, timeout=60)
    parts = [Part(part["name"], [Token(*token) for token in part["tokens"]]) for part in answer["parts"]]
    return Picture(parts, answer["marked"], answer["tokenizer_sha256"], answer["context"])


def _whose(store: Store, model: Model) -> dict[str, str]:
    """Where a model's tokenizer lies; raises BadInput for endpoints, which keep theirs to themselves."""
    if model.kind == "endpoint":
        raise BadInput(f'"{model.name}" is an endpoint, and its tokenizer is not here; choose a model with files.')
    base = base_of(store, model)
    return {"model": base.name, "path": str(base.path)}
