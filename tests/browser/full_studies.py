"""Studies of every layout that hold words in all places where people write some: to be poisoned, or looked at."""

from typing import Any

from storage import adjudications, comparisons, gold, guidelines, leases, models, second_looks, votes
from storage.clock import now
from storage.rows import Study, Vote
from storage.store import Store
from tests.studio.training import project

SIDES = {"pair": 2, "rank": 3, "rate": 1, "turns": 2}
ASKING: dict[str, Any] = {
    "strength": "optional",
    "criteria": [{"key": "right", "label": "Is it right?", "scale": 5, "required": False}],
    "chips": ["too long", "made up"],
    "rationale": "required",
    "skip_reasons": ["I cannot tell", "Not my subject"],
}


def add_studies(store: Store, who: str) -> dict[str, str]:
    """One study of each layout, judged by somebody and looked after by them; layout to the study's id."""
    model = models.list_models(store)[0]
    return {layout: _study(store, layout, sides, model.id, who).id for layout, sides in SIDES.items()}


def _study(store: Store, layout: str, sides: int, model_id: str, who: str) -> Study:
    contestants = [{"name": f"contestant {n}", "model": model_id, "system": "a system prompt"} for n in range(sides)]
    settings = {"layout": layout, "sides": sides, "contestants": contestants, **ASKING}
    model = models.get_model(store, model_id)
    study = comparisons.create_study(store, f"all-of-{layout}", [model], None, settings, seed=3)
    for text in ("what to look at", "what to look at, again"):
        guidelines.add_guidelines(store, study.id, text, who)
    histories = [[{"role": "assistant", "content": "said"}, {"role": "user", "content": "asked"}]] * sides
    for number in range(5):
        new = comparisons.NewComparison(
            project.prompt(f"{layout} {number}"), [(model_id, f"contestant {n}") for n in range(sides)],
            texts=[f"answer {n}" for n in range(sides)], histories=histories if layout == "turns" else (),
        )  # fmt: skip
        comparison = comparisons.add_comparison(store, study, new)
        if number < 2:
            vote = _vote(store, study, comparison.id, sides, who)
            _look_after(store, study, vote, number, who)
    return study


def _vote(store: Store, study: Study, comparison_id: str, sides: int, who: str) -> Vote:
    """A vote with all that a vote can say."""
    said: dict[str, Any] = {"choice": "a", "ranking": None, "rating": None}
    if sides == 1:
        said = {"choice": "rating", "ranking": None, "rating": 4.0}
    elif sides > 2:
        said = {"choice": "ranking", "ranking": [[place] for place in range(sides)], "rating": None}
    answers = comparisons.answers_of(store, comparison_id)
    row = Vote(
        id=f"vote-{comparison_id}", comparison_id=comparison_id, study_id=study.id, annotator=who, **said, strength=2,
        criteria={"right": [3] * sides}, rationale="because", edited="a better answer", shown_order=list(range(sides)),
        shown_sha256=[answer.sha256 or "" for answer in answers], seconds=5.0, source="studio", supersedes=None,
        created_at=now(), chips=["too long"], reason="I cannot tell", edited_position=0, guidelines=1,
    )  # fmt: skip
    return votes.cast(store, row).vote


def _look_after(store: Store, study: Study, vote: Vote, number: int, who: str) -> None:
    """A known answer with a note, or a decision with a reason and a second look."""
    if number:
        gold.put_gold(store, study.id, vote.comparison_id, {"choice": "a"}, "a note", who)
        return
    decided = adjudications.decision(
        study.id, vote.comparison_id, vote.choice, who, vote.ranking, vote.rating, "a reason"
    )
    adjudications.add(store, decided)
    alias = f"alias-{vote.comparison_id}"
    leases.take(store, leases.Lease(vote.comparison_id, who, study.id, leases.SECOND, alias, 1.0, now() + 600))
    look = second_looks.Look(
        f"look-{vote.comparison_id}", vote.id, vote.comparison_id, study.id, who, vote.choice, None, vote.rating,
        str(vote.shown_order[::-1]), 1, 4.0, now(),
    )  # fmt: skip
    second_looks.add(store, look)
