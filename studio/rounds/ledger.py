"""The ledger: which job, model and studies belong to which round, and when one closes and the next opens.

A round is open until its candidate is promoted (`studio.rounds.promoting`) or the next training begins. Starting a job
notes it in the open round, or, where that has its model already, closes it with the gate's verdict of that moment
(which promotes a candidate that passes) and opens the next one. A job that ends well gives the round its model and a
measuring study, `round-<n>`: the new model against the champion. The phases of a plan that go on from one another are
one round, whose candidate is what the last of them makes; where that fails, what the last good one has made.
`catch_up` may be called at any time by anybody; it changes nothing where nothing is new.
"""

import json

from storage import comparisons, promotions, rounds
from storage.datasets import list_datasets
from storage.errors import Conflict, Refused
from storage.jobs import get_job
from storage.models import get_model
from storage.promotions import NewPromotion
from storage.rows import Study
from storage.rows_training import JOB_ENDED, Job, Model, Round
from storage.specs.registry import METHODS
from storage.store import Store
from studio.rounds import gate
from studio.rounds.champion import champion
from studio.rounds.standing import standing

FIRST_STUDY = "first-look"
STARTER_PROMPTS = "starter-prompts"


# A later phase of a job's plan that trains what that job makes, and has neither failed nor been stopped.
_GOES_ON = """
later.plan_id = jobs.plan_id and later.after_id = jobs.id and later.status in ('queued', 'running', 'done')
and later.method not in (select value from json_each(:judging))
and json_extract(later.request, '$.base') in (jobs.name, jobs.id, cast(jobs.number as text))
"""
# Jobs that made a model which no round knows yet, oldest first; trials of a search belong to no round, nor do models
# that judge: there is nothing to compare them with.
_NEW_JOBS = f"""
select id from jobs where status = 'done' and model_id is not null and search_id is null
and model_id in (select id from models where kind in ('base', 'adapter', 'endpoint'))
and not exists (select 1 from rounds where rounds.job_id = jobs.id and rounds.model_id is not null)
and not exists (select 1 from jobs later where {_GOES_ON})
order by finished_at, number
"""
_LATER = f"select later.id from jobs join jobs later on {_GOES_ON} where jobs.id = :id order by later.number desc"
_EARLIER = f"select jobs.id from jobs join jobs later on {_GOES_ON} where later.id = :id"
# Unfinished jobs, of those that go on from one another the last.
_UNFINISHED = f"""
select method from jobs where status in ('queued', 'running') and search_id is null
and not exists (select 1 from jobs later where {_GOES_ON})
"""


def current(store: Store) -> Round | None:
    """The open round, or None before the first."""
    turns = rounds.list_rounds(store)
    return turns[-1] if turns and turns[-1].state == "open" else None


def coming_number(store: Store) -> int:
    """The number of the round that the next training will belong to, if the unfinished ones go well."""
    turns = rounds.list_rounds(store)
    if not turns:
        return 1 + _unfinished(store)
    last = turns[-1]
    filled = last.model_id is not None or last.state == "closed"
    return last.number + _unfinished(store) + (1 if filled else 0)


def _unfinished(store: Store) -> int:
    """Rounds that queued and running jobs will have."""
    waiting = store.rows(_UNFINISHED, _judging())
    return sum(has_round(row["method"]) for row in waiting)


def has_round(method: str) -> bool:
    """Whether a training belongs to a round: what judges answers, and gives none, does not."""
    return method not in METHODS or METHODS[method].makes == "answers"


def begin(store: Store, job: Job) -> Round:
    """Note a job that has been started; closes a finished round and opens the next where that is due."""
    with store.write():
        turn = _turn_for(store, job)
        if turn.job_id in (None, job.id) or _has_ended(store, turn):
            _fill(store, turn, job)
    return rounds.get_round(store, turn.number)


def catch_up(store: Store) -> list[Round]:
    """Give every model that a finished job made its round and its measuring study; returns what is new."""
    if not store.one(_NEW_JOBS, _judging()):
        return []  # the usual case takes no write lock
    filled = []
    with store.write():
        for row in store.rows(_NEW_JOBS, _judging()):
            filled.append(_complete(store, get_job(store, row["id"])))
    return filled


