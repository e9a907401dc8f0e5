"""The conversation that ends in an answer: the prompt, the turns that its side took since, and the answer."""

from typing import Any

from storage.comparisons import Whole
from storage.prompts import Messages
from storage.rows import Answer
from studio.feedback.showing import as_text


def conversation(whole: Whole, answer: Answer, text: str | None = None) -> Messages:
    """The whole conversation, with `text` in the place of the answer where it is given."""
    said = answer.text if text is None else text
    turns = [*whole.comparison.prompt, *(answer.history or ()), {"role": "assistant", "content": said}]
    return [{**turn, "content": as_text(turn.get("content"))} for turn in turns]


def tail(answer: Answer, text: str | None = None) -> Messages:
    """What follows the prompt on this answer's side, with `text` in the place of the answer where it is given."""
    return [*(answer.history or ()), {"role": "assistant", "content": answer.text if text is None else text}]


def source_of(study: str, whole: Whole, **more: Any) -> dict[str, Any]:
    """Where an example comes from, for its metadata. No name of a model: whoever judges still may read it."""
    return {"source": f"study {study}", "comparison": whole.comparison.id, **more}
