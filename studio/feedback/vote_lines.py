"""One record of a votes file: read strictly, refused with the name of the field and a sentence.

Our own shape (DESIGN 4.2) says a vote by `choice`, `ranking` or `rating`, or a label `{item, annotator, label}`. What
others write comes through `vote_shapes` first. Everything that a vote holds goes out and comes in again but the number
of the guidelines, which means nothing in another study.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from storage.prompts import Messages, as_messages
from storage.rows import CHOICES, RANKED, RATED
from studio.feedback.outcomes import LETTERS, ranks
from studio.feedback.vote_shapes import Reject, votes_of

UNKNOWN = "unknown"
SKIP = "skip"


@dataclass(frozen=True)
class VoteLine:
    """One vote as a file tells it; see `storage.rows.Vote` for the fields of the same name."""

    id: str | None
    prompt: Messages
    models: Sequence[str]
    answers: Sequence[str]
    annotator: str
    choice: str
    ranking: list[Any] | None
    strength: int | None
    criteria: dict[str, Any] | None
    rationale: str | None
    edited: str | None
    shown_order: list[int]
    seconds: float | None
    created_at: float | None
    rating: float | None = None
    chips: list[str] | None = None
    reason: str | None = None
    edited_position: int | None = None
    histories: Sequence[Messages | None] = ()


@dataclass(frozen=True)
class LabelLine:
    """One person's label of one item, as JSON text."""

    item: str
    annotator: str
    label: str


def read_record(raw: bytes) -> list[VoteLine | LabelLine]:
    """The votes of a record, or its label; raises Reject."""
    row = _object(raw)
    if "item" in row and "models" not in row:
        return [_label(row)]
    votes = votes_of(row)
    if votes == [row] and "label" in row:
        return [_label(row)]
    return [_vote(vote) for vote in votes]


def write_line(line: VoteLine | LabelLine) -> str:
    """The line as JSON; what is not known is left out, so that reading it back gives the same line."""
    if isinstance(line, LabelLine):
        return json.dumps(
            {"item": line.item, "annotator": line.annotator, "label": json.loads(line.label)}, ensure_ascii=False
        )
    row = {
        "id": line.id,
        "prompt": _short(line.prompt),
        "models": list(line.models),
        "answers": list(line.answers) or None,
        "annotator": line.annotator,
        "choice": None if line.choice in (RANKED, RATED) else line.choice,
        "ranking": line.ranking,
        "rating": line.rating,
        "strength": line.strength,
        "criteria": line.criteria,
        "chips": line.chips or None,
        "rationale": line.rationale,
        "reason": line.reason,
        "edited": line.edited,
        "edited_answer": None if line.edited_position is None else LETTERS[line.edited_position],
        "histories": list(line.histories) if any(line.histories) else None,
        "shown_order": line.shown_order or None,
        "seconds": line.seconds,
        "created_at": line.created_at,
    }
    return json.dumps({name: value for name, value in row.items() if value is not None}, ensure_ascii=False)


def _short(prompt: Messages) -> Any:
    """A single question as its text."""
    if not prompt:
        return None
    simple = len(prompt) == 1 and prompt[0].keys() == {"role", "content"} and prompt[0]["role"] == "user"
    return prompt[0]["content"] if simple and isinstance(prompt[0]["content"], str) else prompt


