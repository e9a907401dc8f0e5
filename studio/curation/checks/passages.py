"""The texts of an example, each with its place, and an example with some of its texts replaced.

A place is a path of keys and numbers (`("messages", 2, "content")`), so that a check can say where, an editor can
jump there and a mend can put another text there. Details of findings hold places, never the text itself: what was
erased from an example must not live on in its findings.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Content = Mapping[str, Any]
Path = tuple[str | int, ...]

ANSWERS = ("chosen", "rejected", "completion")


class Passage(NamedTuple):
    """A text of an example: where it stands and who says it (`text` for plain text, `metadata`, `call`)."""

    path: Path
    role: str
    text: str


class Strand(NamedTuple):
    """Messages that a model reads in one go, by the name of the part that ends them."""

    part: str
    messages: list[dict[str, Any]]


def place(path: Path) -> str:
    """A path as people read it: `messages[2].content`."""
    said = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return said.lstrip(".")


def passages(content: Content, metadata: bool = False) -> Iterator[Passage]:
    """Every text of an example in order: what is said, thoughts, the texts in tool calls; metadata where wanted."""
    if isinstance(content.get("text"), str):
        yield Passage(("text",), "text", content["text"])
    for part in ("messages", "prompt", *ANSWERS):
        yield from _of_messages(content.get(part), (part,))
    for number, answer in enumerate(content.get("answers") or ()):
        yield from _of_messages(answer.get("messages"), ("answers", number, "messages"))
        if isinstance(answer.get("text"), str):
            yield Passage(("answers", number, "text"), "assistant", answer["text"])
    if metadata:
        yield from _leaves(content.get("metadata"), ("metadata",), "metadata")


def _of_messages(messages: Any, path: Path) -> Iterator[Passage]:
    for number, message in enumerate(messages or ()):
        here = (*path, number)
        for key in ("reasoning_content", "content"):
            if isinstance(message.get(key), str):
                yield Passage((*here, key), message.get("role", ""), message[key])
        for index, call in enumerate(message.get("tool_calls") or ()):
            arguments = call.get("function", {}).get("arguments")
            yield from _leaves(arguments, (*here, "tool_calls", index, "function", "arguments"), "call")


def _leaves(value: Any, path: Path, role: str) -> Iterator[Passage]:
    """The texts inside a JSON value."""
    if isinstance(value, str):
        yield Passage(path, role, value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key), role)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number), role)


def replaced(content: Content, texts: Mapping[Path, str]) -> dict[str, Any]:
    """The example with other texts at some places; the given one is left as it is."""
    made: dict[str, Any] = copy.deepcopy(dict(content))
    for path, text in texts.items():
        holder: Any = made
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = text
    return made


def strands(content: Content) -> list[Strand]:
    """The conversations of an example from their first message to the last: one, or one an answer."""
    if "messages" in content:
        return [Strand("messages", list(content["messages"]))]
    prompt = list(content.get("prompt") or ())
    found = [Strand(part, prompt + list(content[part])) for part in ANSWERS if content.get(part)]
    return found or ([Strand("prompt", prompt)] if "prompt" in content else [])


def prompt_of(content: Content) -> list[dict[str, Any]]:
    """What a model is asked: everything before the last answer."""
    if "messages" not in content:
        return list(content.get("prompt") or ())
    messages = content["messages"]
    answers = [number for number, message in enumerate(messages) if message.get("role") == "assistant"]
    return list(messages[: answers[-1]] if answers else messages)


def answers_of(content: Content) -> Iterator[Passage]:
    """What assistants say, all turns."""
    return (passage for passage in passages(content) if passage.role == "assistant" and passage.path[-1] == "content")


def spoken(messages: list[dict[str, Any]]) -> str:
    """Messages as one text without the system's: a long system prompt would make all rows alike."""
    said = [str(message.get("content") or "") for message in messages if message.get("role") != "system"]
    calls = [str(call.get("function")) for message in messages for call in message.get("tool_calls") or ()]
    return "\n".join(said + calls)


def body(content: Content) -> str:
    """All that is said in an example, without system messages, as one text."""
    if isinstance(content.get("text"), str):
        return str(content["text"])
    parts = [spoken(list(content[part])) for part in ("messages", "prompt", *ANSWERS) if content.get(part)]
    return "\n".join(parts)
