"""How an example is written in each export format, and why some cannot be.

A format is a function from content to a flat record; it raises `Dropped` with the reason where the format has no
place for the example. What a format leaves out silently is metadata alone: only our own forms (messages,
preference, prompts, text) carry it, because other programs trip over columns they do not know.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from studio.curation.messages import Message

Content = Mapping[str, Any]


class Dropped(Exception):
    """The format cannot hold this example; the message is the reason."""


def native(content: Content, *parts: str) -> dict[str, Any]:
    """Our own form: the parts as they are, with tools and metadata where there are any."""
    kept = {key: content[key] for key in ("tools", "margin", "metadata") if key in content}
    return {part: [_openai(item) for item in content[part]] for part in parts} | kept


def _openai(message: Message) -> Message:
    """A message as OpenAI writes it: the arguments of a tool call are JSON text."""
    if "tool_calls" not in message:
        return message
    calls = [
        {**call, "function": {**call["function"], "arguments": _as_text(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_messages(content: Content) -> dict[str, Any]:
    """OpenAI's messages; a prompt is a conversation without an answer."""
    if "messages" in content:
        return native(content, "messages")
    if "prompt" in content and "chosen" not in content:
        return {"messages": native(content, "prompt")["prompt"], **native(content)}
    raise Dropped("not one conversation")


def as_preference(content: Content) -> dict[str, Any]:
    """TRL's preference rows: prompt, chosen and rejected as messages."""
    if "chosen" not in content:
        raise Dropped("not a preference")
    return native(content, "prompt", "chosen", "rejected")


def as_prompts(content: Content) -> dict[str, Any]:
    """Prompts alone, as messages."""
    if "prompt" not in content:
        raise Dropped("no prompt")
    return native({key: value for key, value in content.items() if key != "margin"}, "prompt")


def as_text(content: Content) -> dict[str, Any]:
    """A text alone."""
    if "text" not in content:
        raise Dropped("not a text")
    return {key: content[key] for key in ("text", "metadata") if key in content}


def as_alpaca(content: Content) -> dict[str, Any]:
    """Alpaca's fields; earlier turns become its history."""
    system, turns = _split_system(_conversation(content))
    _need_plain(turns, content)
    pairs = _pairs(turns)
    record: dict[str, Any] = {"instruction": pairs[-1][0], "input": "", "output": pairs[-1][1]}
    if system:
        record["system"] = system
    if len(pairs) > 1:
        record["history"] = pairs[:-1]
    return record


def as_pair(content: Content) -> dict[str, Any]:
    """Prompt and completion as texts, the system message beside them."""
    system, turns = _split_system(_conversation(content))
    _need_plain(turns, content)
    pairs = _pairs(turns)
    if len(pairs) > 1:
        raise Dropped("more than one turn")
    record = {"prompt": pairs[0][0], "completion": pairs[0][1]}
    return {"system": system, **record} if system else record


def as_sharegpt(content: Content) -> dict[str, Any]:
    """ShareGPT's conversations with the system message and the tools beside them."""
    system, turns = _split_system(_conversation(content))
    record: dict[str, Any] = {"conversations": [_spoken(item) for item in turns]}
    if system:
        record["system"] = system
    if "tools" in content:
        record["tools"] = json.dumps(content["tools"], ensure_ascii=False)
    return record


_SHAREGPT = {"user": "human", "assistant": "gpt", "tool": "observation"}


def _spoken(message: Message) -> dict[str, str]:
    """One turn of ShareGPT."""
    if "tool_calls" not in message:
        return {"from": _SHAREGPT[message["role"]], "value": message["content"]}
    if message["content"]:
        raise Dropped("a turn with both text and a tool call")
    calls = [call["function"] for call in message["tool_calls"]]
    return {"from": "function_call", "value": json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)}


def _conversation(content: Content) -> Sequence[Message]:
    if "messages" not in content:
        raise Dropped("not one conversation")
    messages: Sequence[Message] = content["messages"]
    return messages


def _split_system(messages: Sequence[Message]) -> tuple[str, Sequence[Message]]:
    """The first system message, and the other turns; raises Dropped where another one follows."""
    first = messages[0]["role"] == "system"
    rest = messages[1:] if first else messages
    if any(item["role"] == "system" for item in rest):
        raise Dropped("a system message between the turns")
    return (messages[0]["content"] if first else ""), rest


def _need_plain(turns: Sequence[Message], content: Content) -> None:
    """Raise Dropped where tools are in play."""
    if "tools" in content or any(item["role"] == "tool" or "tool_calls" in item for item in turns):
        raise Dropped("tool calls")


def _pairs(turns: Sequence[Message]) -> list[list[str]]:
    """User and assistant in turn as pairs of texts; raises Dropped for any other order."""
    roles = [item["role"] for item in turns]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise Dropped("turns that are not user and assistant by turns")
    return [[turns[n]["content"], turns[n + 1]["content"]] for n in range(0, len(turns), 2)]


FORMATS: Mapping[str, Callable[[Content], dict[str, Any]]] = {
    "messages": as_messages,
    "alpaca": as_alpaca,
    "sharegpt": as_sharegpt,
    "prompt-completion": as_pair,
    "csv": as_pair,
    "preference": as_preference,
    "dpo": as_preference,
    "prompts": as_prompts,
    "text": as_text,
}
# What a page offers first.
FITTING: Mapping[str, tuple[str, ...]] = {
    "sft": ("messages", "sharegpt", "alpaca", "prompt-completion", "csv"),
    "preference": ("preference",),
    "prompts": ("prompts", "messages"),
    "text": ("text",),
}
