"""What a message's content is made of: texts, thoughts, tool calls and tool results, in the dialects of the APIs.

OpenAI names the type of a part (`{"type": "text", "text": …}`), so does Anthropic (`tool_use`, `tool_result`);
Bedrock's and Gemini's parts are named by their only key (`{"text": …}`, `{"toolUse": …}`, `{"functionCall": …}`).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studio.curation.records import RowError, kind_of, quoted

_TEXTS = ("text", "input_text", "output_text")
_THOUGHTS = ("thinking", "reasoning")


class Pieces(NamedTuple):
    """A content taken apart. `results` are messages of role tool, which come before what else is said."""

    text: str
    thought: str = ""
    calls: Sequence[dict[str, Any]] = ()
    results: Sequence[dict[str, Any]] = ()


def pieces(value: Any, column: str, may_be_absent: bool = False) -> Pieces:
    """A content: a text, a list of parts, or one part; raises RowError for what is none of them, or no text."""
    if isinstance(value, str):
        return Pieces(value)
    if value is None:
        if may_be_absent:
            return Pieces("")
        raise RowError(column, "The message has no text.")
    if isinstance(value, Mapping):
        return _joined([(value, column)])
    if isinstance(value, list):
        return _joined([(part, f"{column}[{number}]") for number, part in enumerate(value)])
    raise RowError(column, f"A text is needed here, not {kind_of(value)}.")


def content_text(value: Any, column: str, may_be_absent: bool = False) -> str:
    """The text of a content alone."""
    return pieces(value, column, may_be_absent).text


def _joined(parts: list[tuple[Any, str]]) -> Pieces:
    """Parts run together."""
    texts, thoughts = [], []
    calls: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for part, column in parts:
        if isinstance(part, str):
            texts.append(part)
        elif not isinstance(part, Mapping):
            raise RowError(column, f"A part of a message is a text, not {kind_of(part)}.")
        elif (call := _call(part)) is not None:
            calls += tool_calls(call, column)
        elif (result := _result(part)) is not None:
            results.append(_tool_message(result, column))
        elif (thought := _thought(part)) is not None:
            thoughts.append(thought)
        else:
            texts.append(_text(part, column))
    return Pieces("".join(texts), "".join(thoughts), calls, results)


def _text(part: Mapping[str, Any], column: str) -> str:
    """The text of a part; raises RowError for a picture, a sound or a file."""
    said = part.get("text", part.get("value"))
    if (part.get("type") or "text") in _TEXTS and isinstance(said, str):
        return said
    what = part.get("type") or next((key for key, value in part.items() if value is not None), "nothing")
    raise RowError(f"{column}.type", f"Only text can be kept, and this part is {quoted(what)}.")


def _thought(part: Mapping[str, Any]) -> str | None:
    """The text of a part that thinks aloud."""
    if part.get("type") in _THOUGHTS:
        said = part.get("thinking") or part.get("reasoning") or part.get("value") or part.get("text") or ""
        return said if isinstance(said, str) else None
    bedrock = part.get("reasoningContent")
    said = bedrock.get("reasoningText", {}) if isinstance(bedrock, Mapping) else None
    return str(said.get("text", "")) if isinstance(said, Mapping) else None


def _call(part: Mapping[str, Any]) -> list[Any] | None:
    """The tool calls of a part."""
    for key in ("toolUse", "functionCall", "function_call"):
        if isinstance(part.get(key), Mapping):
            return [part[key]]
    if part.get("type") == "tool_use":
        return [part]
    if part.get("type") in ("tool_call", "tool_calls"):
        said = part.get("value", part.get("tool_calls"))
        return list(said) if isinstance(said, list) else _written(said)
    return None


def _written(said: Any) -> list[Any]:
    """Tool calls that are written as JSON text."""
    try:
        value = json.loads(said) if isinstance(said, str) else said
    except (ValueError, RecursionError):
        value = said
    return value if isinstance(value, list) else [value]


def _result(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The result of a tool in a part."""
    for key in ("toolResult", "functionResponse", "function_response"):
        if isinstance(part.get(key), Mapping):
            found: Mapping[str, Any] = part[key]
            return found
    return part if part.get("type") in ("tool_result", "tool_response") else None


def _tool_message(result: Mapping[str, Any], column: str) -> dict[str, Any]:
    """The result of a tool as a message."""
    said = result.get("content", result.get("response", result.get("value")))
    plain = isinstance(said, list) and all(
        isinstance(item, Mapping) and isinstance(item.get("text"), str) for item in said
    )
    if isinstance(said, list) and plain:
        text = content_text(said, column)
    else:
        inner = said[0]["json"] if isinstance(said, list) and len(said) == 1 and "json" in said[0] else said
        text = inner if isinstance(inner, str) else json.dumps(inner, ensure_ascii=False)
    made = {"role": "tool", "content": text}
    call = result.get("toolUseId", result.get("tool_use_id"))
    if isinstance(result.get("name"), str):
        made["name"] = result["name"]
    return {**made, "tool_call_id": call} if isinstance(call, str) else made


def tool_calls(value: Any, column: str) -> list[dict[str, Any]]:
    """Tool calls in the inner form; raises RowError where one has no name."""
    if not isinstance(value, list):
        raise RowError(column, f"A list of tool calls is needed here, not {kind_of(value)}.")
    return [_tool_call(item, f"{column}[{number}]") for number, item in enumerate(value)]


def _tool_call(item: Any, column: str) -> dict[str, Any]:
    function = item.get("function") or item if isinstance(item, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RowError(column, "A tool call needs a function with a name.")
    named = (function[key] for key in ("arguments", "parameters", "input", "args") if function.get(key) is not None)
    arguments = _object(next(named, {}))
    call: dict[str, Any] = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    number = item.get("id") or item.get("toolUseId")
    return {"id": number, **call} if isinstance(number, str) else call


def _object(value: Any) -> Any:
    """Arguments as an object where they are the JSON text of one."""
    if isinstance(value, str):
        try:
            decoded = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return decoded if isinstance(decoded, dict) else value
    return value
