"""Shapes with two answers to one prompt, of which one was preferred."""

import re
from collections.abc import Mapping
from typing import Any

from studio.curation.chat_shapes import messages_from
from studio.curation.examples import Made
from studio.curation.fields import Row, filled, made
from studio.curation.messages import Message, said_by
from studio.curation.pair_shapes import asking
from studio.curation.records import RowError
from studio.curation.shapes import Shape

_PROMPTS = ("prompt", "instruction", "question", "query", "input")
_LISTS = ("conversations", "messages", "conversation", "context")
# Anthropic's transcripts: "\n\nHuman: …\n\nAssistant: …"
_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):[ ]?")


def _two(row: Row) -> bool:
    return "chosen" in row and "rejected" in row


def _is_transcript(row: Row) -> bool:
    """Two transcripts that begin alike."""
    return (
        _two(row)
        and not any(name in row for name in _PROMPTS)
        and all(isinstance(row[name], str) and _TURN.search(row[name]) for name in ("chosen", "rejected"))
    )


def _make_transcript(row: Row) -> Made:
    return _split_off(row, *(_transcript(row[name], name) for name in ("chosen", "rejected")))


def _transcript(text: str, column: str) -> list[Message]:
    """The messages of a transcript."""
    pieces = _TURN.split(text.strip())
    if pieces[0].strip() or len(pieces) < 3:
        raise RowError(column, "The transcript does not begin with a turn of Human or Assistant.")
    turns = [(who, said.strip()) for who, said in zip(pieces[1::2], pieces[2::2], strict=True)]
    if empty := next((number for number, (_, said) in enumerate(turns, start=1) if not said), None):
        raise RowError(column, f"Turn {empty} of the transcript is empty.")
    return [{"role": "user" if who == "Human" else "assistant", "content": said} for who, said in turns]


def _is_preference(row: Row) -> bool:
    """A prompt in a field of its own, or two conversations that begin alike."""
    asks = any(filled(row, name) for name in (*_PROMPTS, *_LISTS))
    return _two(row) and (asks or all(isinstance(row[name], list) for name in ("chosen", "rejected")))


def _make_preference(row: Row) -> Made:
    chosen, rejected = (_answer(row, name) for name in ("chosen", "rejected"))
    listed = next((name for name in _LISTS if isinstance(row.get(name), list)), None)
    if listed:
        prompt, used = messages_from(row[listed], listed), [listed]
    elif name := next((name for name in _PROMPTS if filled(row, name)), None):
        prompt, used = asking(row, name)
    else:
        return _split_off(row, chosen, rejected)
    if filled(row, "system") and not said_by(prompt, "system"):
        prompt = [*messages_from(row["system"], "system", "system"), *prompt]
        used = [*used, "system"]
    # UltraFeedback and its like repeat the prompt at the beginning of both answers.
    if any(item["role"] != "assistant" for item in (*chosen, *rejected)):
        return _split_off(row, chosen, rejected, used)
    return _made(row, prompt, chosen, rejected, used)


def _answer(row: Row, name: str) -> list[Message]:
    """The messages of an answer: a text, a message, or a list of them."""
    value = row.get(name)
    if value is None or value in ("", [], {}):
        raise RowError(name, "The answer is missing.")
    if not isinstance(value, str | list | Mapping):
        raise RowError(name, "An answer is a text, a message or a list of messages.")
    return messages_from(value, name, "assistant")


def _split_off(row: Row, chosen: list[Message], rejected: list[Message], used: Any = ()) -> Made:
    """Prompt and answers of two conversations that begin alike."""
    alike = 0
    while alike < min(len(chosen), len(rejected)) - 1 and chosen[alike] == rejected[alike]:
        alike += 1
    # An answer begins with an assistant's turn.
    while alike and chosen[alike]["role"] != "assistant":
        alike -= 1
    prompt = chosen[:alike]
    if not said_by(prompt, "user"):
        raise RowError("chosen", "The two conversations do not begin with the same prompt.")
    return _made(row, prompt, chosen[alike:], rejected[alike:], used)


def _made(row: Row, prompt: list[Message], chosen: list[Message], rejected: list[Message], used: Any) -> Made:
    """A preference, with its margin where the row has one."""
    for name, answer in (("chosen", chosen), ("rejected", rejected)):
        if not answer or answer[0]["role"] != "assistant":
            raise RowError(name, "The answer does not begin with an assistant's turn.")
    content: dict[str, Any] = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    margin = row.get("margin")
    taken = [*used, "chosen", "rejected"]
    if isinstance(margin, int | float) and not isinstance(margin, bool):
        content["margin"] = margin
        taken.append("margin")
    return made("preference", content, row, taken)


PREFERENCE_SHAPES: tuple[Shape, ...] = (
    Shape("hh-transcripts", _is_transcript, _make_transcript),
    Shape("preference", _is_preference, _make_preference),
)
