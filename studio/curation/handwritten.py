"""Contents as people write them: checked field by field, and refused with the turn and the sentence.

An import is lenient about what others made; here the person sits in front of the field, so conversations must have
the order that every chat template can render, and tools that were changed must have a schema that fits.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from storage.errors import BadInput
from studio.curation.messages import Message, check_conversation, conversation, tools_of
from studio.curation.records import RowError, quoted

_TURN = re.compile(r"(messages|prompt|chosen|rejected|completion|answers\[(\d+)\])\[(\d+)\]")
_PARTS = {"messages": "", "prompt": "Prompt", "chosen": "Chosen answer", "rejected": "Rejected answer",
          "completion": "Answer"}  # fmt: skip
_TOOL_NAME = re.compile(r"[\w.-]{1,64}")
_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")


def checked_content(kind: str, content: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A content in the inner form of its kind; raises BadInput naming the field that does not fit.

    `before`: what stood there; its tools are taken as they are where they did not change.
    """
    try:
        made = _FORMS[kind](content)
        return made | _beside(content, before or {})
    except RowError as error:
        raise BadInput(f"{_where(error.column)}{error.message}") from error


def _where(column: str) -> str:
    """Which turn is meant, as a person counts: "Turn 2: ", "Chosen answer, turn 1: "."""
    place = _TURN.match(column)
    if not place:
        return ""
    answer, turn = place.group(2), int(place.group(3)) + 1
    name = f"Answer {int(answer) + 1}" if answer else _PARTS[place.group(1)]
    return f"{name}, turn {turn}: " if name else f"Turn {turn}: "


def _beside(content: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Tools and metadata."""
    made: dict[str, Any] = {}
    if tools := tools_of(content.get("tools")):
        if tools != before.get("tools"):
            check_tools(tools)
        made["tools"] = tools
    if isinstance(content.get("metadata"), Mapping) and content["metadata"]:
        made["metadata"] = dict(content["metadata"])
    return made


def _text(content: Mapping[str, Any]) -> dict[str, Any]:
    text = content.get("text")
    if not isinstance(text, str) or not text.strip():
        raise RowError("text", "The text is empty.")
    return {"text": text}


def _sft(content: Mapping[str, Any]) -> dict[str, Any]:
    messages = _messages(content, "messages")
    check_conversation(messages)
    return {"messages": messages}


def _prompts(content: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"prompt": _prompt(content)}
    if content.get("answers"):
        if not isinstance(content["answers"], list):
            raise RowError("answers", "The answers are a list.")
        made["answers"] = [_existing(answer, number) for number, answer in enumerate(content["answers"])]
    return made


def _existing(answer: Any, number: int) -> dict[str, Any]:
    """One of several answers to a prompt, of which nothing is said or a score or a rank."""
    column = f"answers[{number}]"
    if not isinstance(answer, Mapping):
        raise RowError(column, f"Answer {number + 1} is no object.")
    made: dict[str, Any] = {"messages": _answer(answer.get("messages"), column)}
    made |= {key: answer[key] for key in ("score", "rank") if _number(answer.get(key))}
    return made | ({"model": answer["model"]} if isinstance(answer.get("model"), str) and answer["model"] else {})


def _preference(content: Mapping[str, Any]) -> dict[str, Any]:
    """A pair; or one answer with a thumb (KTO), or with a score (reward models)."""
    prompt = _prompt(content)
    if content.get("chosen") is not None or content.get("rejected") is not None or "completion" not in content:
        answers = {name: _answer(content.get(name), name) for name in ("chosen", "rejected")}
        margin = content.get("margin")
        return {"prompt": prompt, **answers, **({"margin": margin} if _number(margin) else {})}
    made: dict[str, Any] = {"prompt": prompt, "completion": _answer(content["completion"], "completion")}
    if isinstance(content.get("label"), bool):
        return made | {"label": content["label"]}
    if not _number(content.get("score")):
        raise RowError("score", "The answer needs a score, which is a number, or a thumb up or down.")
    return made | {"score": content["score"]}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _messages(content: Mapping[str, Any], name: str) -> list[Message]:
    return conversation(content.get(name), name).messages


def _prompt(content: Mapping[str, Any]) -> list[Message]:
    """A prompt: a conversation that ends with a user turn."""
    messages = _messages(content, "prompt")
    check_conversation(messages, "prompt", answered=False)
    if messages[-1]["role"] not in ("user", "tool"):
        raise RowError("prompt", "A prompt ends with a user turn.")
    return messages


def _answer(value: Any, column: str) -> list[Message]:
    messages = conversation(value, column).messages
    if messages[0]["role"] != "assistant":
        raise RowError(column, "The answer begins with an assistant turn.")
    return messages


_FORMS = {"text": _text, "sft": _sft, "prompts": _prompts, "preference": _preference}


def check_tools(tools: Sequence[Any]) -> None:
    """Raise RowError where a tool has no usable name or a schema that no call can fit."""
    names: set[str] = set()
    for number, tool in enumerate(tools, start=1):
        inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
        name = inner.get("name") if isinstance(inner, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
            raise RowError("tools", f"Tool {number} needs a name of letters, digits, dots, dashes and underscores.")
        if name in names:
            raise RowError("tools", f'Two tools are named "{name}".')
        names.add(name)
        if wrong := _schema_problem(inner.get("parameters") or {}):
            raise RowError("tools", f'Tool "{name}": {wrong}')


def _schema_problem(schema: Any) -> str:
    """What is wrong with the JSON schema of a tool's parameters, or nothing."""
    if not isinstance(schema, Mapping):
        return "The parameters must be a JSON object."
    if schema.get("type", "object") != "object":
        return f'The parameters\' type is "object", not {quoted(schema["type"])}.'
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, Mapping):
        return "The properties must be a JSON object."
    for name, one in properties.items():
        if not isinstance(one, Mapping):
            return f'The property "{name}" must be an object, like {{"type": "string"}}.'
        if isinstance(one.get("type"), str) and one["type"] not in _TYPES:
            return f'The property "{name}" has the type {quoted(one["type"])}; use one of {", ".join(_TYPES)}.'
    if not isinstance(required, list):
        return "What is required must be a list of names."
    missing = next((name for name in required if not isinstance(name, str) or name not in properties), None)
    return f"{quoted(missing)} is required, and there is no property of that name." if missing is not None else ""
