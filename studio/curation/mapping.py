"""A shape that a person describes: which column plays which role (`--map col=role`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from storage.errors import BadInput
from studio.curation.annotation_shapes import ANNOTATION_SHAPES
from studio.curation.answer_shapes import ANSWER_SHAPES
from studio.curation.chat_shapes import CHAT_SHAPES, listed, messages_from
from studio.curation.examples import Made
from studio.curation.fields import Row, made, number_of, text_field, truth_of
from studio.curation.judged_shapes import JUDGED_SHAPES
from studio.curation.messages import Message, conversation, said_by
from studio.curation.pair_shapes import PAIR_SHAPES, PROMPT_SHAPES, QUESTION_SHAPES
from studio.curation.preference_shapes import PREFERENCE_SHAPES
from studio.curation.records import RowError, kind_of
from studio.curation.shapes import Shape
from studio.curation.tree_shapes import TREE_SHAPES

# The most telling shapes first.
SHAPES: tuple[Shape, ...] = (
    *PREFERENCE_SHAPES,
    *JUDGED_SHAPES,
    *ANNOTATION_SHAPES,
    *CHAT_SHAPES,
    *TREE_SHAPES,
    *QUESTION_SHAPES,
    *ANSWER_SHAPES,
    *PAIR_SHAPES,
    *PROMPT_SHAPES,
)

_WORDS: Mapping[str, str] = {
    "prompt": "prompt",
    "question": "prompt",
    "instruction": "prompt",
    "user": "prompt",
    "completion": "completion",
    "answer": "completion",
    "response": "completion",
    "output": "completion",
    "assistant": "completion",
    "system": "system",
    "input": "input",
    "context": "input",
    "chosen": "chosen",
    "rejected": "rejected",
    "text": "text",
    "messages": "messages",
    "tags": "tags",
    "label": "label",
    "score": "score",
    "margin": "margin",
    "tools": "tools",
}
ROLES = ("prompt", "answer", "system", "context", "chosen", "rejected", "text", "messages", "label", "score", "margin",
         "tools", "tags")  # fmt: skip


def mapped_shape(mapping: Mapping[str, str]) -> Shape:
    """The shape that a mapping of column to role describes; raises BadInput where it makes no example."""
    columns: dict[str, list[str]] = {}
    for column, role in mapping.items():
        if role.strip().lower() not in _WORDS:
            raise BadInput(f'"{role}" is no role for the column "{column}"; the roles are {", ".join(ROLES)}.')
        columns.setdefault(_WORDS[role.strip().lower()], []).append(column)
    whole = columns.keys() & {"messages", "text"}
    pair = columns.keys() >= {"prompt"} and len(columns.keys() & {"chosen", "rejected"}) != 1
    if not whole and not pair:
        raise BadInput(
            "A mapping names a column for the prompt (alone, with an answer, or with chosen and rejected), "
            "or one for messages, or one for text."
        )
    return Shape(
        "mapped", lambda row: any(name in row for name in mapping), lambda row: _make(row, columns), as_written=True
    )


def _make(row: Row, columns: Mapping[str, Sequence[str]]) -> Made:
    """The example of a record by the mapping."""
    used = [name for names in columns.values() for name in names]
    row = {**row, **{role: row.get(columns[role][0]) for role in ("tags", "tools") if role in columns}}
    if "text" in columns:
        return made("text", {"text": _joined(row, columns["text"])}, row, used)
    if "messages" in columns:
        return _conversation(row, columns["messages"][0], used)
    prompt = _prompt(row, columns)
    if "chosen" in columns:
        sides = {role: _said(row, columns[role], "assistant") for role in ("chosen", "rejected")}
        margin = number_of(row.get(columns["margin"][0])) if "margin" in columns else None
        content = {"prompt": prompt, **sides} | ({} if margin is None else {"margin": margin})
        return made("preference", content, row, used)
    if "completion" in columns:
        answer = _said(row, columns["completion"], "assistant")
        if judged := _judged(row, columns):
            return made("preference", {"prompt": prompt, "completion": answer, **judged}, row, used)
        return made("sft", {"messages": [*prompt, *answer]}, row, used)
    return made("prompts", {"prompt": prompt}, row, used)


def _judged(row: Row, columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What a column says of the answer: good or bad, or a score; raises RowError where it says neither."""
    if "label" in columns:
        name = columns["label"][0]
        if (label := truth_of(row.get(name))) is None:
            raise RowError(name, f"True or false is needed here, not {kind_of(row.get(name))}.")
        return {"label": label}
    if "score" in columns:
        name = columns["score"][0]
        if (score := number_of(row.get(name))) is None:
            raise RowError(name, f"A number is needed here, not {kind_of(row.get(name))}.")
        return {"score": score}
    return {}


def _conversation(row: Row, column: str, used: list[str]) -> Made:
    """The messages of a column."""
    value = row.get(column)
    talk = conversation(listed(value) or value, column)
    if said_by(talk.messages, "assistant"):
        return made("sft", {"messages": talk.messages}, row, used, talk.extras)
    return made("prompts", {"prompt": talk.messages}, row, used, talk.extras)


def _prompt(row: Row, columns: Mapping[str, Sequence[str]]) -> list[Message]:
    """System and user message of a record."""
    asked = _said(row, columns["prompt"], "user")
    if context := _optional(row, columns.get("input", ())):
        asked[-1] = {**asked[-1], "content": "\n".join([asked[-1]["content"], *context])}
    system = "\n".join(_optional(row, columns.get("system", ())))
    return [{"role": "system", "content": system}, *asked] if system and not said_by(asked, "system") else asked


def _said(row: Row, names: Sequence[str], speaker: str) -> list[Message]:
    """The messages of columns: a list of messages in one, or the texts of all as one message."""
    value = row.get(names[0])
    if len(names) == 1 and isinstance(value, list | dict):
        return messages_from(value, names[0], speaker)
    return messages_from(_joined(row, names), names[0], speaker)


def _joined(row: Row, names: Sequence[str]) -> str:
    """The texts of several columns, a line apart; raises RowError where one is blank."""
    return "\n".join(text_field(row, name) for name in names)


def _optional(row: Row, names: Sequence[str]) -> list[str]:
    return [said for name in names if (said := text_field(row, name, may_be_empty=True)).strip()]


def check_columns(mapping: Mapping[str, str], columns: Sequence[str]) -> None:
    """Raise BadInput where a mapped column is not in the file."""
    for column in mapping:
        if column not in columns:
            raise BadInput(f'There is no column "{column}"; the columns are {", ".join(columns) or "none"}.')
