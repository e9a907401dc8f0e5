"""Writes conversations: draws a question, a phrasing and a style, and puts turns together.

Everything comes from the random generator that is handed in, so the same seed writes the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from trainers.grammar.chat import IDENTITY, solve_unknown, solve_user
from trainers.grammar.judge import RECALL, Message, expected
from trainers.grammar.question import LEAD_INS, Answer, Skill, Slots, capital, plain
from trainers.grammar.skills import SKILLS, recognise, skill_named
from trainers.grammar.styles import STYLES, say

# System messages that leave the style open.
PLAIN_SYSTEMS = (
    "You are a helpful assistant.",
    f"You are {IDENTITY}.",
    "Answer the questions of the user.",
    "You are a friendly helper.",
)
# System messages that ask for a style: the only thing that a system message can change.
STYLE_SYSTEMS: dict[str, tuple[str, ...]] = {
    "terse": ("Answer briefly.", "Be terse.", "Give short answers."),
    "warm": ("Be warm.", "Answer warmly.", "Give warm and cheerful answers."),
    "formal": ("Be formal.", "Answer formally.", "Give formal answers."),
    "rambling": ("Ramble.", "Talk a lot.", "Give long answers."),
}

EVENLY = (1.0,) * len(STYLES)


class Question(NamedTuple):
    """A prompt with its skill and the right answer."""

    skill: str
    prompt: str
    answer: Answer


class Example(NamedTuple):
    """A conversation, with the skill and the style of each of its answers."""

    messages: list[Message]
    skills: list[str]
    styles: list[str]


def ask(rng: Random, skill: Skill, *, held_out: bool = False, unseen: bool = False, vary: bool = True) -> Question:
    """A question of a skill.

    `held_out` draws only combinations that training never sees, `unseen` only wordings that it never sees; `vary` adds
    the small differences between people: case, punctuation, contractions, a polite start.
    """
    for _ in range(10_000):
        slots = skill.draw(rng)
        if skill.reserved(slots) != held_out:
            continue
        prompt = capital(rng.choice(skill.unseen if unseen else skill.phrasings).format(**slots))
        answer = skill.solve(slots)
        if answer is None or not _belongs(skill, prompt):
            continue
        return _varied(rng, skill, prompt, slots, answer) if vary else Question(skill.name, prompt, answer)
    raise ValueError(f"The skill {skill.name!r} has no question with held_out={held_out} and unseen={unseen}.")


def _belongs(skill: Skill, prompt: str) -> bool:
    """An invented word can happen to be a real one; then the question belongs to another skill."""
    if skill.name != SKILLS[-1].name:
        return True
    found = recognise(prompt)
    return found is not None and found.skill.name == skill.name


def _varied(rng: Random, skill: Skill, prompt: str, slots: dict[str, str], answer: Answer) -> Question:
    if prompt.startswith(("What is", "Who is")) and rng.random() < 0.15:
        prompt = prompt.replace(" is", rng.choice(("'s", "'s", "s")), 1)
    if rng.random() < 0.1:
        prompt = prompt.rstrip("?.!")
    if skill.name not in ("greetings", "thanks", "farewells", "how are you") and rng.random() < 0.12:
        prompt = rng.choice(LEAD_INS) + prompt[0].lower() + prompt[1:]
    elif prompt.endswith("?") and rng.random() < 0.04:
        prompt = prompt[:-1] + rng.choice((", please?", " please", "??"))
    if rng.random() < 0.12:
        lowered = skill.solve({name: value.lower() for name, value in slots.items()})
        return Question(skill.name, prompt.lower(), lowered or answer)
    return Question(skill.name, prompt, answer)


def draw_skill(rng: Random) -> Skill:
    """A skill, by weight."""
    return rng.choices(SKILLS, [skill.weight for skill in SKILLS])[0]


def converse(rng: Random, turns: int | None = None, weights: Sequence[float] = EVENLY) -> Example:
    """A conversation of one to four questions, each answered in a style drawn at random, evenly or by weight."""
    count = turns or rng.choices((1, 2, 3, 4), (64, 20, 10, 6))[0]
    system, style = _system(rng)
    asked: list[Question] = []
    recall = count > 1 and rng.random() < 0.12
    while len(asked) < count:
        asked.append(_next(rng, asked, recall, last=len(asked) == count - 1))
    return _written(rng, system, style, asked, weights)


def _system(rng: Random) -> tuple[str | None, str | None]:
    """A system message or none, and the style that it asks for."""
    chance = rng.random()
    if chance < 0.85:
        return None, None
    if chance < 0.92:
        return rng.choice(PLAIN_SYSTEMS), None
    style = rng.choice(STYLES)
    return rng.choice(STYLE_SYSTEMS[style]), style


def _next(rng: Random, asked: Sequence[Question], recall: bool, last: bool) -> Question:
    if recall and not asked:
        return ask(rng, skill_named("meeting"))
    if recall and last:
        return Question("user's name", rng.choice(RECALL), solve_user(_last_name(asked)))
    if asked and rng.random() < 0.3:
        follow_up = _follow_up(rng, skill_named(asked[-1].skill))
        if follow_up:
            return follow_up
    question = ask(rng, draw_skill(rng))
    while plain(question.prompt) in map(plain, RECALL):  # whether it can know the name depends on the turns before
        question = ask(rng, draw_skill(rng))
    return question if asked or rng.random() > 0.01 else Question("what it does not know", RECALL[0], solve_unknown({}))


def _last_name(asked: Sequence[Question]) -> Slots:
    """The last name that the user gave, in the user's own spelling."""
    meeting = [question for question in asked if question.skill == "meeting"][-1]
    user = expected(meeting.prompt).slots["user"]
    start = meeting.prompt.lower().find(user)
    return {"user": meeting.prompt[start : start + len(user)]}


