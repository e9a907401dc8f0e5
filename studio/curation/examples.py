"""The inner form of an example by kind, its parts, and the words that search finds it by.

sft         messages, tools?
preference  prompt (messages), tools?, and one of: chosen and rejected (messages) and margin?; completion (messages)
            and label (true: good, false: bad); completion (messages) and score
prompts     prompt (messages), tools?, answers? (messages, model?, score?, rank?: to be judged)
text        text

Each may have `metadata`: what the source held beyond this. It is kept and shown, and is no part of the content's
hash, so that the same conversation under two ids is one example.
"""

from typing import Any, NamedTuple

from studio.curation.messages import Message
from studio.curation.records import RowError


class Made(NamedTuple):
    """What a source record became: content in the inner form, and its tags."""

    kind: str
    content: dict[str, Any]
    tags: tuple[str, ...] = ()


def as_kind(made: Made, kind: str) -> Made:
    """The example as one of another kind, where it holds what that needs; raises RowError where it does not."""
    if made.kind == kind:
        return made
    content = made.content
    kept: dict[str, Any] = {key: value for key, value in content.items() if key in ("tools", "metadata")}
    if kind == "prompts" and made.kind == "sft":
        return Made(kind, {"prompt": before_answer(content["messages"]), **kept}, made.tags)
    if kind == "prompts" and made.kind == "preference":
        return Made(kind, {"prompt": content["prompt"], **kept}, made.tags)
    if kind == "sft" and made.kind == "preference":
        if content.get("label") is False:
            raise RowError("label", "The answer was called bad, so that no conversation should teach it.")
        return Made(
            kind, {"messages": content["prompt"] + content.get("chosen", content.get("completion")), **kept}, made.tags
        )
    raise RowError("", f"This row is {NAMES[made.kind]}, and {NAMES[kind]} is wanted.")


NAMES = {
    "sft": "a conversation with an answer",
    "preference": "a preference (chosen and rejected, or one answer that was judged)",
    "prompts": "a prompt without an answer",
    "text": "a plain text",
}


def before_answer(messages: list[Message]) -> list[Message]:
    """The messages up to the last assistant turn; raises RowError where nothing stands before it."""
    answers = [number for number, item in enumerate(messages) if item["role"] == "assistant"]
    before = messages[: answers[-1]] if answers else messages
    if not any(item["role"] == "user" for item in before):
        raise RowError("messages", "No user turn stands before the answer, so there is no prompt.")
    return before
