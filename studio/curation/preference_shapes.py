"""Shapes with two answers to one prompt, of which the names of the fields say which one was preferred.

`chosen` and `rejected`, and the other pairs of opposites that files use: `preferred_output` and
`non_preferred_output`, `answer_matching_behavior` and `answer_not_matching_behavior`, `best` and `worst`.
"""

import re
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from studio.curation.chat_shapes import messages_from, texts_or_messages
from studio.curation.examples import Made
from studio.curation.fields import Row, made, number_of
from studio.curation.messages import Message, tools_of
from studio.curation.questions import asked, prompt_column
from studio.curation.records import RowError
from studio.curation.shapes import Shape

_OPPOSITES = (
    ("chosen", "rejected"), ("accepted", "rejected"), ("preferred", "rejected"), ("preferred", "non_preferred"),
    ("preferred", "dispreferred"), ("matching", "not_matching"), ("correct", "incorrect"), ("correct", "wrong"),
    ("good", "bad"), ("winner", "loser"), ("winning", "losing"), ("win", "lose"),
    ("better", "worse"), ("best", "worst"),
)  # fmt: skip
# Fields named so tell about an answer and are none.
_ABOUT = re.compile(r"score|rating|model|reward|logp|length|tokens|_id$|^id_|rank|avg|source|margin")
# Anthropic's transcripts: "\n\nHuman: …\n\nAssistant: …"
_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):[ ]?")
# What judges of answers are given to read: the instruction and the answer under headings.
_JUDGED = re.compile(
    r"#+ ?(?:The )?instruction to evaluate:?\s*(.*?)\s*#+ ?Response to evaluate:?\s*(.*?)\s*(?=\n#+ ?|\Z)", re.S | re.I
)


class Sides(NamedTuple):
    """The fields of the preferred and of the other answer."""

    chosen: str
    rejected: str


@lru_cache(maxsize=256)
def sides_of(names: tuple[str, ...]) -> Sides | None:
    """The two fields whose names are opposites, None where there are none."""
    if "chosen" in names and "rejected" in names:
        return Sides("chosen", "rejected")
    for good, bad in _OPPOSITES:
        for name in names:
            other = re.sub(rf"(?<![a-z]){good}(?![a-z])", bad, name, count=1)
            if other != name and other in names and not _ABOUT.search(name):
                return Sides(name, other)
    return None


def _is_transcript(row: Row) -> bool:
    """Two texts that tell the prompt as well: transcripts that begin alike, or what a judge was given."""
    sides = sides_of(tuple(row))
    if sides is None or prompt_column(row):
        return False
    texts = [row[name] for name in sides]
    return all(isinstance(text, str) for text in texts) and any(
        all(form.search(text) for text in texts) for form in (_TURN, _JUDGED)
    )


def _make_transcript(row: Row) -> Made:
    sides = _sides(row)
    first, second = ([*_transcript(row[name], name)] for name in sides)
    return _split_off(row, sides, first, second)


def _transcript(text: Any, column: str) -> list[Message]:
    """The messages of a transcript."""
    if not isinstance(text, str):
        raise RowError(column, "The answer is missing.")
    if judged := _JUDGED.search(text):
        prompt, answer = judged.groups()
        if not prompt or not answer:
            raise RowError(column, "The instruction or the response to evaluate is empty.")
        # The first "Human:" of a longer talk is often cut off.
        talk = prompt if _TURN.match(prompt) else f"Human: {prompt}"
        return [*_transcript(talk, column), {"role": "assistant", "content": answer}]
    pieces = _TURN.split(text.strip())
    if pieces[0].strip() or len(pieces) < 3:
        raise RowError(column, "The transcript does not begin with a turn of Human or Assistant.")
    turns = [(who, said.strip()) for who, said in zip(pieces[1::2], pieces[2::2], strict=True)]
    if empty := next((number for number, (_, said) in enumerate(turns, start=1) if not said), None):
        raise RowError(column, f"Turn {empty} of the transcript is empty.")
    return [{"role": "user" if who == "Human" else "assistant", "content": said} for who, said in turns]


