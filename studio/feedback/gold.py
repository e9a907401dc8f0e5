"""Gold: comparisons with a known answer, mixed into everybody's queue, to see how well each person judges.

Each gold item comes once to each person, so votes on it say nothing of the models: they count for the person's
accuracy alone, and results name how many were left out.
"""

from collections.abc import Mapping
from typing import Any

from storage import gold
from storage.comparisons import Whole, get_comparison
from storage.errors import BadInput, NotFound
from storage.gold import Gold, standing
from storage.judgements import opening
from storage.rows import CHOICES, RANKED, Study
from storage.store import Store
from studio.feedback.fixing import bring_in_line
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import settings_of
from studio.people.roles import Action, Actor, require

__all__ = ["gold_items", "lift_gold", "meaning", "set_gold", "standing", "unseen"]

_OPENING = 200  # characters of a prompt that a list shows


def set_gold(
    store: Store, study: Study, comparison_id: str, expected: Mapping[str, Any], note: str | None, actor: Actor
) -> Gold:
    """Say what is right for a comparison. `expected`: one of choice, ranking, rating, by position, as votes keep it.

    Raises Forbidden, NotFound, and BadInput for what no vote on this comparison can say.
    """
    require(actor, Action.RUN_STUDIES)
    whole = get_comparison(store, comparison_id)
    if whole.comparison.study_id != study.id:
        raise NotFound(f'Study "{study.name}" has no comparison "{comparison_id}".')
    if whole.comparison.state != "ready":
        raise BadInput("Only a comparison whose answers are there can have a known answer.")
    checked = _checked(study, whole, expected)
    made = gold.put_gold(store, study.id, comparison_id, checked, (note or "").strip(), actor.name)
    bring_in_line(store, study)
    return made


def lift_gold(store: Store, study: Study, comparison_id: str, actor: Actor) -> None:
    """Let a comparison be like the others again; raises Forbidden, and NotFound where it has no known answer."""
    require(actor, Action.RUN_STUDIES)
    if not gold.lift(store, study.id, comparison_id):
        raise NotFound(f'Comparison "{comparison_id}" has no known answer in study "{study.name}".')
    bring_in_line(store, study)


def gold_items(store: Store, study: Study) -> list[dict[str, Any]]:
    """The known answers of a study, oldest first, each with the beginning of its prompt."""
    return [
        {
            "comparison": one.comparison_id,
            "prompt": opening(store, one.comparison_id, _OPENING) or "",
            "expected": one.expected,
            "note": one.note,
            "author": one.author,
            "created_at": one.created_at,
        }
        for one in gold.list_gold(store, study.id)
    ]


def unseen(store: Store, study: Study, annotator: str) -> list[str]:
    """Gold that a person has not had yet, in an order of their own."""
    found = gold.unseen(store, study.id, annotator)
    return sorted(found, key=lambda one: shuffled("gold", study.seed, annotator, one))


def meaning(choice: str, ranking: Any, rating: float | None) -> tuple[Any, ...]:
    """What a judgement says, so that two that say the same are equal: ties of a ranking have no order."""
    groups = [sorted(group) if isinstance(group, list) else [group] for group in ranking or ()]
    return (RANKED, groups) if ranking is not None else (choice, rating)


def _checked(study: Study, whole: Whole, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The one thing that is expected."""
    said = {name: expected[name] for name in ("choice", "ranking", "rating") if expected.get(name) is not None}
    if len(said) != 1:
        raise BadInput("A known answer is one choice, one ranking or one rating.")
    (name, value), count = next(iter(said.items())), len(whole.answers)
    possible = {
        "choice": count == 2 and value in CHOICES,
        "ranking": count > 1 and isinstance(value, list) and _each_once(value, count),
        "rating": count == 1 and isinstance(value, int | float) and 1 <= value <= settings_of(study).scale,
    }
    if not possible[name]:
        raise BadInput(f'"{value}" is no {name} that a vote on {count} answers can say.')
    return said


def _each_once(ranking: list[Any], count: int) -> bool:
    named = [position for group in ranking for position in (group if isinstance(group, list) else [group])]
    return all(isinstance(one, int) for one in named) and sorted(named) == list(range(count))
