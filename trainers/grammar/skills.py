"""All skills in the order in which they are tried on a prompt, and the recogniser built from their phrasings."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from trainers.grammar import arithmetic, chat, daily, geography, language, nature
from trainers.grammar.question import Answer, Skill, Slots, by_length, cores, pattern

SKILLS: tuple[Skill, ...] = (
    *arithmetic.SKILLS,
    *language.SKILLS,
    *geography.SKILLS,
    *nature.SKILLS,
    *daily.SKILLS,
    *chat.SKILLS,
)


class Recognised(NamedTuple):
    """A prompt read back: which skill asks, about what, and what is right."""

    skill: Skill
    slots: Slots
    answer: Answer


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[Skill, tuple[re.Pattern[str], ...]], ...]:
    return tuple((skill, tuple(map(pattern, by_length((*skill.phrasings, *skill.unseen))))) for skill in SKILLS)


def skill_named(name: str) -> Skill:
    """The skill with this name; KeyError where there is none."""
    found = [skill for skill in SKILLS if skill.name == name]
    if not found:
        raise KeyError(f"No skill is called {name!r}; the skills are {', '.join(skill.name for skill in SKILLS)}.")
    return found[0]


def recognise(prompt: str) -> Recognised | None:
    """The skill that a single prompt asks for, or None where no phrasing fits."""
    for core in cores(prompt):
        for skill, expressions in _patterns():
            found = _read(skill, expressions, core)
            if found:
                return found
    return None


def recognise_follow_up(prompt: str, skill: Skill) -> Recognised | None:
    """What a short follow-up such as "And of Spain?" asks for after a question of the given skill."""
    expressions = tuple(map(pattern, by_length(skill.follow_ups)))
    return next((found for core in cores(prompt) if (found := _read(skill, expressions, core))), None)


def _read(skill: Skill, expressions: tuple[re.Pattern[str], ...], core: str) -> Recognised | None:
    for expression in expressions:
        match = expression.match(core)
        answer = skill.solve(match.groupdict()) if match else None
        if match and answer:
            return Recognised(skill, match.groupdict(), answer)
    return None
