"""Shapes with one answer that was judged by itself: good or bad (KTO), or by a score (reward)."""

from typing import Any

from studio.curation.chat_shapes import messages_from, turns_of
from studio.curation.examples import Made
from studio.curation.fields import Row, made, number_of, truth_of
from studio.curation.messages import Message, conversation
from studio.curation.pair_shapes import is_thumb, pair_of
from studio.curation.questions import asking
from studio.curation.records import RowError
from studio.curation.shapes import Shape

_FLAGS = ("label", "kto_tag")
_SCORES = ("score", "reward")


def _is_thumb(row: Row) -> bool:
    """An answer that was called good or bad: true or false, or 1 and 0 where the fields are TRL's."""
    if "chosen" in row or not any(flag in row for flag in _FLAGS):
        return False
    trl = "prompt" in row and "completion" in row and truth_of(row.get("label")) is not None
    return (is_thumb(row) or trl) and (pair_of(tuple(row)) is not None or turns_of(row) is not None)


def _make_thumb(row: Row) -> Made:
    flag = next(name for name in _FLAGS if name in row)
    label = truth_of(row[flag])
    if label is None:
        raise RowError(flag, "The label is neither true nor false.")
    prompt, completion, used = _halves(row)
    return made("preference", {"prompt": prompt, "completion": completion, "label": label}, row, [*used, flag])


def _is_scored(row: Row) -> bool:
    """A completion with a score, as reward models learn from; a score beside other fields is only metadata."""
    if not ("prompt" in row and ("completion" in row or "response" in row)):
        return False
    return any(number_of(row.get(name)) is not None for name in _SCORES)


def _make_scored(row: Row) -> Made:
    name = next((name for name in _SCORES if number_of(row.get(name)) is not None), _SCORES[0])
    score = number_of(row.get(name))
    if score is None:
        raise RowError(name, "The score is no number.")
    prompt, completion, used = _halves(row)
    return made("preference", {"prompt": prompt, "completion": completion, "score": score}, row, [*used, name])


def _halves(row: Row) -> tuple[list[Message], list[Message], list[str]]:
    """Prompt and completion: in fields of their own, or of a conversation the turns up to the last answer."""
    pair = pair_of(tuple(row))
    if pair is not None:
        prompt, used = asking(row, pair[1])
        spoken: Any = row.get(pair[2])
        if spoken in (None, "", []):
            raise RowError(pair[2], "The field is empty.")
        return prompt, messages_from(spoken, pair[2], "assistant"), [*used, pair[2]]
    name, items = turns_of(row) or ("messages", row.get("messages"))
    messages = conversation(items, name).messages
    last = max((n for n, item in enumerate(messages) if item["role"] != "assistant"), default=-1)
    if last < 0 or last == len(messages) - 1:
        raise RowError(name, "The conversation does not end with an assistant's turn after a user's.")
    return messages[: last + 1], messages[last + 1 :], [name]


JUDGED_SHAPES: tuple[Shape, ...] = (
    Shape("kto", _is_thumb, _make_thumb),
    Shape("scored", _is_scored, _make_scored),
)
