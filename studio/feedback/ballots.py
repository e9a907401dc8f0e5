"""Ballots: what the browser sends for one comparison, and what it may say by the study's settings.

A ballot speaks of sides as they were shown, from left to right; what is stored speaks of positions. So the order that
a person saw is undone here and nowhere else, for a choice, a ranking, ratings by criterion and a mended answer alike.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.errors import BadInput
from storage.rows import RANKED, RATED, Answer
from studio.feedback.outcomes import LETTERS
from studio.feedback.study_settings import STRENGTHS, Criterion, StudySettings

SIDES = ("left", "right")
DECIDED = (*SIDES, "tie", "both_bad")
SKIP = "skip"
BALLOTS = (*DECIDED, SKIP, RANKED, RATED)

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LONGEST_RATIONALE = 10_000  # characters
_LONGEST_EDIT = 100_000
_LONGEST_REASON = 200
_CHOICES: Mapping[str, Sequence[str]] = {
    "pair": (*DECIDED, SKIP),
    "turns": (*DECIDED, SKIP),
    "rank": (RANKED, SKIP),
    "rate": (RATED, SKIP),
}
_HOW: Mapping[str, str] = {
    "pair": f"A vote on two answers is one of {', '.join((*DECIDED, SKIP))}",
    "turns": f"A vote on two answers is one of {', '.join((*DECIDED, SKIP))}",
    "rank": f"Several answers are ranked: the choice is {RANKED} or {SKIP}",
    "rate": f"One answer is rated: the choice is {RATED} or {SKIP}",
}


class Edit(NamedTuple):
    """A mended answer: which side, from left to right, and what it should have said."""

    side: int
    text: str


@dataclass(frozen=True)
class Ballot:
    """What the browser sends: everything as it was seen, and the hashes of what was shown."""

    id: str
    comparison_id: str
    choice: str
    shown_sha256: Sequence[str]
    """From left to right."""

    seconds: float | None = None
    """Reading time."""

    ranking: Sequence[Sequence[int]] | None = None
    """Sides, best first; those of an inner list are equally good."""

    rating: float | None = None
    strength: int | None = None
    criteria: Mapping[str, Sequence[float | None]] | None = None
    """By key, one value a side."""

    chips: Sequence[str] | None = None
    rationale: str | None = None
    edited: Edit | None = None
    reason: str | None = None
    """Of a skip."""

    guidelines: int | None = None
    """The version that was in force."""


class Judged(NamedTuple):
    """What a ballot says by position; the names are those of `storage.rows.Vote`."""

    choice: str
    ranking: list[Any] | None
    rating: float | None
    criteria: dict[str, Any] | None
    edited: str | None
    edited_position: int | None


def layout_of(settings: StudySettings, count: int) -> str:
    """How so many answers are shown: as the study says, where that many can be shown so."""
    if count == 1:
        return "rate"
    if count > 2:
        return "rank"
    return settings.layout if settings.layout in ("pair", "turns") else "pair"


def refuse_shapeless(ballot: Ballot) -> None:
    """Raise BadInput for a word or an id that no study knows."""
    if ballot.choice not in BALLOTS:
        raise BadInput(f'A vote is one of {", ".join(BALLOTS)}, not "{ballot.choice[:40]}".')
    if not _ID.fullmatch(ballot.id):
        raise BadInput("A vote needs an id of 8 to 64 letters, digits, dashes and underscores.")


def refuse_undo(identity: str) -> None:
    """Raise BadInput for an id that an undo cannot have."""
    if not _ID.fullmatch(identity):
        raise BadInput("An undo needs an id of 8 to 64 letters, digits, dashes and underscores.")


def refuse_impossible(ballot: Ballot, settings: StudySettings, answers: Sequence[Answer]) -> None:
    """Raise BadInput where the study asks for something else, saying what; `answers` from left to right."""
    layout = layout_of(settings, len(answers))
    if ballot.choice not in _CHOICES[layout]:
        raise BadInput(f'{_HOW[layout]}, not "{ballot.choice}".')
    _check_ranking(ballot, len(answers))
    _check_rating(ballot, settings)
    _check_strength(ballot)
    _check_criteria(ballot, settings.criteria, len(answers))
    _check_words(ballot, settings)
    _check_edit(ballot, answers)
    missing = [] if ballot.choice == SKIP else _missing(ballot, settings, len(answers))
    if missing:
        raise BadInput(f"This study asks for {_listed(missing)}; the vote was not kept without.")


def positioned(ballot: Ballot, order: Sequence[int]) -> Judged:
    """The ballot by position; `order`: positions from left to right."""
    choice = ballot.choice
    if choice in SIDES:
        choice = LETTERS[order[SIDES.index(choice)]]
    criteria = {
        key: [value for _, value in sorted(zip(order, values, strict=True))]
        for key, values in (ballot.criteria or {}).items()
        if any(value is not None for value in values)
    }
    edit = ballot.edited
    return Judged(
        choice=choice,
        ranking=None if ballot.ranking is None else [_group(order[side] for side in one) for one in ballot.ranking],
        rating=ballot.rating,
        criteria=criteria or None,
        edited=edit.text if edit else None,
        edited_position=order[edit.side] if edit else None,
    )


def _group(positions: Iterable[int]) -> int | list[int]:
    """One place of a ranking: a position, or several that tie."""
    found = sorted(positions)
    return found[0] if len(found) == 1 else found


def _check_ranking(ballot: Ballot, count: int) -> None:
    if ballot.choice != RANKED:
        if ballot.ranking is not None:
            raise BadInput(f'A vote "{ballot.choice}" has no ranking.')
        return
    named = [side for group in ballot.ranking or () for side in group]
    if sorted(named) != list(range(count)) or not all(ballot.ranking or ()):
        raise BadInput(
            f"A ranking names each of the {count} answers once, 0 to {count - 1} from left to right, best first."
        )


def _check_rating(ballot: Ballot, settings: StudySettings) -> None:
    if ballot.choice != RATED:
        if ballot.rating is not None:
            raise BadInput(f'A vote "{ballot.choice}" has no rating; ratings by criterion go into criteria.')
        return
    if not _step(ballot.rating, settings.scale):
        words = "1 (down) or 2 (up)" if settings.scale == 2 else f"a whole number from 1 to {settings.scale}"
        raise BadInput(f"A rating is {words}, not {_value(ballot.rating)}.")


def _check_strength(ballot: Ballot) -> None:
    if ballot.strength is None:
        return
    if ballot.choice not in SIDES:
        raise BadInput(f'How much better an answer is (strength) can only be said of left or right, not of '
                       f'"{ballot.choice}".')  # fmt: skip
    if ballot.strength not in range(len(STRENGTHS)):
        levels = ", ".join(f"{number} {word}" for number, word in enumerate(STRENGTHS))
        raise BadInput(f"A strength is one of {levels}, not {_value(ballot.strength)}.")


def _check_criteria(ballot: Ballot, known: Sequence[Criterion], count: int) -> None:
    by_key = {one.key: one for one in known}
    for key, values in (ballot.criteria or {}).items():
        if key not in by_key:
            there = ", ".join(by_key) or "none"
            raise BadInput(f'This study has no criterion "{key[:40]}"; there are: {there}.')
        if len(values) != count:
            raise BadInput(f'"{by_key[key].label}" needs one value for each of the {count} answers, not {len(values)}.')
        for value in values:
            if value is not None and not _step(value, by_key[key].scale):
                scale = by_key[key].scale
                raise BadInput(f'"{by_key[key].label}" goes from 1 to {scale}; {_value(value)} is none of its steps.')


def _check_words(ballot: Ballot, settings: StudySettings) -> None:
    for chip in ballot.chips or ():
        if chip not in settings.chips:
            there = ", ".join(settings.chips) or "none"
            raise BadInput(f'This study has no reason "{chip[:40]}" to choose; there are: {there}.')
    if ballot.rationale and len(ballot.rationale) > _LONGEST_RATIONALE:
        raise BadInput(f"The rationale has {len(ballot.rationale):,} characters; {_LONGEST_RATIONALE:,} is the most.")
    if ballot.reason and ballot.choice != SKIP:
        raise BadInput("Only a skip has a reason; why one answer is better goes into the rationale.")
    if ballot.reason and len(ballot.reason) > _LONGEST_REASON:
        raise BadInput(f"The reason of a skip has {_LONGEST_REASON} characters at most.")


def _check_edit(ballot: Ballot, answers: Sequence[Answer]) -> None:
    edit = ballot.edited
    if edit is None:
        return
    if ballot.choice == SKIP:
        raise BadInput("A skip mends nothing; vote, and the mended answer is kept with the vote.")
    if not 0 <= edit.side < len(answers):
        raise BadInput(f"There is no answer {edit.side} to mend; they are counted 0 to {len(answers) - 1}.")
    if not edit.text.strip():
        raise BadInput("The mended answer is empty; write what it should have said.")
    if len(edit.text) > _LONGEST_EDIT:
        raise BadInput(f"The mended answer has {len(edit.text):,} characters; {_LONGEST_EDIT:,} is the most.")
    if edit.text == answers[edit.side].text:
        raise BadInput("The mended answer is the same as before; change it, or vote without mending.")


def _missing(ballot: Ballot, settings: StudySettings, count: int) -> list[str]:
    """What is required and was not said."""
    found = []
    if settings.strength == "required" and ballot.choice in SIDES and ballot.strength is None:
        found.append("how much better the answer is (strength)")
    given = ballot.criteria or {}
    for one in settings.criteria:
        if one.required and None in given.get(one.key, [None]):
            found.append(f'"{one.label}" of {"the answer" if count == 1 else "every answer"}')
    if settings.rationale == "required" and not (ballot.rationale or "").strip():
        found.append("a rationale")
    return found


def _step(value: Any, scale: int) -> bool:
    """Whether a value is one of the steps 1 to `scale`."""
    return isinstance(value, int | float) and math.isfinite(value) and value == int(value) and 1 <= value <= scale


def _value(value: Any) -> str:
    return "nothing" if value is None else f"{value:g}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