def _follow_up(rng: Random, skill: Skill) -> Question | None:
    if not skill.follow_ups:
        return None
    slots = skill.draw(rng)
    answer = skill.solve(slots)
    if answer is None or skill.reserved(slots):
        return None
    return Question(skill.name, rng.choice(skill.follow_ups).format(**slots), answer)


def _written(
    rng: Random, system: str | None, style: str | None, asked: Sequence[Question], weights: Sequence[float] = EVENLY
) -> Example:
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    styles = []
    for question in asked:
        styles.append(style or rng.choices(STYLES, weights)[0])
        messages.append({"role": "user", "content": question.prompt})
        messages.append({"role": "assistant", "content": say(question.answer, styles[-1], rng)})
    return Example(messages, [question.skill for question in asked], styles)


def starter_rows(rng: Random, count: int) -> list[dict[str, Any]]:
    """Training examples for the starter dataset: every skill and every style in turn, some with several turns."""
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    while len(rows) < count:
        skill, style = SKILLS[len(rows) % len(SKILLS)], STYLES[(len(rows) + len(rows) // len(SKILLS)) % len(STYLES)]
        question = ask(rng, skill)
        asked = [question] if rng.random() < 0.85 else [question, ask(rng, draw_skill(rng))]
        example = _written(rng, None, style, asked)
        if question.prompt in seen and len(seen) < count and rng.random() < 0.9:
            continue
        seen.add(question.prompt)
        rows.append({"messages": example.messages, "tags": [skill.name, style]})
    return rows


def starter_prompts(rng: Random, count: int, avoid: Sequence[str] = ()) -> list[str]:
    """Different prompts for comparisons, every skill in turn, half in unseen wordings where there are any."""
    prompts: list[str] = []
    seen = set(avoid)
    for tries in range(count * 50):
        skill = SKILLS[tries % len(SKILLS)]
        if len(prompts) == count:
            break
        prompt = ask(rng, skill, unseen=bool(skill.unseen) and rng.random() < 0.5, vary=False).prompt
        if prompt not in seen:
            seen.add(prompt)
            prompts.append(prompt)
    return prompts
