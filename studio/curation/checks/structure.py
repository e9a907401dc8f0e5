"""Checks of a conversation's build: empty turns, the order of roles, answers that are missing, tool calls."""

from collections.abc import Iterator
from typing import Any

from studio.curation.checks.check import Check, Detail, Mended, at
from studio.curation.checks.passages import Content, passages, place, replaced, strands

# Signs that show nothing: zero-width spaces and joiners, word joiner, byte order mark, soft hyphen.
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_ROLES = ("system", "user", "assistant", "tool")


def blank(text: str) -> bool:
    """Whether a text shows nothing."""
    return not text.translate(_UNSEEN).strip()


def find_empty(content: Content) -> Detail | None:
    """Turns of user or assistant, or plain text, that say nothing and call nothing."""
    empty = [
        place(passage.path)
        for passage in passages(content)
        if passage.role in ("user", "assistant", "text")
        and passage.path[-1] != "reasoning_content"
        and blank(passage.text)
        and not _calls(content, passage.path)
    ]
    return at(f"{_turns(len(empty))} no text.", *empty) if empty else None


def _turns(count: int) -> str:
    return "A turn holds" if count == 1 else f"{count} turns hold"


def _calls(content: Content, path: tuple[Any, ...]) -> bool:
    """Whether the message of this text calls tools."""
    holder: Any = content
    for step in path[:-1]:
        holder = holder[step]
    return bool(holder.get("tool_calls"))


def find_padding(content: Content) -> Detail | None:
    """Answers that begin or end with blank space: models learn to write it."""
    padded = [
        place(passage.path)
        for passage in passages(content)
        if passage.role == "assistant"
        and passage.path[-1] == "content"
        and not blank(passage.text)
        and passage.text != passage.text.strip()
    ]
    return at("An answer begins or ends with blank space.", *padded) if padded else None


def trim(content: Content, _: Detail) -> Mended:
    """Answers without blank space around them."""
    texts = {
        passage.path: passage.text.strip()
        for passage in passages(content)
        if passage.role == "assistant" and passage.path[-1] == "content"
    }
    return replaced(content, texts)


def find_order(content: Content) -> Detail | None:
    """The first turn whose role cannot stand where it does; templates refuse such rows, or render them wrongly."""
    for part, messages in strands(content):
        for number, sentence in _misplaced(part, messages):
            return at(sentence, f"{part}[{number}]", part=part)
    return None


