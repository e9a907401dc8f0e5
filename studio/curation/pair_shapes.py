"""Shapes with one question and one answer in fields of their own, prompts without answers, and plain text."""

import re
from functools import partial

from studio.curation.chat_shapes import messages_from
from studio.curation.examples import Made
from studio.curation.fields import Row, filled, made, text_field
from studio.curation.messages import Message, said_by
from studio.curation.records import RowError, quoted
from studio.curation.shapes import Shape

# name, question, answer: the first pair whose two fields are there wins.
_PAIRS = (
    ("alpaca", "instruction", "output"),
    ("instruction-response", "instruction", "response"),
    ("instruction-response", "instruction", "completion"),
    ("instruction-response", "instruction", "answer"),
    ("prompt-completion", "prompt", "completion"),
    ("prompt-completion", "prompt", "response"),
    ("prompt-completion", "prompt", "answer"),
    ("prompt-completion", "prompt", "output"),
    ("question-answer", "question", "answer"),
    ("question-answer", "question", "response"),
    ("question-answer", "problem", "solution"),
    ("question-answer", "query", "answer"),
    ("question-answer", "query", "response"),
    ("input-output", "input", "target"),
    ("input-output", "input", "output"),
    ("input-output", "user", "assistant"),
)
_SYSTEMS = ("system", "system_prompt")
_CONTEXTS = ("input", "context")
# Fields that would hold an answer: a record with one of them is no bare prompt.
_ANSWERISH = re.compile(
    r"answer|response|output|completion|chosen|rejected|target|label|reply|replies|solution|choices|instances"
)


def _pair_fits(row: Row, question: str, answer: str) -> bool:
    """Whether both fields are there; a bool beside them marks the answer as good or bad (KTO), which is no pair."""
    return question in row and answer in row and not isinstance(row.get("label"), bool) and "chosen" not in row


def _make_pair(row: Row, question: str, answer: str) -> Made:
    """Question and answer as a conversation; a prompt may be a list of messages, an answer one as well."""
    asked, used = asking(row, question)
    spoken = row.get(answer)
    answered = (
        messages_from(spoken, answer, "assistant")
        if isinstance(spoken, list | dict)
        else [{"role": "assistant", "content": text_field(row, answer)}]
    )
    return made("sft", {"messages": asked + answered}, row, [*used, answer])


def asking(row: Row, question: str) -> tuple[list[Message], list[str]]:
    """The messages before an answer, and the fields that they came from: system, history, question with context.

    The context follows an instruction and goes before a question, a line apart, as LLaMA-Factory joins them.
    """
    used = [question]
    if isinstance(row.get(question), list | dict):
        messages = messages_from(row[question], question)
    else:
        contexts = [name for name in _CONTEXTS if name != question and filled(row, name)]
        parts = [text_field(row, question), *(text_field(row, name) for name in contexts)]
        parts = [*parts[1:], parts[0]] if question in ("question", "query") else parts
        messages = [*_history(row), {"role": "user", "content": "\n".join(parts)}]
        used += [*contexts, "history", "input"]
    for name in _SYSTEMS:
        if filled(row, name):
            messages = [{"role": "system", "content": text_field(row, name)}, *messages]
            return messages, [*used, name]
    return messages, used


def _history(row: Row) -> list[Message]:
    """Alpaca's history: pairs of question and answer."""
    messages: list[Message] = []
    pairs = row.get("history") or []
    if not isinstance(pairs, list):
        raise RowError("history", f"A list of pairs is needed here, not {quoted(pairs)}.")
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(item, str) for item in pair)):
            raise RowError(f"history[{number}]", f"A pair of two texts is needed here, not {quoted(pair)}.")
        messages += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return messages


def _is_prompt(row: Row, name: str) -> bool:
    """Whether a record asks and nothing in it answers."""
    value = row.get(name)
    asks = isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, dict) for item in value))
    others = (key for key in row if key != name)
    return asks and not any(_ANSWERISH.search(str(key).lower()) for key in others)


def _make_prompt(row: Row, name: str) -> Made:
    asked, used = asking(row, name)
    if not said_by(asked, "user"):
        raise RowError(name, "The prompt has no user turn.")
    return made("prompts", {"prompt": asked}, row, used)


def _is_turns(row: Row) -> bool:
    """MT-bench's questions: what the user says, turn by turn."""
    turns = row.get("turns")
    return isinstance(turns, list) and bool(turns) and all(isinstance(item, str) for item in turns)


def _make_turns(row: Row) -> Made:
    """The first turn; the later ones need answers in between, so they are kept as metadata."""
    first = [{"role": "user", "content": row["turns"][0]}]
    return made("prompts", {"prompt": first}, row, ["turns"] if len(row["turns"]) == 1 else [])


def _is_text(row: Row) -> bool:
    """A text alone; with a speaker or a parent beside it, it is one message of a talk."""
    return isinstance(row.get("text"), str) and not {"role", "from", "parent_id", "replies"} & row.keys()


def _make_text(row: Row) -> Made:
    return made("text", {"text": text_field(row, "text")}, row, ["text"])


PAIR_SHAPES: tuple[Shape, ...] = tuple(
    Shape(name, partial(_pair_fits, question=question, answer=answer),
          partial(_make_pair, question=question, answer=answer))
    for name, question, answer in _PAIRS
)  # fmt: skip

PROMPT_SHAPES: tuple[Shape, ...] = (
    *(
        Shape("prompts", partial(_is_prompt, name=name), partial(_make_prompt, name=name))
        for name in ("prompt", "instruction", "question", "query")
    ),
    Shape("prompts", _is_turns, _make_turns),
    Shape("text", _is_text, _make_text),
)
