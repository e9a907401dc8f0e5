"""Messages in the one inner form, and the roads to it from the dialects that files speak.

Inner form of a message: `{"role", "content"}`, role one of system, user, assistant, tool, content always a text.
An assistant's tool calls stand in `tool_calls` as chat templates want them: `{"type": "function", "function":
{"name", "arguments"}}` with the arguments as an object (OpenAI writes them as text). `name` and `tool_call_id`
stay with their message; whatever else a message carries goes to the example's metadata.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studio.curation.message_parts import pieces, tool_calls
from studio.curation.records import RowError, kind_of, quoted

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
    "tool_call": "assistant",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
    "ipython": "tool",
}
# Turns that are nothing but a call, as JSON text.
_CALLS = ("function_call", "tool_call")
_SPEAKERS = ("role", "from", "speaker", "author", "sender")
_SPOKEN = ("content", "value", "text", "message", "parts")
_KEPT = ("name", "tool_call_id", "reasoning_content")
_KNOWN = {*_SPEAKERS[:2], *_SPOKEN, "tool_calls", "function_call", *_KEPT}
_PLAIN = frozenset(("user", "assistant"))


class Conversation(NamedTuple):
    """Messages, and what their fields held beyond the inner form, by number of the message."""

    messages: list[Message]
    extras: dict[str, Any]


def is_role(value: Any) -> bool:
    """Whether a value names a role, in any dialect."""
    return isinstance(value, str) and value.strip().lower() in _ROLE_WORDS


def speaker_key(item: Any) -> str | None:
    """Under which key an object names who speaks; None where it is no message."""
    return next((key for key in _SPEAKERS if key in item), None) if isinstance(item, Mapping) else None


def conversation(value: Any, column: str) -> Conversation:
    """A list of messages in any dialect; raises RowError naming the field that does not fit."""
    if not isinstance(value, list):
        raise RowError(column, f"A list of messages is needed here, not {kind_of(value)}.")
    if not value:
        raise RowError(column, "The list of messages is empty.")
    messages: list[Message] = []
    extras: dict[str, Any] = {}
    for number, item in enumerate(value):
        if _is_inner(item):
            messages.append(item)
            continue
        messages += message(item, f"{column}[{number}]")
        if rest := _rest(item):
            extras[str(number)] = rest
    return Conversation(messages, extras)


def _is_inner(item: Any) -> bool:
    """Whether a message is plain and has the inner form already, as most are: then it is taken as it is."""
    if type(item) is not dict or len(item) != 2:
        return False
    said = item.get("content")
    return (
        type(item.get("role")) is str
        and item["role"] in _PLAIN
        and type(said) is str
        and bool(said)
        and not said.isspace()
    )


def message(value: Any, column: str) -> list[Message]:
    """One message in any dialect (`role`/`content`, `from`/`value`, parts); several where it brings tool results."""
    if not isinstance(value, dict):
        raise RowError(column, f"A message is an object with role and content, not {kind_of(value)}.")
    role, word = _role(value, column)
    spoken, content_key = _spoken(value)
    here = f"{column}.{content_key}"
    if word in _CALLS:
        return [{"role": role, "content": "", "tool_calls": _called(spoken, here)}]
    said = pieces(spoken, here, may_be_absent="tool_calls" in value or bool(value.get("function_call")))
    made: Message = {"role": role, "content": said.text}
    if value.get("tool_calls"):
        made["tool_calls"] = tool_calls(value["tool_calls"], f"{column}.tool_calls")
    elif value.get("function_call"):
        made["tool_calls"] = tool_calls([{"function": value["function_call"]}], f"{column}.function_call")
    elif said.calls:
        made["tool_calls"] = list(said.calls)
    made |= {key: value[key] for key in _KEPT if isinstance(value.get(key), str)}
    if said.thought:
        made.setdefault("reasoning_content", said.thought)
    if said.results and not said.text:
        return list(said.results)
    if role in _PLAIN and not made["content"].strip() and not made.get("tool_calls"):
        raise RowError(here, f"The {role} message is empty.")
    return [*said.results, made]


def _role(value: Mapping[str, Any], column: str) -> tuple[str, str]:
    """The role of a message in our words, and the word that the file uses."""
    key = next((key for key in _SPEAKERS if value.get(key) is not None), speaker_key(value))
    if key is None:
        raise RowError(f"{column}.role", "The message has no role.")
    said = value[key]
    word = said.strip().lower() if isinstance(said, str) else ""
    role = _ROLE_WORDS.get(word)
    if role is None:
        raise RowError(f"{column}.{key}", f"{quoted(said)} is no role; use {', '.join(ROLES[:-1])} or {ROLES[-1]}.")
    return role, word


def _spoken(value: Mapping[str, Any]) -> tuple[Any, str]:
    """What a message says, and under which key."""
    for key in _SPOKEN:
        if value.get(key) is not None:
            return value[key], key
    return None, "value" if "from" in value else "content"


def _rest(item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message that the inner form has no place for."""
    return {key: value for key, value in item.items() if key not in _KNOWN and value is not None}


def _called(spoken: Any, column: str) -> list[dict[str, Any]]:
    """The tool calls of a ShareGPT turn `function_call`, whose value is JSON text."""
    try:
        value = json.loads(spoken) if isinstance(spoken, str) else spoken
    except (ValueError, RecursionError):
        raise RowError(column, f"A function call is JSON with name and arguments, not {quoted(spoken)}.") from None
    return tool_calls(value if isinstance(value, list) else [value], column)


def tools_of(value: Any) -> list[Any] | None:
    """The tools of a record, a list or the JSON text of one; None where there are none."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else None
        except (ValueError, RecursionError):
            raise RowError("tools", f"The tools are no JSON: {quoted(value)}.") from None
    if isinstance(value, Mapping) and isinstance(value.get("tools"), list):  # Bedrock's toolConfig
        value = [tool.get("toolSpec", tool) if isinstance(tool, Mapping) else tool for tool in value["tools"]]
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        raise RowError("tools", f"A list of tools is needed here, not {kind_of(value)}.")
    return [_decoded(tool) for tool in value]


def _decoded(tool: Any) -> Any:
    """A tool that is written as JSON text as what it means."""
    if not isinstance(tool, str):
        return tool
    try:
        return json.loads(tool)
    except (ValueError, RecursionError):
        return tool


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
