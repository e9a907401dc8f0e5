"""Frozen rows as the token sequences that a run would learn from, uncut, with what is learnt of each token.

What a method learns from is a shape (`Method.shape`); a shape that has no reader here is read as plain text, every
token of it learnt, so that a new method is counted and timed from its first day.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from storage.errors import BadInput
from trainers.data import (
    IGNORED,
    Conversation,
    encode_prompt,
    encoder,
    messages_in,
    read_conversations,
    render,
    shared_start,
    training_template,
)
from trainers.data_judged import encode_judged, learnt_from, read_scores
from trainers.data_pairs import encode_preference, read_preferences
from trainers.data_texts import prepare_texts, read_texts
from trainers.data_thumbs import read_thumbs
from trainers.heads import read_labelled

Rows = Sequence[Mapping[str, Any]]


class Piece(NamedTuple):
    """One sequence through the model. `row`: the row's id; `side` tells the two answers of a pair apart."""

    row: str
    ids: list[int]
    trained: list[bool]
    side: str = ""


class Inspected(NamedTuple):
    """All sequences of the rows; `identical`: pairs whose answers are the same once they are cut.

    `made`: tokens of the answers that the run will make itself; its rows are then prompts alone.
    """

    pieces: list[Piece]
    identical: int = 0
    made: int = 0


def inspect(tokenizer: Any, shape: str, rows: Rows, options: Any) -> Inspected:
    """The rows as sequences; raises BadInput with the id of a row that cannot be read or written down."""
    return READERS.get(shape, _plainly)(tokenizer, rows, options)


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
    """Whole texts in pieces, as continued pretraining reads them."""
    found = []
    for row in read_texts(dict(row) for row in rows):
        for piece in prepare_texts(tokenizer, [row], options.max_length).rows or [{"input_ids": []}]:
            ids = piece["input_ids"]
            found.append(Piece(row.id, ids, [True] * len(ids)))
    return Inspected(found)


def _thumbs(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    pieces = []
    for row in read_thumbs(dict(row) for row in rows):
        prompt = render(tokenizer, row, row.prompt, add_generation_prompt=True)["input_ids"]
        whole = render(tokenizer, row, row.prompt + row.completion)["input_ids"]
        start = shared_start(prompt, whole)
        trained = [False] * start + [True] * (len(whole) - start)
        pieces.append(Piece(row.id, whole, trained, "good" if row.label else "bad"))
    return Inspected(pieces)


def _judged(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    """Pairs, and single answers with a score; which of them are learnt from, an option says."""
    known = [dict(row) for row in rows]
    if learnt_from(known, options.learn_from) == "pairs":
        pairs = [row for row in known if row.get("chosen") is not None]
        return _pairs(tokenizer, pairs, options)
    pieces = []
    for row in read_scores(known):
        ids = encode_judged(tokenizer, row.id, row.messages)
        pieces.append(Piece(row.id, ids, [True] * len(ids)))
    return Inspected(pieces)


def _questions(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    """Prompts whose answers are made in the run, by the model itself or by a teacher."""
    pieces = []
    for row in rows:
        messages = messages_in(dict(row), "prompt")
        ids = encode_prompt(tokenizer, Conversation(str(row.get("id")), messages, None))
        pieces.append(Piece(str(row.get("id")), ids, [False] * len(ids)))
    return Inspected(pieces, made=options.answer_tokens)


def _labelled(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
    """Texts and their labels; a text without one, or with several, teaches nothing."""
    found = read_labelled(list(rows), options)
    names = found.labels or []
    label = {name: names[int(at)] if names else "" for name, at in zip(found.ids, found.wanted, strict=True)}
    pieces = []
    for row in rows:
        ids = tokenizer(str(row["text"]))["input_ids"]
        name = str(row["id"])
        pieces.append(Piece(name, ids, [name in label] * len(ids), label.get(name, "")))
    return Inspected(pieces)


def _plainly(tokenizer: Any, rows: Rows, options: Any) -> Inspected:
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
    {
        "conversations": _conversations,
        "texts": _texts,
        "pairs": _pairs,
        "thumbs": _thumbs,
        "judged": _judged,
        "questions": _questions,
        "labelled": _labelled,
    }
)