def _misplaced(part: str, messages: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    before = ""
    for number, message in enumerate(messages):
        role = str(message.get("role"))
        if role not in _ROLES:
            yield number, f'Turn {number + 1} has the role "{role[:40]}", which no template knows.'
        elif role == "system" and number:
            yield number, f"Turn {number + 1} is a system message; it stands first or nowhere."
        elif role == "assistant" and before in ("", "system"):
            yield number, "The assistant speaks first; a user's turn belongs before it."
        elif role == before == "user" or (role == before == "assistant" and not messages[number - 1].get("tool_calls")):
            yield number, f"Turns {number} and {number + 1} are both the {role}'s."
        before = role
    if part == "prompt" and before == "assistant":
        yield len(messages) - 1, "The prompt ends with an assistant's turn, so there is nothing to answer."


def join_turns(content: Content, detail: Detail) -> Mended:
    """Neighbouring turns of one speaker as one, a blank line between; None where that is not all that is wrong."""
    made = dict(content)
    for part in ("messages", "prompt", "chosen", "rejected", "completion"):
        if content.get(part):
            made[part] = _joined(content[part])
    return made if made != content and find_order(made) is None else None


def _joined(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for message in messages:
        last = joined[-1] if joined else {}
        plain = set(message) | set(last) <= {"role", "content"}
        if plain and message["role"] == last.get("role") and message["role"] in ("user", "assistant"):
            joined[-1] = {**last, "content": f"{last['content']}\n\n{message['content']}"}
        else:
            joined.append(message)
    return joined


def find_unanswered(content: Content) -> Detail | None:
    """Conversations without an assistant's turn, and those that end before one."""
    for part, messages in strands(content):
        if part == "prompt" or not messages:
            continue
        if not any(message.get("role") == "assistant" for message in messages):
            return at("No assistant turn: there is nothing to learn from this row.", part)
        if messages[-1].get("role") != "assistant":
            return at("The conversation ends before the assistant answers.", f"{part}[{len(messages) - 1}]")
    return None


def cut_tail(content: Content, _: Detail) -> Mended:
    """A conversation up to its last assistant turn; what came after it was never learnt from."""
    messages = content.get("messages") or []
    answers = [number for number, message in enumerate(messages) if message.get("role") == "assistant"]
    return {**content, "messages": messages[: answers[-1] + 1]} if answers else None


def find_tools(content: Content) -> Detail | None:
    """Calls without result, results without call, calls of tools that the row does not declare."""
    declared = _declared(content.get("tools"))
    for part, messages in strands(content):
        for number, sentence in _unbalanced(messages, declared):
            return at(sentence, f"{part}[{number}]")
    return None


def _declared(tools: Any) -> set[str]:
    """Names of the tools that a row offers."""
    found = set()
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function", tool) if isinstance(tool, dict) else {}
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            found.add(function["name"])
    return found


def _unbalanced(messages: list[dict[str, Any]], declared: set[str]) -> Iterator[tuple[int, str]]:
    """Walk along: calls open, results close them; an assistant's last turn may leave calls open."""
    opened: list[str | None] = []
    for number, message in enumerate(messages):
        if message.get("role") == "tool":
            given = message.get("tool_call_id")
            if not opened:
                yield number, f"Turn {number + 1} is a tool's result, and no call waits for one."
            elif given is None or None in opened or given in opened:
                opened.remove(given if given in opened else opened[0])
            else:
                yield number, f"Turn {number + 1} answers a call that nobody made (its tool_call_id is unknown)."
            continue
        if opened and message.get("role") in ("user", "assistant"):
            yield number, f"Turn {number + 1} comes before the result of {_calls_waiting(len(opened))}."
            opened = []
        for call in message.get("tool_calls") or ():
            function = call.get("function", {})
            opened.append(call.get("id"))
            if declared and function.get("name") not in declared:
                yield (
                    number,
                    f'Turn {number + 1} calls "{str(function.get("name"))[:60]}", which is no tool of the row.',
                )
            if not isinstance(function.get("arguments", {}), dict):
                yield number, f"Turn {number + 1} calls a tool with arguments that are no JSON object."


def _calls_waiting(count: int) -> str:
    return "the call before it" if count == 1 else f"{count} calls before it"


CHECKS = (
    Check(
        "empty", "error", "Empty turns",
        "A turn, or the whole text, holds nothing but blank space; a model would learn to say nothing.",
        "Write the missing text, or put the row into the trash.",
        find_empty,
    ),
    Check(
        "padding", "info", "Blank space around answers",
        "An answer begins or ends with spaces or line ends, and a model learns to write them.",
        "Remove the blank space; the words stay as they are.",
        find_padding, trim, "Trim",
    ),
    Check(
        "role-order", "error", "Wrong order of roles",
        "Chat templates expect system (at most once, first), then user and assistant in turns; "
        "others are refused or rendered wrongly.",
        "Turns of the same speaker in a row can be joined; the rest needs a person.",
        find_order, join_turns, "Join neighbouring turns",
    ),
    Check(
        "no-answer", "error", "Missing assistant turn",
        "There is no answer to learn from, or the conversation ends with a turn that nobody answers.",
        "Write the answer, or cut what comes after the last one.",
        find_unanswered, cut_tail, "Cut after the last answer",
    ),
    Check(
        "tool-calls", "error", "Unbalanced tool calls",
        "A tool is called and its result is missing, a result answers no call, or a called tool is not declared.",
        "Add the missing turn, or remove the lone one.",
        find_tools,
    ),
)  # fmt: skip