def propose(store: Store, model: Model) -> Round:
    """Make a model a candidate against today's champion, in a round of its own with the study that measures it.

    That is for a model that no round knows, or whose last round set it against another champion: its votes say nothing
    of the present one. Closes a finished round, as a job that starts does. Raises Refused for a model that was put away
    or deleted, Conflict where it has such a round already or is the champion itself, or where the open round still
    waits for its job; nothing is written then.
    """
    catch_up(store)
    with store.write():
        model, turn = get_model(store, model.id), current(store)
        first = _challenged(store, model, turn)
        if turn is not None and turn.model_id:
            _close(store, turn)
            first = champion(store) or first
        turn = rounds.open_round(store, first.id)
        job = get_job(store, model.job_id) if model.job_id else None
        learnt_from = job.study_id if job else None
        study = _measuring_study(store, turn.number, learnt_from, [first, model])
        rounds.fill_round(
            store, turn.id, parent_id=first.id, job_id=None, version_id=job.version_id if job else None,
            training_study_id=learnt_from, model_id=model.id, measuring_study_id=study.id, against_id=first.id,
        )  # fmt: skip
    return rounds.get_round(store, turn.number)


def _challenged(store: Store, model: Model, turn: Round | None) -> Model:
    """The champion, if the model may stand against it now; raises Refused or Conflict as `propose` does."""
    first = champion(store)
    if model.gone_at is not None:
        raise Refused(f'The weights of "{model.name}" were deleted, so it cannot be a candidate.')
    if model.retired_at is not None:
        raise Refused(f'"{model.name}" was put away; take it back first.')
    if first is None or first.id == model.id:
        raise Conflict(f'"{model.name}" is the champion already, so it stands against nobody.')
    last = next((one for one in reversed(rounds.list_rounds(store)) if one.model_id == model.id), None)
    if last is not None and gate.stands_against(last, first):
        study = comparisons.get_study(store, last.measuring_study_id or "").name
        raise Conflict(f'"{model.name}" has its round already: vote in {study}.')
    if turn is not None and turn.job_id and turn.model_id is None and not _has_ended(store, turn):
        number = _last_phase(store, get_job(store, turn.job_id)).number
        raise Conflict(f"Round {turn.number} waits for job {number}; let it end, or stop it (`ratchet stop {number}`).")
    return first


def starting_model(store: Store) -> Model | None:
    """The model that the next training starts from unless told otherwise: the champion.

    That is the open round's candidate where the gate would let it pass, because starting closes the round.
    """
    turn = current(store)
    found = gate.report(store, turn) if turn else None
    if turn is not None and turn.model_id and found and found.passes:
        return get_model(store, turn.model_id)
    return champion(store)


def voting_study(store: Store, turn: Round) -> Study | None:
    """The study whose votes count at this point of a round: its measuring study, or before that `first-look`."""
    if turn.measuring_study_id:
        return comparisons.get_study(store, turn.measuring_study_id)
    if turn.training_study_id:
        return comparisons.get_study(store, turn.training_study_id)
    studies = comparisons.list_studies(store)
    return studies[-1] if studies and turn.number == 1 else None


def close(store: Store, turn: Round, reason: str, found: "gate.Report | None", kept: bool = True) -> None:
    """Close a round with its verdict: whether its candidate is kept, why, and how it stood."""
    now = standing(store, turn)
    verdict = {"kept": kept, "reason": reason, **(now.to_json() if now else {})}
    if found is not None:
        verdict["gate"] = found.to_json()
    rounds.close_round(store, turn.id, verdict)