def _is_preference(row: Row) -> bool:
    """A prompt in a field of its own, or two conversations that begin alike."""
    sides = sides_of(tuple(row))
    if sides is None:
        return False
    lists = all(isinstance(row[name], list) or str(row[name])[:2] == "[{" for name in sides)
    answers = any(texts_or_messages(row[name]) or _several(row[name]) for name in sides) or lists
    return answers and (lists or prompt_column(row) is not None)


def _sides(row: Row) -> Sides:
    """The two fields; in a row that lacks one, those of the usual names."""
    return sides_of(tuple(row)) or Sides("chosen", "rejected")


def _make_preference(row: Row) -> Made | list[Made]:
    sides = _sides(row)
    if any(_several(row.get(name)) for name in sides):
        return _every_pair(row, sides)
    chosen, rejected = (_answer(row, name) for name in sides)
    if prompt_column(row) is None:
        return _split_off(row, sides, chosen, rejected)
    row, prompt, used = _prompt(row)
    # UltraFeedback and its like repeat the prompt at the beginning of both answers.
    if any(item["role"] in ("user", "system") for item in (*chosen, *rejected)):
        return _split_off(row, sides, chosen, rejected, used)
    return _made(row, sides, prompt, chosen, rejected, used)


def _prompt(row: Row) -> tuple[Row, list[Message], list[str]]:
    """The prompt of a row; OpenAI's holds the tools as well."""
    name = prompt_column(row)
    inner = row.get(name) if name else None
    if name and isinstance(inner, dict) and isinstance(inner.get("messages"), list):
        row = {**row, name: inner["messages"], **({"tools": inner["tools"]} if tools_of(inner.get("tools")) else {})}
    return row, *asked(row)


def _several(value: Any) -> bool:
    """Whether a field holds several answers, as a list of texts."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _every_pair(row: Row, sides: Sides) -> list[Made]:
    """Each of the good answers against each of the bad ones."""
    rest = {key: value for key, value in row.items() if key not in sides}
    several = [row[name] if _several(row.get(name)) else [row.get(name)] for name in sides]
    found = [_make_preference({**rest, sides.chosen: good, sides.rejected: bad}) for good, bad in product(*several)]
    return [made for made in found if isinstance(made, Made)]


def _answer(row: Row, name: str) -> list[Message]:
    """The messages of an answer: a text, a message, or a list of them."""
    value = row.get(name)
    if value is None or value in ("", [], {}):
        raise RowError(name, "The answer is missing.")
    if not isinstance(value, str | list | dict):
        raise RowError(name, "An answer is a text, a message or a list of messages.")
    return messages_from(value, name, "assistant")


def _split_off(row: Row, sides: Sides, chosen: list[Message], rejected: list[Message], used: Any = ()) -> Made:
    """Prompt and answers of two conversations that begin alike."""
    alike = 0
    while alike < min(len(chosen), len(rejected)) - 1 and chosen[alike] == rejected[alike]:
        alike += 1
    # An answer begins with an assistant's turn.
    while alike and chosen[alike]["role"] != "assistant":
        alike -= 1
    prompt = chosen[:alike]
    if not any(item["role"] == "user" for item in prompt):
        raise RowError(sides.chosen, "The two conversations do not begin with the same prompt.")
    return _made(row, sides, prompt, chosen[alike:], rejected[alike:], used)


def _made(
    row: Row, sides: Sides, prompt: list[Message], chosen: list[Message], rejected: list[Message], used: Any
) -> Made:
    """A preference, with its margin where the row has one."""
    for name, answer in zip(sides, (chosen, rejected), strict=True):
        if not answer or answer[0]["role"] != "assistant":
            raise RowError(name, "The answer does not begin with an assistant's turn.")
    content: dict[str, Any] = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    taken = [*used, *sides]
    margin = number_of(row.get("margin"))
    if margin is not None:
        content["margin"] = margin
        taken.append("margin")
    return made("preference", content, row, taken)


PREFERENCE_SHAPES: tuple[Shape, ...] = (
    Shape("hh-transcripts", _is_transcript, _make_transcript),
    Shape("preference", _is_preference, _make_preference),
)
