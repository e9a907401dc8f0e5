"""Running a study: it is made, seen, changed while people judge, closed and opened again.

The page /studies, /api/studies and the verbs `studies` and `study` call these functions. Whoever changes something
for others needs the right to run studies; what a change replaced comes back with it, so that it can be undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from storage import standings
from storage.comparisons import get_study, list_ready, list_studies, refuse_taken, set_state
from storage.datasets import find_dataset
from storage.errors import BadInput, Conflict
from storage.gold import list_gold
from storage.gold import standing as standing_gold
from storage.guidelines import newest_guidelines
from storage.judgements import judged_by, retire_unjudged
from storage.models import get_model, list_models
from storage.priorities import set_priorities
from storage.rows import Study
from storage.store import Store
from studio.feedback.ahead import ahead_of
from studio.feedback.comparing import add_next
from studio.feedback.contestants import contestants_of, least
from studio.feedback.guidelines import write_guidelines
from studio.feedback.showing import as_turns
from studio.feedback.standing_answers import compare_answers
from studio.feedback.studies import ANSWERS, ensure_study, judgeable, sampling_of
from studio.feedback.study_settings import Contestant, change_settings, changed_settings, settings_of
from studio.people.roles import Action, Actor, require

_FIXED = ("contestants",)
# Votes say something else under another one of these.
_SHAPE = ("layout", "sides", "scale")
# Two answers side by side, whatever else is shown of the conversation.
_ALIKE = frozenset({"pair", "turns"})


@dataclass(frozen=True)
class Wish:
    """A study as somebody asks for it: contestants on prompts, or answers that a dataset holds."""

    name: str
    models: Sequence[str] = ()
    contestants: Sequence[Mapping[str, Any] | str] = ()
    prompts: str | None = None
    answers: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None
    """Comparisons to begin with; of prompts none need be made before somebody judges."""

    guidelines: str = ""


def make(store: Store, actor: Actor, wish: Wish) -> Study:
    """Make a study; raises Forbidden, Conflict where the name is taken, and what the parts of the wish raise."""
    require(actor, Action.RUN_STUDIES)
    if (wish.prompts is None) == (wish.answers is None):
        raise BadInput("A study asks the prompts of a dataset, or judges the answers of one: name one of the two.")
    refuse_taken(store, wish.name)
    if wish.answers is not None:
        if wish.models or wish.contestants:
            raise BadInput("Answers that exist already need no models; leave the contestants out.")
        compare_answers(store, wish.name, wish.answers, wish.count, wish.settings)
        study = get_study(store, wish.name)
    else:
        study = ensure_study(store, wish.name, wish.models, wish.prompts, wish.contestants, wish.settings)
        add_next(store, study, wish.count or 0)
    if wish.guidelines.strip():
        write_guidelines(store, actor, study.name, wish.guidelines)
    return study


def change(store: Store, actor: Actor, study: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change settings of a study from now on; returns what they were, by the same names.

    Raises Forbidden, NotFound, BadInput, and Conflict for what votes that were given already rest on.
    """
    require(actor, Action.RUN_STUDIES)
    chosen = get_study(store, study)
    before = settings_of(chosen).to_json()
    if fixed := next((name for name in _FIXED if name in changes), None):
        raise Conflict(f'The {fixed} of a study stay as they are; make another study for others, beside "{study}".')
    wanted = dict(changes)
    if wanted.get("layout", before["layout"]) != before["layout"] and "sides" not in wanted:
        wanted["sides"] = None  # as the new layout usually shows
    whole = changed_settings(chosen, wanted).to_json()
    if ANSWERS not in chosen.settings and len(chosen.models) < least(whole["sides"]):
        raise BadInput(f'Study "{chosen.name}" has one contestant; two answers side by side need two.')
    turned = [name for name in _SHAPE if whole[name] != before[name]]
    with store.write():
        if turned and not {whole["layout"], before["layout"]} <= _ALIKE:
            _refuse_judged(store, chosen, turned[0])
            retire_unjudged(store, chosen.id)
        if whole["choice"] != "active":
            set_priorities(store, chosen.id, {})
        change_settings(store, chosen, wanted)
    told = {*changes, *turned}
    return {name: value for name, value in before.items() if name in told}


def close(store: Store, actor: Actor, study: str) -> Study:
    """Nobody is given anything more of a study; votes on what people have before them are still taken."""
    return _turn(store, actor, study, "closed")


def open_again(store: Store, actor: Actor, study: str) -> Study:
    """Let people judge in a study again."""
    return _turn(store, actor, study, "open")


def listed(store: Store) -> dict[str, Any]:
    """All studies, newest first, as a list shows them."""
    return {"studies": [_line(store, study) for study in list_studies(store)]}


def described(store: Store, study: str) -> dict[str, Any]:
    """One study with its settings, contestants, guidelines and known answers; raises NotFound."""
    chosen = get_study(store, study)
    newest = newest_guidelines(store, chosen.id)
    settings = settings_of(chosen).to_json()
    settings.pop("contestants")
    return {
        **_line(store, chosen),
        "settings": settings,
        "sampling": asdict(sampling_of(chosen)),
        "contestants": [_contestant(store, one) for one in contestants_of(store, chosen)],
        "guidelines": newest._asdict() if newest else None,
        "gold": len(list_gold(store, chosen.id)),
    }


def comparisons(store: Store, study: str, search: str = "", after: int = 0, limit: int = 10) -> dict[str, Any]:
    """Ready comparisons of a study with who answered what, to choose known answers from; `next`: where to go on."""
    chosen = get_study(store, study)
    known = standing_gold(store, chosen.id)
    found = list_ready(store, chosen.id, search, after, limit + 1)
    return {
        "comparisons": [
            {
                "comparison": whole.comparison.id, "number": whole.comparison.number, "given": whole.comparison.given,
                "prompt": as_turns(whole.comparison.prompt), "expected": known.get(whole.comparison.id),
                "answers": [{"contestant": one.model_name, "text": one.text or ""} for one in whole.answers],
            }
            for whole in found[:limit]
        ],
        "next": found[limit - 1].comparison.number if len(found) > limit else None,
    }  # fmt: skip


def _contestant(store: Store, one: Contestant) -> dict[str, Any]:
    return {**asdict(one), "model": get_model(store, one.model).name}


def _line(store: Store, study: Study) -> dict[str, Any]:
    """What a list shows of a study. `filled` of `wanted` slots hold a vote; `coming`: comparisons without answers.

    `ahead`: how far it is answered ahead of those who judge, and how long the rest will take.
    """
    settings = settings_of(study)
    stands = standings.standing(store, study.id, settings.overlap)
    names = {model.id: model.name for model in list_models(store, retired=True)}
    own = [one.name for one in settings.contestants]
    people = judged_by(store, study.id)
    return {
        "name": study.name, "state": study.state, "judgeable": judgeable(study), "created_at": study.created_at,
        "layout": settings.layout, "overlap": settings.overlap,
        "names": own or [names[model_id] for model_id in study.models if model_id in names],
        "prompts": _dataset(store, study.prompts_id), "answers": _dataset(store, study.settings.get(ANSWERS)),
        "filled": stands.done, "wanted": stands.total, "coming": stands.coming, "failed": stands.failed,
        "error": stands.error, "votes": sum(people.values()),
        "ahead": ahead_of(store, study.id, settings.overlap).to_json(),
        "people": [{"name": name, "votes": votes} for name, votes in people.items()],
    }  # fmt: skip


def _dataset(store: Store, dataset_id: str | None) -> str | None:
    found = find_dataset(store, dataset_id) if dataset_id else None
    return found.name if found else None


def _turn(store: Store, actor: Actor, study: str, state: str) -> Study:
    require(actor, Action.RUN_STUDIES)
    chosen = get_study(store, study)
    if not judgeable(chosen):
        raise BadInput(f'Study "{chosen.name}" holds votes from elsewhere alone; there is nothing to judge in it.')
    set_state(store, chosen.id, state)
    return get_study(store, chosen.id)


def _refuse_judged(store: Store, study: Study, name: str) -> None:
    votes = sum(judged_by(store, study.id).values())
    if votes:
        given = "1 vote was given" if votes == 1 else f"{votes} votes were given"
        raise Conflict(
            f'"{name}" cannot change any more: {given} on what study "{study.name}" shows now. '
            "Make another study for the new layout."
        )
    if ANSWERS in study.settings:
        raise Conflict(f'The answers of study "{study.name}" were put together for its "{name}"; make another study.')
