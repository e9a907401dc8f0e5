"""The grammar's nouns: a question's skill, its answer, and the plain form in which texts are compared.

A skill is written once and read twice: its phrasings write prompts, and the same phrasings, turned into patterns,
recognise them again. So the judge needs no record of where a prompt came from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

Slots = dict[str, str]
Value = TypeVar("Value")


class UnknownPrompt(ValueError):
    """No skill of the grammar recognises the prompt, so nobody can say which answer is right."""


@dataclass(frozen=True)
class Answer:
    """What is right, in the pieces from which every style builds its text.

    `short` is the bare answer, `clause` a whole statement without capital and full stop, `topic` a noun phrase.
    An answer is right when it holds one of `accept` and none of `reject`; if `numeric`, when its last number is
    `short`.
    A `verbatim` answer repeats the user's words, so it keeps their case.
    `ready` replaces the built texts by finished ones, for
    skills whose answers are whole sentences by nature.
    """

    short: str
    clause: str = ""
    topic: str = "that"
    accept: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    numeric: bool = False
    verbatim: bool = False
    ready: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def nothing_reserved(slots: Slots) -> bool:
    """Keep no combination back: for skills that are small tables."""
    return False


@dataclass(frozen=True)
class Skill:
    """One thing that the starter can do.

    `draw` fills the slots of a phrasing at random, `solve` finds the answer or None. Combinations for which `reserved`
    holds, and the `unseen` phrasings, never enter the training text: they measure what was learned and not memorised.
    `follow_ups` are elliptic phrasings that make sense only after a question of the same skill.
    """

    name: str
    phrasings: tuple[str, ...]
    draw: Callable[[Random], Slots]
    solve: Callable[[Slots], Answer | None]
    unseen: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    reserved: Callable[[Slots], bool] = nothing_reserved
    weight: float = 1.0


CONTRACTIONS = {
    "what's": "what is",
    "whats": "what is",
    "who's": "who is",
    "whos": "who is",
    "where's": "where is",
    "when's": "when is",
    "which's": "which is",
    "i'm": "i am",
    "don't": "do not",
    "can't": "cannot",
    "color": "colour",
    "colors": "colours",
    "gray": "grey",
}

LEAD_INS = (
    "Please tell me, ",
    "Quick question: ",
    "Can you tell me, ",
    "Hi, ",
    "Hello, ",
    "Hey, ",
    "I wonder, ",
    "A question: ",
    "Please answer: ",
    "Do you know this: ",
    "Question: ",
    "Please: ",
)
LEAD_OUTS = (" please", " thanks", " thank you")


def plain(text: str) -> str:
    """Lower case, contractions written out, punctuation gone except inside words and in sums: for comparing texts."""
    words = text.lower().replace("\u2019", "'").split()
    words = [re.sub(r"^[^\w+*=-]+|[^\w+*=-]+$", "", word) for word in words]
    words = [CONTRACTIONS.get(word, word) for word in words]
    spaced = re.sub(r"[^\w+*=\- ]", "", " ".join(word.replace(",", " ") for word in words if word))
    return " ".join(re.sub(r"([+*=])", r" \1 ", spaced).split())


def cores(prompt: str) -> list[str]:
    """The prompt's plain form without a polite start or end, where it has one, and then the whole of it."""
    whole = plain(prompt)
    starts = [whole[len(start) + 1 :] for start in map(plain, LEAD_INS) if whole.startswith(start + " ")]
    ends = [core.removesuffix(end) for core in (*starts, whole) for end in LEAD_OUTS if core.endswith(end)]
    return [*ends, *starts, whole]


def pattern(phrasing: str) -> re.Pattern[str]:
    """The expression that recognises a phrasing in plain form, each slot a group."""
    marked = re.sub(r"\{(\w+)\}", r"slot\1slot", phrasing)
    escaped = re.escape(plain(marked)).replace(r"\ ", " ")
    grouped = re.sub(r"slot([a-z]+?)slot", r"(?P<\1>.+?)", escaped)
    for name in set(re.findall(r"\?P<([a-z]+)>", grouped)):  # a slot that stands twice must read the same twice
        first, *rest = grouped.split(f"(?P<{name}>.+?)")
        grouped = first + f"(?P<{name}>.+?)" + f"(?P={name})".join(rest) if rest else first
    return re.compile(f"^{grouped}$")


def by_length(phrasings: Iterable[str]) -> list[str]:
    """The phrasings with the most words of their own first, since "Say {text}" also fits "Say this: {text}"."""
    return sorted(phrasings, key=lambda phrasing: -len(re.sub(r"\{\w+\}", "", phrasing)))


def find(table: Mapping[str, Value], text: str) -> tuple[str, Value] | None:
    """The entry of a table that a text names, in any case and with or without an article, else None."""
    wanted = bare(text.lower())
    return next(((key, value) for key, value in table.items() if bare(key.lower()) == wanted), None)


def bare(text: str) -> str:
    """The text without an article at its start."""
    first, _, rest = text.partition(" ")
    return rest if rest and first in ("a", "an", "the") else text


def yes_or_no(true: bool, fact: str, topic: str) -> Answer:
    """The answer to a question of fact: yes or no, and the fact itself."""
    right, wrong = ("yes", "no") if true else ("no", "yes")
    return Answer(right, f"{right}, {fact}", topic, (right,), (wrong,))


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def an(noun: str) -> str:
    """The noun with its indefinite article."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun
