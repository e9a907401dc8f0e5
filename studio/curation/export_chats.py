"""Conversations, prompts and texts as other programs write them, and why some cannot be written so.

Each function takes an example's content and gives the records that it becomes; it raises `Dropped` with the reason
where the format has no place for the example. Nothing is left out silently but metadata, which our own forms alone
carry: other programs trip over columns that they do not know.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from studio.curation.messages import Message

Content = Mapping[str, Any]
Made = dict[str, Any]

# What a message may carry beside role, content and tool calls; formats of bare texts have no place for it.
_BESIDE = ("name", "tool_call_id", "reasoning_content")


class Dropped(Exception):
    """The format cannot hold this example; the message is the reason."""


def native(content: Content, *parts: str) -> Made:
    """Our own form: the parts as they are, with whatever else the example has."""
    kept = {key: content[key] for key in ("tools", "margin", "metadata") if key in content}
    return {part: [openai(item) for item in content[part]] for part in parts} | kept


def openai(message: Message) -> Message:
    """A message as OpenAI writes it: the arguments of a tool call are JSON text."""
    if "tool_calls" not in message:
        return dict(message)
    calls = [
        {**call, "function": {**call["function"], "arguments": _as_text(call["function"]["arguments"])}}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_messages(content: Content) -> list[Made]:
    """OpenAI's messages; a prompt is a conversation without an answer."""
    if "messages" in content:
        return [native(content, "messages")]
    if "prompt" in content and "chosen" not in content and "completion" not in content:
        if "answers" in content:
            raise Dropped("answers beside the prompt")
        if any(item["role"] == "assistant" for item in content["prompt"]):
            raise Dropped("a prompt with answers in it, which would be read as a conversation")
        return [{"messages": native(content, "prompt")["prompt"], **native(content)}]
    raise Dropped("not one conversation")


def as_prompts(content: Content) -> list[Made]:
    """Prompts alone, as messages."""
    if "prompt" not in content:
        raise Dropped("no prompt")
    return [native({key: value for key, value in content.items() if key != "margin"}, "prompt")]


def as_text(content: Content) -> list[Made]:
    """A text alone."""
    if "text" not in content:
        raise Dropped("not a text")
    return [{key: content[key] for key in ("text", "metadata") if key in content}]


def as_alpaca(content: Content) -> list[Made]:
    """Alpaca's fields; earlier turns become its history."""
    system, turns = split_system(conversation(content))
    need_plain(turns, content)
    pairs = _pairs(turns)
    record: Made = {"instruction": pairs[-1][0], "input": "", "output": pairs[-1][1]}
    if system:
        record["system"] = system
    if len(pairs) > 1:
        record["history"] = pairs[:-1]
    return [record]


def as_pair(content: Content) -> list[Made]:
    """Prompt and completion as texts, the system message beside them."""
    system, turns = split_system(conversation(content))
    need_plain(turns, content)
    pairs = _pairs(turns)
    if len(pairs) > 1:
        raise Dropped("more than one turn")
    record = {"prompt": pairs[0][0], "completion": pairs[0][1]}
    return [{"system": system, **record} if system else record]


def as_flat_alpaca(content: Content) -> list[Made]:
    """Alpaca's fields for a table, which has no place for a history."""
    (record,) = as_alpaca(content)
    if "history" in record:
        raise Dropped("more than one turn")
    return [record]


def as_flat_prompt(content: Content) -> list[Made]:
    """A prompt as one text, the system message beside it."""
    if "prompt" not in content:
        raise Dropped("no prompt")
    if "answers" in content:
        raise Dropped("answers beside the prompt")
    return [flat_prompt(content)]


def flat_prompt(content: Content) -> Made:
    """The prompt of a preference or a prompts row as texts; raises Dropped where it is a conversation."""
    system, turns = split_system(content["prompt"])
    need_plain(turns, content)
    if [item["role"] for item in turns] != ["user"]:
        raise Dropped("more than one turn")
    return ({"system": system} if system else {}) | {"prompt": turns[0]["content"]}


def flat_answer(messages: Sequence[Message]) -> str:
    """An answer as one text; raises Dropped where it is more than that."""
    if [item["role"] for item in messages] != ["assistant"]:
        raise Dropped("more than one turn")
    need_plain(messages, {})
    return str(messages[0]["content"])


def as_sharegpt(content: Content) -> list[Made]:
    """ShareGPT's conversations with the system message and the tools beside them."""
    system, turns = split_system(conversation(content), beside=True)
    record: Made = {"conversations": [_spoken(item) for item in turns]}
    if system:
        record["system"] = system
    if "tools" in content:
        record["tools"] = json.dumps(content["tools"], ensure_ascii=False)
    return [record]


_SHAREGPT = {"user": "human", "assistant": "gpt", "tool": "observation"}


def _spoken(message: Message) -> dict[str, str]:
    """One turn of ShareGPT; the id of a call stands in its JSON, that of an answer beside its value."""
    beside = {key: message[key] for key in _BESIDE if key in message}
    if "tool_calls" not in message:
        return {"from": _SHAREGPT[message["role"]], "value": message["content"], **beside}
    if message["content"] or beside:
        raise Dropped("a turn with both text and a tool call")
    calls = [({"id": call["id"]} if "id" in call else {}) | call["function"] for call in message["tool_calls"]]
    return {"from": "function_call", "value": json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)}


def conversation(content: Content) -> Sequence[Message]:
    """The messages of a conversation; raises Dropped for anything else."""
    if "messages" not in content:
        raise Dropped("not one conversation")
    messages: Sequence[Message] = content["messages"]
    return messages


def split_system(messages: Sequence[Message], beside: bool = False) -> tuple[str, Sequence[Message]]:
    """The first system message, and the other turns; raises Dropped where another one follows, or it is blank.

    `beside`: whether the format keeps what turns carry beside their text.
    """
    first = messages[0]["role"] == "system"
    rest = messages[1:] if first else messages
    if any(item["role"] == "system" for item in rest):
        raise Dropped("a system message between the turns")
    if not rest:
        raise Dropped("a system message alone")
    if first and not messages[0]["content"].strip():
        raise Dropped("a blank system message")
    bare = messages if not beside else messages[:1] if first else ()
    if any(key in item for item in bare for key in _BESIDE):
        raise Dropped("a name, call id or reasoning beside a message")
    return (messages[0]["content"] if first else ""), rest


def need_plain(turns: Sequence[Message], content: Content) -> None:
    """Raise Dropped where tools are in play."""
    if "tools" in content or any(item["role"] == "tool" or "tool_calls" in item for item in turns):
        raise Dropped("tool calls")


def _pairs(turns: Sequence[Message]) -> list[list[str]]:
    """User and assistant in turn as pairs of texts; raises Dropped for any other order."""
    roles = [item["role"] for item in turns]
    if not roles or roles != ["user", "assistant"] * (len(roles) // 2):
        raise Dropped("turns that are not user and assistant by turns")
    return [[turns[n]["content"], turns[n + 1]["content"]] for n in range(0, len(turns), 2)]
