"""Skills about countries: capitals, languages, continents."""

from __future__ import annotations

from random import Random

from trainers.grammar.question import Answer, Skill, Slots, find
from trainers.grammar.world import COUNTRIES, COUNTRY_ALIASES

CAPITALS = tuple(country.capital for country in COUNTRIES.values())


def _country(slots: Slots) -> str | None:
    names = {**{name: name for name in COUNTRIES}, **COUNTRY_ALIASES}
    found = find(names, slots["country"])
    return found[1] if found else None


def draw_country(rng: Random) -> Slots:
    """A country, now and then by its other name."""
    return {"country": rng.choice(list(COUNTRY_ALIASES) if rng.random() < 0.06 else list(COUNTRIES))}


def solve_capital(slots: Slots) -> Answer | None:
    """The capital of a country of the table."""
    name = _country(slots)
    if name is None:
        return None
    right = COUNTRIES[name].capital
    accept = (right, "Washington DC") if right == "Washington" else (right,)
    reject = tuple(other for other in CAPITALS if other != right)
    return Answer(right, f"the capital of {name} is {right}", f"the capital of {name}", accept, reject)


def draw_capital(rng: Random) -> Slots:
    """A capital that belongs to one country of the table only."""
    return {"city": rng.choice([city for city in CAPITALS if CAPITALS.count(city) == 1])}


def solve_country(slots: Slots) -> Answer | None:
    """The country that a city is the capital of."""
    for name, country in COUNTRIES.items():
        if country.capital.lower() == slots["city"].lower() and CAPITALS.count(country.capital) == 1:
            city = country.capital
            return Answer(
                name, f"{city} is the capital of {name}", f"where {city} is", (name, name.removeprefix("the "))
            )
    return None


def solve_language(slots: Slots) -> Answer | None:
    """The main language of a country."""
    name = _country(slots)
    if name is None:
        return None
    right = COUNTRIES[name].language
    return Answer(right, f"the main language of {name} is {right}", f"the language of {name}", (right,))


def solve_continent(slots: Slots) -> Answer | None:
    """The continent on which a country lies, or most of it."""
    name = _country(slots)
    if name is None:
        return None
    right = COUNTRIES[name].continent
    accept = (right, "Europe", "Asia") if name in ("Russia", "Turkey") else (right,)
    return Answer(right, f"{name} is in {right}", f"where {name} is", accept)


SKILLS = (
    Skill(
        "capitals",
        (
            "What is the capital of {country}?",
            "What is the capital city of {country}?",
            "Tell me the capital of {country}.",
            "Name the capital of {country}.",
            "The capital of {country}?",
            "Capital of {country}?",
            "Which city is the capital of {country}?",
            "Do you know the capital of {country}?",
            "Tell me what the capital of {country} is.",
            "What city is the capital of {country}?",
            "Give me the capital of {country}.",
        ),
        draw_country,
        solve_capital,
        unseen=("Can you tell me the capital of {country}?", "What is {country}'s capital?"),
        follow_ups=("And of {country}?", "And {country}?", "What about {country}?"),
        weight=3,
    ),
    Skill(
        "countries of capitals",
        (
            "{city} is the capital of which country?",
            "Which country has {city} as its capital?",
            "What country is {city} the capital of?",
            "{city} is the capital of what country?",
        ),
        draw_capital,
        solve_country,
        weight=1.2,
    ),
    Skill(
        "languages",
        (
            "What language do people speak in {country}?",
            "Which language is spoken in {country}?",
            "What language is spoken in {country}?",
            "What is the main language of {country}?",
            "Tell me the language of {country}.",
        ),
        draw_country,
        solve_language,
        unseen=("Which language do they speak in {country}?",),
        weight=1.2,
    ),
    Skill(
        "continents",
        (
            "Which continent is {country} in?",
            "What continent is {country} in?",
            "On which continent is {country}?",
            "Where is {country}?",
            "In which part of the world is {country}?",
        ),
        draw_country,
        solve_continent,
        weight=1.2,
    ),
)
