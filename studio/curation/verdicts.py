"""Which of two answers was preferred, as judges and people write it down.

Fields come in twos whose names differ in a mark alone (`answer_A` and `answer_B`, `output_1` and `output_2`,
`response_0` and `response_1`). The verdict is the number or letter of the better one, its field's name, its model,
its text, a signed strength (`preference_strength`, negative for the first), or a score for each.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from studio.curation.fields import Row, number_of

_MARKS = (("a", "b"), ("1", "2"), ("0", "1"), ("left", "right"), ("first", "second"), ("one", "two"))
_ANSWER = re.compile(
    r"answer|response|output|completion|reply|conversation|generation|candidate|summary|ref|text|message"
)
_NO_ANSWER = re.compile(r"score|rating|rank|model|winner|label|annotator|token|length|_id|name|source|reason|feedback")
_VERDICT = re.compile(
    r"^(?:label|labels|winner|winning|preference|preferred|preferred_\w+|overall_preference|choice|choices|chosen|"
    r"selected|selection|verdict|vote|better|better_\w+|best|best_\w+|human_\w*(?:preference|label|choice|verdict)|"
    r"preference_\w+|judg\w+|decision|comparison|pairwise\w*|annotation|gold|ground_truth|answer|annotator\w*\d+)$"
)
_STRENGTH = re.compile(r"strength|overall_preference|margin")
_SCORE = re.compile(r"score|rating|reward|quality|overall|votes?$")
_TIES = ("tie", "both", "neither", "equal", "draw", "same", "no preference", "none")


class Two(NamedTuple):
    """Two fields of a record whose names differ in a mark: the fields, the marks, and the name without the mark."""

    first: str
    second: str
    marks: tuple[str, str]
    stem: str

    @property
    def fields(self) -> tuple[str, str]:
        """Both fields."""
        return self.first, self.second


class Verdict(NamedTuple):
    """Which answer is better: 0 or 1, None for a tie. `margin`: by how much, where that was said."""

    better: int | None
    margin: float | None
    fields: tuple[str, ...]


@lru_cache(maxsize=256)
def twos_of(names: tuple[str, ...]) -> tuple[Two, ...]:
    """All pairs of fields whose names differ in a mark alone."""
    lower = {name.lower(): name for name in reversed(names)}
    found = []
    for name, told in lower.items():
        for first, second in _MARKS:
            for form in (rf"^(.*?[_\- ]?){first}$", rf"^{first}([_\- ].*)$", rf"^(.+[_\- ]){first}([_\- ].+)$"):
                match = re.match(form, name)
                other = _other(name, form, second, match) if match else None
                if other and other in lower and other != name and match:
                    stem = "".join(match.groups()).strip("_- ")
                    found.append(Two(told, lower[other], (first, second), stem))
    # `text1` and `text2` are two; `text0`, `text1` and `text2` are three, which is no pair.
    return tuple(found[::-1])


def _other(name: str, form: str, second: str, match: re.Match[str]) -> str:
    """The name of a field with the other mark."""
    groups = match.groups()
    if len(groups) == 2:
        return f"{groups[0]}{second}{groups[1]}"
    return f"{groups[0]}{second}" if form.startswith("^(") else f"{second}{groups[0]}"


def answers_of(row: Row) -> Two | None:
    """The two fields with answers, None where a record has none, or more than two of a kind."""
    return _answers_among(tuple(row))


@lru_cache(maxsize=256)
def _answers_among(names: tuple[str, ...]) -> Two | None:
    twos = [two for two in twos_of(names) if _ANSWER.search(two.stem or "answer") and not _NO_ANSWER.search(two.stem)]
    stems = Counter(two.stem for two in twos)
    return next((two for two in twos if stems[two.stem] == 1 and (two.stem or two.marks[0] in ("a", "left"))), None)


def verdict_of(row: Row, two: Two) -> Verdict | None:
    """What was said of two answers; None where nothing was, or nothing that can be understood."""
    fields = [name for name in row if _VERDICT.match(name.lower()) and name not in two.fields]
    judged = [(name, side) for name in fields if (side := _side(row, two, name)) is not None]
    if judged:
        votes = Counter(side for _, (side, _) in judged)
        top = votes.most_common(2)
        better = top[0][0] if len(top) == 1 or top[0][1] > top[1][1] else -1
        margins = [margin for _, (_, margin) in judged if margin is not None]
        names = tuple(name for name, _ in judged)
        return Verdict(None if better == -1 else better, margins[0] if margins else None, names)
    return _by_score(row, two)


def _by_score(row: Row, two: Two) -> Verdict | None:
    """The verdict of two scores, or of two flags of which one is set."""
    for other in twos_of(tuple(row)):
        scores = [number_of(row[name]) for name in other.fields]
        told = _SCORE.search(other.stem) or other.stem.startswith("winner")
        if other.marks == two.marks and told and None not in scores:
            first, second = (score or 0 for score in scores)
            better = None if first == second else int(second > first)
            return Verdict(better, abs(first - second) if "winner" not in other.stem else None, other.fields)
    return None


def _side(row: Row, two: Two, name: str) -> tuple[int, float | None] | None:
    """The side that one field names (-1 for a tie) and by how much; None where it says nothing of the kind."""
    said = row[name]
    if isinstance(said, Mapping):
        said = next((said[key] for key in ("selected", "value", "choice", "winner") if key in said), None)
    if isinstance(said, list):
        said = said[0] if len(said) == 1 else None
    number = number_of(said)
    if number is not None:
        return _by_number(number, two, name)
    return (side, None) if isinstance(said, str) and (side := _by_word(said, row, two)) is not None else None


def _by_number(number: float, two: Two, name: str) -> tuple[int, float | None] | None:
    """A side by number: signed, or counted as the answers' fields are."""
    if _STRENGTH.search(name.lower()):
        return (-1, None) if not number else (int(number > 0), abs(number))
    marks = two.marks
    if marks == ("1", "2"):  # AlpacaEval writes 1.5 for a tie, PandaLM 0, FairEval 3
        known = {1: 0, 2: 1, 0: -1, 1.5: -1, 3: -1, -1: -1}
    elif marks == ("0", "1"):
        known = {0: 0, 1: 1, -1: -1, 0.5: -1, 2: -1}
    elif "ref" in two.stem:  # SHP: 1 when A is preferred
        known = {1: 0, 0: 1}
    else:
        return None
    if number in known:
        return known[number], None
    return (int(number > 1.5), None) if marks == ("1", "2") and 1 <= number <= 2 else None


def _by_word(said: str, row: Row, two: Two) -> int | None:
    """A side by a word: the mark, the field, the model, or the answer itself."""
    word = said.strip().lower().strip("[]().:")
    for side in (0, 1):
        if said == row[two.fields[side]] or word in (two.marks[side], two.fields[side].lower()):
            return side
    for other in twos_of(tuple(row)):
        if other.marks == two.marks and other.stem != two.stem and row[other.first] != row[other.second]:
            for side in (0, 1):
                if said == row[other.fields[side]]:
                    return side
    if any(tie in word for tie in _TIES):
        return -1
    last = re.split(r"[_\- ]|(?<=[a-z])(?=\d)", word)
    for mark in (last[-1], last[0]):
        for marks in _MARKS:
            if mark in marks and (marks == two.marks or not marks[0].isdigit() or not two.marks[0].isdigit()):
                return marks.index(mark)
    return None
