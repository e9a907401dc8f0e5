"""Skills about things and animals: colours, sounds, young, legs, kinds, plain facts to say yes or no to."""

from __future__ import annotations

import re
from random import Random

from trainers.grammar.question import Answer, Skill, Slots, an, find, yes_or_no
from trainers.grammar.world import CLAIMS, COLOURS, KINDS, LEGS, SOUNDS, YOUNG


def draw_coloured(rng: Random) -> Slots:
    """A thing with a colour that everybody agrees on."""
    return {"thing": rng.choice(list(COLOURS))}


def solve_colour(slots: Slots) -> Answer | None:
    """The usual colour of a thing."""
    found = find(COLOURS, slots["thing"])
    if found is None:
        return None
    thing, colour = found
    return Answer(colour, f"{thing} is {colour}", f"the colour of {thing}", (colour,))


def draw_sound(rng: Random) -> Slots:
    """An animal with a sound."""
    return {"animal": an(rng.choice(list(SOUNDS)))}


def solve_sound(slots: Slots) -> Answer | None:
    """The sound that an animal makes."""
    found = find(SOUNDS, slots["animal"])
    if found is None:
        return None
    return Answer(found[1], f"{an(found[0])} says {found[1]}", f"the sound of {an(found[0])}", (found[1],))


def draw_young(rng: Random) -> Slots:
    """An animal whose young have a name of their own."""
    return {"animal": rng.choice(list(YOUNG))}


def solve_young(slots: Slots) -> Answer | None:
    """The name of an animal's young."""
    found = find(YOUNG, slots["animal"])
    if found is None:
        return None
    animal, right = found
    return Answer(right, f"a baby {animal} is called {an(right)}", "the names of young animals", (right,))


def draw_legged(rng: Random) -> Slots:
    """An animal with a known number of legs."""
    return {"animal": an(rng.choice(list(LEGS)))}


def solve_legs(slots: Slots) -> Answer | None:
    """The number of an animal's legs (an octopus's arms count)."""
    found = find(LEGS, slots["animal"])
    if found is None:
        return None
    count = str(found[1])
    return Answer(count, f"the number of legs of {an(found[0])} is {count}", "legs", (count,), numeric=True)


def draw_kind(rng: Random) -> Slots:
    """A thing whose kind is known."""
    return {"thing": an(rng.choice(list(KINDS)))}


def solve_kind(slots: Slots) -> Answer | None:
    """The kind of thing that something is."""
    found = find(KINDS, slots["thing"])
    if found is None:
        return None
    return Answer(an(found[1]), f"{an(found[0])} is {an(found[1])}", f"what {an(found[0])} is", (found[1],))


def draw_member(rng: Random) -> Slots:
    """A thing and a kind, which belong together half of the time."""
    thing = rng.choice(list(KINDS))
    kind = KINDS[thing] if rng.random() < 0.5 else rng.choice(list(KINDS.values()))
    return {"pair": f"{an(thing)} {an(kind)}"}


def solve_member(slots: Slots) -> Answer | None:
    """Whether a thing is of a kind; birds, fish and insects are animals too."""
    match = re.match(r"(an? \w+) an? (.+)$", slots["pair"])
    found, kind = (find(KINDS, match[1]), match[2]) if match else (None, "")
    if found is None or kind not in KINDS.values():
        return None
    true = found[1] == kind or (kind == "animal" and found[1] in ("bird", "fish", "insect"))
    said = kind if true else found[1]
    return yes_or_no(true, f"{an(found[0])} is {an(said)}", "kinds of things")


def draw_claim(rng: Random) -> Slots:
    """A plain question about the world."""
    return {"claim": rng.choice(CLAIMS)[0]}


def solve_claim(slots: Slots) -> Answer | None:
    """Yes or no, with the fact."""
    for asked, fact, true in CLAIMS:
        if asked == slots["claim"]:
            return yes_or_no(true, fact, "questions like this one")
    return None


SKILLS = (
    Skill(
        "colours",
        (
            "What colour is {thing}?",
            "What color is {thing}?",
            "Which colour does {thing} have?",
            "Tell me the colour of {thing}.",
            "What is the colour of {thing}?",
            "Which colour is {thing}?",
        ),
        draw_coloured,
        solve_colour,
        unseen=("Tell me what colour {thing} is.",),
        follow_ups=("And {thing}?", "What about {thing}?"),
        weight=1.5,
    ),
    Skill(
        "animal sounds",
        (
            "What sound does {animal} make?",
            "What does {animal} say?",
            "What noise does {animal} make?",
            "Which sound does {animal} make?",
            "How does {animal} sound?",
            "What is the sound of {animal}?",
        ),
        draw_sound,
        solve_sound,
        unseen=("Tell me the sound {animal} makes.",),
    ),
    Skill(
        "young animals",
        (
            "What is a baby {animal} called?",
            "What do you call a baby {animal}?",
            "What is a young {animal} called?",
            "What do you call a young {animal}?",
            "What is the name for a baby {animal}?",
            "Tell me what a baby {animal} is called.",
        ),
        draw_young,
        solve_young,
        unseen=("How do you call a baby {animal}?",),
        weight=1.2,
    ),
    Skill(
        "legs",
        (
            "How many legs does {animal} have?",
            "How many legs has {animal}?",
            "Tell me how many legs {animal} has.",
            "How many legs are on {animal}?",
        ),
        draw_legged,
        solve_legs,
        weight=0.8,
    ),
    Skill(
        "kinds of things",
        (
            "What is {thing}?",
            "What kind of thing is {thing}?",
            "What sort of thing is {thing}?",
            "Tell me what {thing} is.",
        ),
        draw_kind,
        solve_kind,
        weight=1.2,
    ),
    Skill(
        "yes or no about kinds",
        ("Is {pair}?", "Tell me, is {pair}?", "Is {pair}, yes or no?", "Is it true: is {pair}?"),
        draw_member,
        solve_member,
        weight=1.8,
    ),
    Skill("yes or no", ("{claim}?", "Tell me: {claim}?", "{claim}, yes or no?"), draw_claim, solve_claim, weight=1.5),
)
