"""A model drafts an answer in the editor, or improves the one that stands there: what it is asked, in which words."""

from collections.abc import Mapping
from typing import Any

from storage.errors import BadInput
from studio.clients.answers import SamplingParams

SAMPLING = SamplingParams(max_tokens=512, temperature=0.7, top_p=0.95)
"""Livelier than the likeliest words, calmer than the model's own distribution: a draft is read by a person."""

_IMPROVE = (
    "Improve your last answer: correct what is wrong, say it clearly, and keep its language and about its length. "
    "Reply with the improved answer alone."
)
_KEPT = ("role", "content", "tool_calls", "tool_call_id", "name")


def question(content: Mapping[str, Any], part: str, turn: int, how: str) -> list[dict[str, Any]]:
    """The messages that ask for one turn of a content: those before it, and for `improve` the turn and a request.

    `part`: messages, prompt, chosen, rejected, completion or "answers.0.messages". Raises BadInput where nothing stands
    before the turn that could be answered.
    """
    before, turns = _before(content, part)
    if not 0 <= turn < len(turns):
        raise BadInput(f"There is no turn {turn + 1} to be written.")
    asked = [*before, *turns[:turn]]
    if not any(item.get("role") == "user" and str(item.get("content", "")).strip() for item in asked):
        raise BadInput("Write the question first: a model needs something to answer.")
    messages = [{key: item[key] for key in _KEPT if key in item} for item in asked]
    if how == "draft":
        return messages
    if not str(turns[turn].get("content", "")).strip():
        raise BadInput("There is no answer to improve yet.")
    answer = {"role": "assistant", "content": turns[turn]["content"]}
    return [*messages, answer, {"role": "user", "content": _IMPROVE}]


def _before(content: Mapping[str, Any], part: str) -> tuple[list[Any], list[Any]]:
    """The turns before a part of a content, and those of the part."""
    if part in ("messages", "prompt"):
        return [], _turns(content.get(part))
    if part in ("chosen", "rejected", "completion"):
        return _turns(content.get("prompt")), _turns(content.get(part))
    name, _, rest = part.partition(".")
    number, _, inner = rest.partition(".")
    answers = content.get("answers")
    listed = answers if isinstance(answers, list) and name == "answers" and inner == "messages" else []
    if number.isdecimal() and int(number) < len(listed) and isinstance(listed[int(number)], Mapping):
        return _turns(content.get("prompt")), _turns(listed[int(number)].get("messages"))
    raise BadInput(f'"{part}" is no part of an example that a model could write.')


def _turns(value: Any) -> list[Any]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