def _object(raw: bytes) -> dict[str, Any]:
    try:
        row = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Reject(error.start + 1, f"byte {error.start + 1} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Reject(error.colno, f"not JSON: {error.msg} at character {error.colno}") from error
    except RecursionError as error:
        raise Reject(1, "not JSON that can be read: nested too deeply") from error
    if not isinstance(row, dict):
        raise Reject(1, f"a vote is an object in braces, not a {type(row).__name__}")
    return row


def _no_constant(name: str) -> NoReturn:
    raise Reject(1, f"{name} is no JSON number")


def _label(row: Mapping[str, Any]) -> LabelLine:
    for column in ("item", "annotator"):
        if isinstance(row.get(column), bool) or not isinstance(row.get(column), str | int | float):
            raise Reject(column, f"a label needs {column}: a text or a number")
    if "label" not in row:
        raise Reject("label", "a label line needs label: a number, a word, or null")
    label = row["label"]
    if label is not None and (isinstance(label, bool) or not isinstance(label, str | int | float)):
        raise Reject("label", f"a label is a number, a word or null, not a {type(label).__name__}")
    return LabelLine(str(row["item"]), str(row["annotator"]), json.dumps(label, ensure_ascii=True))


def _vote(row: Mapping[str, Any]) -> VoteLine:
    models = _texts(row, "models")
    rating = _number(row, "rating")
    least = 1 if rating is not None or row.get("choice") == SKIP else 2
    if not least <= len(models) <= len(LETTERS):
        raise Reject("models", f"models names the {least} to {len(LETTERS)} contestants, not {len(models)}")
    answers = _texts(row, "answers", empty=True) if row.get("answers") is not None else []
    if answers and len(answers) != len(models):
        raise Reject("answers", f"there are {len(answers)} answers and {len(models)} models")
    ranking = _ranking(row["ranking"], models) if row.get("ranking") is not None else None
    identity = row.get("id")
    if identity is not None and (isinstance(identity, bool) or not isinstance(identity, str | int)):
        raise Reject("id", "id is a text or a number")
    return VoteLine(
        id=None if identity is None else str(identity),
        prompt=_prompt(row.get("prompt")),
        models=models,
        answers=answers,
        annotator=_text(row, "annotator") or UNKNOWN,
        choice=_choice(row.get("choice"), ranking, rating, len(models)),
        ranking=ranking,
        strength=_strength(row.get("strength")),
        criteria=_criteria(row.get("criteria")),
        rationale=_text(row, "rationale"),
        edited=_text(row, "edited"),
        shown_order=_shown_order(row.get("shown_order"), len(models)),
        seconds=_number(row, "seconds"),
        created_at=_moment(row.get("created_at")),
        rating=rating,
        chips=_texts(row, "chips") if row.get("chips") is not None else None,
        reason=_text(row, "reason"),
        edited_position=_edited(row, models),
        histories=_histories(row.get("histories"), len(models)),
    )


def _edited(row: Mapping[str, Any], models: Sequence[str]) -> int | None:
    """Which answer was mended; it may be left out where that is not known."""
    if row.get("edited_answer") is None:
        return None
    try:
        return _position(row["edited_answer"], models)
    except Reject as error:
        raise Reject("edited_answer", error.message) from error


def _histories(value: Any, count: int) -> Sequence[Messages | None]:
    """The turns of each side between prompt and answer, by position."""
    if value is None:
        return ()
    whole = isinstance(value, list) and len(value) == count
    if not whole or not all(one is None or (isinstance(one, list) and all(map(_is_turn, one))) for one in value):
        raise Reject("histories", "histories is, for each answer, null or a list of messages with role and content")
    return list(value)


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and "role" in value


def _texts(row: Mapping[str, Any], column: str, empty: bool = False) -> list[str]:
    value = row.get(column)
    if not isinstance(value, list) or not all(isinstance(item, str) and (item.strip() or empty) for item in value):
        raise Reject(column, f"{column} is a list of texts")
    return value


def _text(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    if value is not None and not isinstance(value, str):
        raise Reject(column, f"{column} is a text, not a {type(value).__name__}")
    return value or None


def _number(row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Reject(column, f"{column} is a number, not a {type(value).__name__}")
    return value


def _prompt(value: Any) -> Messages:
    if value is None or value == "":
        return []
    turns = isinstance(value, list) and all(map(_is_turn, value))
    if not (isinstance(value, str) or turns):
        raise Reject("prompt", "prompt is a text or a list of messages with role and content")
    return as_messages(value)


def _ranking(value: Any, models: Sequence[str]) -> list[Any]:
    """Positions, best first; the file may name positions, letters or models."""
    if not isinstance(value, list):
        raise Reject("ranking", "ranking is a list, best first; inner lists are ties")
    found = [
        [_position(item, models) for item in group] if isinstance(group, list) else _position(group, models)
        for group in value
    ]
    if sorted(ranks(found)) != list(range(len(models))) or _length(found) != len(models):
        raise Reject("ranking", f"ranking names each of the {len(models)} answers once")
    return found


def _length(ranking: list[Any]) -> int:
    return sum(len(group) if isinstance(group, list) else 1 for group in ranking)


def _position(item: Any, models: Sequence[str]) -> int:
    if isinstance(item, int) and not isinstance(item, bool) and 0 <= item < len(models):
        return item
    if isinstance(item, str) and list(models).count(item) == 1:
        return list(models).index(item)
    if isinstance(item, str) and len(item) == 1 and item.lower() in LETTERS[: len(models)]:
        return LETTERS.index(item.lower())
    raise Reject("ranking", f"{json.dumps(item)[:40]} is none of the answers: use 0 to {len(models) - 1}, or the model")


def _choice(value: Any, ranking: list[Any] | None, rating: float | None, count: int) -> str:
    if rating is not None:
        if count > 1 or ranking is not None or value not in (None, RATED):
            raise Reject("rating", "rating judges one answer, and such a vote has neither choice nor ranking")
        return RATED
    if value == SKIP:
        return SKIP
    if value is None and ranking is not None:
        return _choice_of(ranking) if count == 2 else RANKED
    if value is None:
        raise Reject("choice", "a vote needs choice (a, b, tie or both_bad) or ranking")
    if not isinstance(value, str) or value.lower() not in CHOICES:
        raise Reject("choice", f"choice is one of {', '.join(CHOICES)}, not {json.dumps(value)[:40]}")
    if count > 2 and ranking is None:
        raise Reject("ranking", f"a vote on {count} answers needs a ranking")
    if count == 2 and ranking is not None and value.lower() in ("a", "b") and value.lower() != _choice_of(ranking):
        raise Reject("choice", "choice and ranking say different things")
    return value.lower()


def _choice_of(ranking: list[Any]) -> str:
    places = ranks(ranking)
    return "tie" if places[0] == places[1] else "a" if places[0] < places[1] else "b"


def _strength(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Reject("strength", "strength is a whole number")
    return value


def _criteria(value: Any) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise Reject("criteria", "criteria is an object of names and values")
    return value or None


def _shown_order(value: Any, count: int) -> list[int]:
    if value is None:
        return []
    whole = isinstance(value, list) and all(type(item) is int for item in value)
    if not whole or sorted(value) != list(range(count)):
        raise Reject("shown_order", f"shown_order lists the positions 0 to {count - 1} from left to right")
    return list(value)


def _moment(value: Any) -> float | None:
    """Seconds since 1970 from a number or ISO 8601; a time without a zone is UTC."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise Reject("created_at", "created_at is seconds since 1970 or a date as 2026-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        moment = datetime.fromisoformat(f"{value}+00:00" if "T" in value or " " in value else f"{value}T00:00:00+00:00")
    return moment.timestamp()
