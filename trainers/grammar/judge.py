"""Says whether an answer is right, from the prompt's text alone: for tests, measurements and the demo's votes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trainers.grammar.chat import solve_user
from trainers.grammar.question import Answer, UnknownPrompt, plain
from trainers.grammar.skills import Recognised, recognise, recognise_follow_up, skill_named

Message = dict[str, str]
RECALL = ("What is my name?", "Do you remember my name?", "Who am I?", "Can you tell me my name?")


def expected(prompt: str | Sequence[Message]) -> Recognised:
    """The skill and the right answer of a prompt, or of a conversation that ends with a user's turn.

    Raises UnknownPrompt where the grammar has no such question.
    """
    turns = [prompt] if isinstance(prompt, str) else [m["content"] for m in prompt if m["role"] == "user"]
    if not turns:
        raise UnknownPrompt("The conversation holds no user's turn; give at least one message with the role user.")
    found = _recalled(turns) or _followed(turns) or recognise(turns[-1])
    if found is None:
        raise UnknownPrompt(
            f"The grammar has no question like {turns[-1]!r}, so no answer can be called right or wrong."
        )
    return found


def _recalled(turns: Sequence[str]) -> Recognised | None:
    if plain(turns[-1]) not in [plain(text) for text in RECALL]:
        return None
    for turn in reversed(turns[:-1]):
        found = recognise(turn)
        if found and found.skill.name == "meeting":
            return Recognised(skill_named("user's name"), found.slots, solve_user(found.slots))
    return None


def _followed(turns: Sequence[str]) -> Recognised | None:
    for turn in reversed(turns[:-1]):
        before = recognise(turn)
        if before:
            return recognise_follow_up(turns[-1], before.skill)
    return None


def is_correct(prompt: str | Sequence[Message], answer: str) -> bool:
    """Whether an answer says what is right and nothing that contradicts it; UnknownPrompt for foreign prompts."""
    return says(answer, expected(prompt).answer)


def says(text: str, right: Answer) -> bool:
    """Whether a text holds the right answer; where that is a number, whether it is the text's last number."""
    if right.numeric:
        numbers = re.findall(r"\d+", text)
        return bool(numbers) and numbers[-1] == right.short
    words = plain(text)
    return any(_holds(words, ok) for ok in right.accept) and not any(_holds(words, bad) for bad in right.reject)


def _holds(words: str, phrase: str) -> bool:
    return f" {plain(phrase)} " in f" {words} "
