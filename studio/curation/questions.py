"""The prompt of a record whose answers stand in fields of their own: question, context, history, system prompt."""

import re
from collections.abc import Mapping
from typing import Any

from studio.curation.chat_shapes import LISTS, SYSTEMS, listed, messages_from, with_system
from studio.curation.fields import Row, filled, text_field
from studio.curation.messages import Message
from studio.curation.records import RowError, quoted

PROMPTS = ("prompt", "instruction", "question", "query", "input", "problem", "prompt_text", "user", "inputs",
           "input_text", "text_input")  # fmt: skip
_CONTEXTS = ("input", "context")
_TURN = re.compile(r"\n\n(Human|Assistant):[ ]?")


def prompt_column(row: Row) -> str | None:
    """The field that asks: a list of messages before a text, and what holds nothing does not count."""
    for name in LISTS[:3]:
        if name in row and listed(row[name]):
            return name
    return next((name for name in PROMPTS if filled(row, name)), None)


def asked(row: Row) -> tuple[list[Message], list[str]]:
    """The messages before an answer and the fields that they came from; raises RowError where nothing asks."""
    name = prompt_column(row)
    if name is None:
        raise RowError("prompt", "The row has no prompt.")
    if name in LISTS:
        return with_system(row, messages_from(row[name], name), [name])
    return asking(row, name)


def asking(row: Row, question: str) -> tuple[list[Message], list[str]]:
    """The messages before an answer, and the fields that they came from: system, history, question with context.

    The context follows an instruction and goes before a question, a line apart, as LLaMA-Factory joins them.
    """
    used = [question]
    if isinstance(row.get(question), list | dict) or _is_written_list(row.get(question)):
        messages = messages_from(_unwrapped(row[question]), question)
    elif talk := _transcript(row.get(question)):
        messages = [*_history(row), *talk]
        used.append("history")
    else:
        contexts = [name for name in _CONTEXTS if name != question and filled(row, name)]
        parts = [text_field(row, question), *(text_field(row, name) for name in contexts)]
        parts = [*parts[1:], parts[0]] if question in ("question", "query") else parts
        messages = [*_history(row), {"role": "user", "content": "\n".join(parts)}]
        used += [*contexts, "history", "input"]
    if any(filled(row, name) for name in SYSTEMS):
        return with_system(row, messages, used)
    return messages, used


def _is_written_list(value: Any) -> bool:
    """Whether a text is a list of messages in JSON, as tables hold them."""
    return isinstance(value, str) and value[:2] in ("[{", "[ ") and listed(value) is not None


def _unwrapped(value: Any) -> Any:
    """The text of a question that is kept in an object (`{"full_text": …}`, `{"text": …}`), or the value itself."""
    if isinstance(value, Mapping) and "role" not in value and "from" not in value:
        said = value.get("full_text", value.get("text"))
        return said if isinstance(said, str) else value
    return value


def _transcript(value: Any) -> list[Message] | None:
    """The messages of a prompt that is written as a transcript up to the answer ("Human: … Assistant:")."""
    if not (isinstance(value, str) and value.rstrip().endswith("Assistant:") and value.lstrip().startswith("Human:")):
        return None
    pieces = _TURN.split("\n\n" + value.strip())
    said = [(who, text.strip()) for who, text in zip(pieces[1::2], pieces[2::2], strict=True)][:-1]
    if pieces[0].strip() or not said or not all(text for _, text in said):
        return None
    return [{"role": "user" if who == "Human" else "assistant", "content": text} for who, text in said]


def _history(row: Row) -> list[Message]:
    """Alpaca's history: pairs of question and answer."""
    messages: list[Message] = []
    pairs = row.get("history") or []
    pairs = listed(pairs) if isinstance(pairs, str) else pairs
    if not isinstance(pairs, list):
        raise RowError("history", f"A list of pairs is needed here, not {quoted(row.get('history'))}.")
    if pairs and all(isinstance(pair, Mapping) for pair in pairs):
        return messages_from(pairs, "history")
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(item, str) for item in pair)):
            raise RowError(f"history[{number}]", f"A pair of two texts is needed here, not {quoted(pair)}.")
        messages += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return messages
