"""Skills of daily life: units, days and months, opening hours told in the question."""

from __future__ import annotations

from random import Random

from trainers.grammar.arithmetic import one_in
from trainers.grammar.question import Answer, Skill, Slots, bare, plain
from trainers.grammar.words import DAYS, MONTHS
from trainers.grammar.world import UNITS

SHOPS = (
    "shop",
    "bakery",
    "library",
    "museum",
    "bank",
    "cafe",
    "market",
    "pharmacy",
    "post office",
    "swimming pool",
    "zoo",
)


def draw_unit(rng: Random) -> Slots:
    """A small unit and a large one."""
    few, one = rng.choice(list(UNITS))
    return {"few": few, "one": one}


def solve_unit(slots: Slots) -> Answer | None:
    """How many of the small unit make the large one."""
    for (few, one), count in UNITS.items():
        if few == slots["few"] and bare(one.lower()) == bare(slots["one"].lower().removeprefix("one ")):
            return Answer(str(count), f"the number of {few} in {one} is {count}", f"{few}", (str(count),), numeric=True)
    return None


def draw_day(rng: Random) -> Slots:
    """A day of the week or a month."""
    unit, names = ("day", DAYS) if rng.random() < 0.5 else ("month", MONTHS)
    return {"day": rng.choice(names), "unit": unit}


def _neighbour(slots: Slots, step: int) -> Answer | None:
    for names, kind in ((DAYS, "day"), (MONTHS, "month")):
        for index, name in enumerate(names):
            if name.lower() == slots["day"].lower():
                right, word = names[(index + step) % len(names)], "after" if step > 0 else "before"
                clause = f"the {kind} {word} {name} is {right}"
                return Answer(right, clause, f"the {kind} {word} {name}", (right,))
    return None


def solve_after(slots: Slots) -> Answer | None:
    """The day or month that follows."""
    return _neighbour(slots, 1)


def solve_before(slots: Slots) -> Answer | None:
    """The day or month that comes before."""
    return _neighbour(slots, -1)


def draw_hours(rng: Random) -> Slots:
    """A shop with its opening hours, in one of four notations."""
    first, last = rng.randint(6, 12), rng.randint(13, 23)
    start, end = rng.choice(
        (
            (f"{first}", f"{last}"),
            (f"{first} am", f"{last - 12} pm"),
            (f"{first}:00", f"{last}:00"),
            (f"{first}:30", f"{last}:{rng.choice(('00', '15', '30', '45'))}"),
        )
    )
    return {"shop": rng.choice(SHOPS), "from": start, "to": end}


def solve_opens(slots: Slots) -> Answer | None:
    """When the shop of the question opens."""
    return _hour(slots, "opens", "from", "to")


def solve_closes(slots: Slots) -> Answer | None:
    """When the shop of the question closes."""
    return _hour(slots, "closes", "to", "from")


def _hour(slots: Slots, verb: str, asked: str, other: str) -> Answer | None:
    hour = slots[asked]
    if not hour[0].isdigit():
        return None
    reject = (plain(slots[other]),) if other in slots else ()
    return Answer(f"at {hour}", f"the {slots['shop']} {verb} at {hour}", "opening hours", _spellings(hour), reject)


def _spellings(hour: str) -> tuple[str, ...]:
    """The ways to write an hour that mean the same, in plain form: 9, 9:00, 9 am, 9am."""
    text = plain(hour)
    bare = text.split()[0]
    whole = bare[:-2] if len(bare) > 2 and bare.endswith("00") else bare
    return (text, text.replace(" ", ""), whole, whole + "00")


def reserve_hours(slots: Slots) -> bool:
    """One in 10 combinations of hours is kept out of training."""
    return one_in(10, "hours", slots["from"], slots["to"])


_HOURS = (
    "The {shop} opens at {from} and closes at {to}. ",
    "The {shop} is open from {from} to {to}. ",
    "Our {shop} opens at {from} and closes at {to}. ",
)


SKILLS = (
    Skill(
        "units",
        (
            "How many {few} are in {one}?",
            "How many {few} are there in {one}?",
            "How many {few} does {one} have?",
            "Tell me how many {few} are in {one}.",
            "How many {few} make {one}?",
            "How many {few} has {one}?",
        ),
        draw_unit,
        solve_unit,
        unseen=("What is the number of {few} in {one}?",),
        weight=1.8,
    ),
    Skill(
        "days and months after",
        (
            "What comes after {day}?",
            "What {unit} comes after {day}?",
            "Which {unit} comes after {day}?",
            "Which {unit} follows {day}?",
            "What is the {unit} after {day}?",
            "Tell me the {unit} after {day}.",
            "What is the next {unit} after {day}?",
        ),
        draw_day,
        solve_after,
        unseen=("Tell me which {unit} comes after {day}.",),
        follow_ups=("And after {day}?",),
        weight=1.5,
    ),
    Skill(
        "days and months before",
        (
            "What comes before {day}?",
            "What {unit} comes before {day}?",
            "Which {unit} comes before {day}?",
            "What is the {unit} before {day}?",
            "Tell me the {unit} before {day}.",
        ),
        draw_day,
        solve_before,
        unseen=("Tell me which {unit} comes before {day}.",),
        follow_ups=("And before {day}?",),
        weight=1.2,
    ),
    Skill(
        "opening hours",
        (
            *(text + "When does it open?" for text in _HOURS),
            "{shop} hours: {from} to {to}. When does the {shop} open?",
            "The {shop} opens at {from}. When does it open?",
            _HOURS[0] + "When does the {shop} open?",
            _HOURS[1] + "At what time does it open?",
        ),
        draw_hours,
        solve_opens,
        unseen=(_HOURS[0] + "At what time does the {shop} open?",),
        reserved=reserve_hours,
        weight=1.5,
    ),
    Skill(
        "closing hours",
        (
            *(text + "When does it close?" for text in _HOURS),
            "{shop} hours: {from} to {to}. When does the {shop} close?",
            "The {shop} closes at {to}. When does it close?",
            _HOURS[0] + "When does the {shop} close?",
            _HOURS[1] + "At what time does it close?",
        ),
        draw_hours,
        solve_closes,
        unseen=(_HOURS[0] + "At what time does the {shop} close?",),
        reserved=reserve_hours,
        weight=1.5,
    ),
)
