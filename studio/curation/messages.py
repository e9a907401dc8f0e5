"""Messages in the one inner form, and the roads to it from the dialects that files speak.

Inner form of a message: `{"role", "content"}`, role one of system, user, assistant, tool, content always a text.
An assistant's tool calls stand in `tool_calls` as chat templates want them: `{"type": "function", "function":
{"name", "arguments"}}` with the arguments as an object (OpenAI writes them as text). `name` and `tool_call_id`
stay with their message; whatever else a message carries goes to the example's metadata.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studio.curation.records import RowError, quoted

Message = dict[str, Any]

ROLES = ("system", "user", "assistant", "tool")
_ROLE_WORDS: Mapping[str, str] = {
    **{role: role for role in ROLES},
    "developer": "system",
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "chatbot": "assistant",
    "function_call": "assistant",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
}
_KEPT = ("name", "tool_call_id", "reasoning_content")
_KNOWN = {"role", "from", "content", "value", "text", "tool_calls", "function_call", *_KEPT}


_TYPES = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}


class Conversation(NamedTuple):
    """Messages, and what their fields held beyond the inner form, by number of the message."""

    messages: list[Message]
    extras: dict[str, Any]


def conversation(value: Any, column: str) -> Conversation:
    """A list of messages in any dialect; raises RowError naming the field that does not fit."""
    if not isinstance(value, list):
        raise RowError(column, f"A list of messages is needed here, not {_kind(value)}.")
    if not value:
        raise RowError(column, "The list of messages is empty.")
    messages = [message(item, f"{column}[{number}]") for number, item in enumerate(value)]
    extras = {str(number): rest for number, item in enumerate(value) if (rest := _rest(item))}
    return Conversation(messages, extras)


def message(value: Any, column: str) -> Message:
    """One message in any dialect (`role`/`content`, `from`/`value`)."""
    if not isinstance(value, dict):
        raise RowError(column, f"A message is an object with role and content, not {_kind(value)}.")
    role = _role(value, column)
    spoken, content_key = _spoken(value)
    made: Message = {"role": role, "content": ""}
    if str(value.get("from", "")).lower() == "function_call":
        return made | {"tool_calls": _called(spoken, f"{column}.{content_key}")}
    made["content"] = content_text(spoken, f"{column}.{content_key}", may_be_absent="tool_calls" in value)
    if value.get("tool_calls"):
        made["tool_calls"] = tool_calls(value["tool_calls"], f"{column}.tool_calls")
    elif value.get("function_call"):
        made["tool_calls"] = tool_calls([{"function": value["function_call"]}], f"{column}.function_call")
    made |= {key: value[key] for key in _KEPT if isinstance(value.get(key), str)}
    if role in ("user", "assistant") and not made["content"].strip() and not made.get("tool_calls"):
        raise RowError(f"{column}.{content_key}", f"The {role} message is empty.")
    return made


def _role(value: Mapping[str, Any], column: str) -> str:
    """The role of a message in our words."""
    key = "role" if "role" in value else "from"
    if key not in value:
        raise RowError(f"{column}.role", "The message has no role.")
    said = value[key]
    role = _ROLE_WORDS.get(said.strip().lower()) if isinstance(said, str) else None
    if role is None:
        raise RowError(f"{column}.{key}", f"{quoted(said)} is no role; use {', '.join(ROLES[:-1])} or {ROLES[-1]}.")
    return role


def _spoken(value: Mapping[str, Any]) -> tuple[Any, str]:
    """What a message says, and under which key."""
    for key in ("content", "value", "text"):
        if key in value:
            return value[key], key
    return None, "value" if "from" in value else "content"


def _rest(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message that the inner form has no place for."""
    return {key: value for key, value in item.items() if key not in _KNOWN and value is not None}


def content_text(value: Any, column: str, may_be_absent: bool = False) -> str:
    """The text of a content: a text, or a list of text parts run together."""
    if isinstance(value, str):
        return value
    if value is None:
        if may_be_absent:
            return ""
        raise RowError(column, "The message has no text.")
    if isinstance(value, list):
        return "".join(_part(part, f"{column}[{number}]") for number, part in enumerate(value))
    if isinstance(value, dict):
        return _part(value, column)
    raise RowError(column, f"A text is needed here, not {_kind(value)}.")


def _part(part: Any, column: str) -> str:
    """The text of one part of a content."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RowError(column, f"A part of a message is a text, not {_kind(part)}.")
    said = part.get("text", part.get("value"))
    if part.get("type", "text") not in ("text", "input_text", "output_text") or not isinstance(said, str):
        raise RowError(f"{column}.type", f"Only text can be kept, and this part is {quoted(part.get('type'))}.")
    return said


def tool_calls(value: Any, column: str) -> list[dict[str, Any]]:
    """Tool calls in the inner form; raises RowError where one has no name."""
    if not isinstance(value, list):
        raise RowError(column, f"A list of tool calls is needed here, not {_kind(value)}.")
    return [_tool_call(item, f"{column}[{number}]") for number, item in enumerate(value)]


def _tool_call(item: Any, column: str) -> dict[str, Any]:
    function = item.get("function", item) if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise RowError(column, "A tool call needs a function with a name.")
    arguments = function.get("arguments", function.get("parameters", {}))
    call: dict[str, Any] = {"type": "function", "function": {"name": function["name"], "arguments": _object(arguments)}}
    return {"id": item["id"], **call} if isinstance(item.get("id"), str) else call


def _called(spoken: Any, column: str) -> list[dict[str, Any]]:
    """The tool calls of a ShareGPT turn `function_call`, whose value is JSON text."""
    try:
        value = json.loads(spoken) if isinstance(spoken, str) else spoken
    except (ValueError, RecursionError):
        raise RowError(column, f"A function call is JSON with name and arguments, not {quoted(spoken)}.") from None
    return tool_calls(value if isinstance(value, list) else [value], column)


def _object(value: Any) -> Any:
    """Arguments as an object where they are the JSON text of one."""
    if isinstance(value, str):
        try:
            decoded = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return decoded if isinstance(decoded, dict) else value
    return value


def tools_of(value: Any) -> list[Any] | None:
    """The tools of a record, a list or the JSON text of one; None where there are none."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else None
        except (ValueError, RecursionError):
            raise RowError("tools", f"The tools are no JSON: {quoted(value)}.") from None
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        raise RowError("tools", f"A list of tools is needed here, not {_kind(value)}.")
    return value


def said_by(messages: Sequence[Message], role: str) -> bool:
    """Whether a message of this role is among them."""
    return any(item["role"] == role for item in messages)


def check_conversation(messages: Sequence[Message], column: str = "messages", answered: bool = True) -> None:
    """The order that every chat template can render; for what people write by hand. Raises RowError."""
    for number, item in enumerate(messages):
        here = f"{column}[{number}].role"
        if item["role"] == "system" and number:
            raise RowError(here, "The system message stands first, before all others.")
        if item["role"] == "tool" and not any(
            before["role"] == "assistant" and before.get("tool_calls") for before in messages[:number]
        ):
            raise RowError(here, "A tool message answers a tool call, and no assistant turn before it makes one.")
    spoken = [item for item in messages if item["role"] != "system"]
    if not spoken or spoken[0]["role"] != "user":
        raise RowError(column, "The conversation begins with a user turn.")
    if answered and not said_by(messages, "assistant"):
        raise RowError(column, "There is no assistant turn to learn from.")


def _kind(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "nothing"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return f"{names.get(type(value), 'something else')} ({quoted(value, 40)})"