def _close(store: Store, turn: Round) -> None:
    """Close a round because the next one begins; a candidate that passes the gate becomes champion."""
    found = gate.report(store, turn)
    if found is None:
        close(store, turn, "It was closed before it had a model that could be compared.", None, kept=False)
        return
    if found.passes and turn.model_id:
        before = champion(store)
        promotions.add(
            store,
            NewPromotion(
                promotions.GATE, turn.model_id, before.id if before else None, found.reason, "gate", turn.id,
                found.to_json(),
            ),
        )  # fmt: skip
    close(store, turn, found.reason, found, kept=found.passes)


def _turn_for(store: Store, job: Job) -> Round:
    """The round that a job belongs to: its own, the open one without a model, or a new one."""
    turns = rounds.list_rounds(store)
    own = [turn for turn in turns if turn.job_id == job.id]
    if own:
        return own[-1]
    turn = current(store)
    if turn is not None and turn.model_id:
        _close(store, turn)
    return rounds.open_round(store, job.base_id)


def _has_ended(store: Store, turn: Round) -> bool:
    """Whether the job that the round waits for has ended, and what goes on from it."""
    return turn.job_id is not None and _last_phase(store, get_job(store, turn.job_id)).status in JOB_ENDED


def _last_phase(store: Store, job: Job) -> Job:
    """The phase of a job's plan that goes on from it now, or from what does; the job itself where there is none."""
    later = store.value(_LATER, {"id": job.id, **_judging()}) if job.status == "done" else None
    return _last_phase(store, get_job(store, later)) if later else job


def _origin_id(store: Store, job: Job) -> str:
    """The model from which a job began, or the first phase of those that it goes on from."""
    earlier = store.value(_EARLIER, {"id": job.id, **_judging()})
    before = get_job(store, earlier) if earlier else None
    if before is None or store.value("select 1 from rounds where model_id = ?", [before.model_id]):
        return job.base_id
    return _origin_id(store, before)


def _judging() -> dict[str, str]:
    """The methods whose models have no round, as the queries ask for them."""
    return {"judging": json.dumps([name for name in METHODS if not has_round(name)])}


def _fill(store: Store, turn: Round, job: Job) -> None:
    """Note a job and what it learns from in a round that has no model yet."""
    rounds.fill_round(
        store,
        turn.id,
        parent_id=_origin_id(store, job),
        job_id=job.id,
        version_id=job.version_id,
        training_study_id=job.study_id,
    )


def _complete(store: Store, job: Job) -> Round:
    """Give a round its model and the study that measures it."""
    turn = _turn_for(store, job)
    _fill(store, turn, job)
    against = _against(store, job)
    contestants = [against, get_model(store, job.model_id or "")]
    study = _measuring_study(store, turn.number, job.study_id, contestants)
    rounds.fill_round(store, turn.id, model_id=job.model_id, measuring_study_id=study.id, against_id=against.id)
    return rounds.get_round(store, turn.number)


def _against(store: Store, job: Job) -> Model:
    """The model that a new one must beat: the champion, or where that is no other, the one that it came from."""
    first = champion(store)
    return get_model(store, job.base_id) if first is None or first.id == job.model_id else first


def _measuring_study(store: Store, number: int, trained_on: str | None, contestants: list[Model]) -> Study:
    """A study of the champion and the new model, on the prompts of the study that it learnt from, or of the last."""
    before = comparisons.list_studies(store)
    taken = {study.name for study in before}
    name, suffix = f"round-{number}", 2
    while name in taken:
        name, suffix = f"round-{number}-{suffix}", suffix + 1
    return comparisons.create_study(store, name, contestants, _prompts(store, trained_on, before), seed=number)


def _prompts(store: Store, trained_on: str | None, studies: list[Study]) -> str | None:
    """The dataset of prompts to ask: of the study that trained it, of the newest study, the starter's, or any."""
    if trained_on:
        asked = comparisons.get_study(store, trained_on).prompts_id
        if asked:
            return asked
    for study in studies:
        if study.prompts_id:
            return study.prompts_id
    held = [count.dataset for count in list_datasets(store) if count.dataset.kind == "prompts"]
    named = [dataset.id for dataset in held if dataset.name == STARTER_PROMPTS]
    return next(iter([*named, *(dataset.id for dataset in held)]), None)
