"""Frozen rows as the token sequences that a run would learn from, uncut, with what is learnt of each token.

What a method learns from is a shape (`Method.shape`); a shape that has no reader here is read as plain text, every
token of it learnt, so that a new method is counted and timed from its first day.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from storage.errors import BadInput
from trainers.data import IGNORED, encoder, read_conversations, training_template
from trainers.data_pairs import encode_preference, read_preferences

Rows = Sequence[Mapping[str, Any]]


class Piece(NamedTuple):
    """One sequence through the model. `row`: the row's id; `side` tells the two answers of a pair apart."""

    row: str
    ids: list[int]
    trained: list[bool]
    side: str = ""


class Inspected(NamedTuple):
    """All sequences of the rows; `identical`: pairs whose answers are the same once they are cut."""

    pieces: list[Piece]
    identical: int = 0


def inspect(tokenizer: Any, shape: str, rows: Rows, options: Any) -> Inspected:
    """The rows as sequences; raises BadInput with the id of a row that cannot be read or written down."""
    return READERS.get(shape, _texts)(tokenizer, rows, options)


def _conversations(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    loss_on = getattr(options, "loss_on", "all")
    template = training_template(tokenizer) if loss_on == "assistant" else None
    encode = encoder(tokenizer, loss_on, template)
    return Inspected(
        [
            Piece(row.id, ids, [label != IGNORED for label in labels])
            for row in read_conversations(dict(row) for row in rows)
            for ids, labels in encode(row) or [([], [])]  # a row without an answer to learn still counts
        ]
    )


def _pairs(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    pieces, identical = [], 0
    for row in read_preferences(dict(row) for row in rows):
        start, chosen, rejected = encode_preference(tokenizer, row)
        identical += chosen[: options.max_length] == rejected[: options.max_length]
        for side, ids in (("chosen", chosen), ("rejected", rejected)):
            pieces.append(Piece(row.id, ids, [False] * start + [True] * (len(ids) - start), side))
    return Inspected(pieces, identical)


def _texts(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    """Rows of any shape: every column that holds messages or text, one after another."""
    pieces = []
    for row in rows:
        ids = [token for name, value in row.items() if name != "id" for token in _tokens(tokenizer, value)]
        pieces.append(Piece(str(row.get("id")), ids, [True] * len(ids)))
    return Inspected(pieces)


def _tokens(tokenizer: Any, value: Any) -> list[int]:
    if not isinstance(value, str) or not value:
        return []
    try:
        held = json.loads(value) if value.startswith("[") else value
    except ValueError:
        held = value
    if isinstance(held, list) and held and all(isinstance(one, dict) and "role" in one for one in held):
        try:
            rendered: list[int] = tokenizer.apply_chat_template(held, tokenize=True, return_dict=True)["input_ids"]
        except Exception as error:  # a template is a stranger's program: it may raise anything
            raise BadInput(f"The chat template refuses a row: {error}") from error
        return rendered
    found: list[int] = tokenizer(value, add_special_tokens=False)["input_ids"]
    return found


READERS: Mapping[str, Callable[[Any, Rows, Any], Inspected]] = MappingProxyType(
    {"conversations": _conversations, "pairs": _pairs}
)
