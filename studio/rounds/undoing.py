"""Undo for training data: which models learnt from something that turned out bad, and the way back without it.

Blamed are votes of a person, a day or a source in a study, or a version of a dataset. Touched are the models whose own
training saw them, learnt from or mixed in, and whatever goes on from those, was taught or was rewarded by them.
Retraining begins at the newest untouched ancestor of the champion, or of the open candidate where only that is touched,
and does again, in one plan, what was done since: votes without the excluded ones; a phase that had learnt from the
version itself is left out, one that had mixed it in is done without.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from storage import exclusions
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.errors import BadInput, Conflict, RatchetError, Refused
from storage.jobs import get_job, list_jobs
from storage.models import get_model, lineage, list_models, parent_ids
from storage.rows import Version
from storage.rows_training import Job, Model
from storage.store import Store
from studio.curation.versioning import find as find_version
from studio.feedback.exclusions import KINDS, exclude, include
from studio.feedback.kept_votes import day_of
from studio.people.roles import Action, Actor, require
from studio.rounds.champion import champion
from studio.rounds.ledger import current
from studio.settings import Settings
from studio.training.phases import launch_plan
from studio.training.request import REPLAYED, Request, request_of

# Jobs that made a model, with each vote on a prompt that they trained on which was there when they were started.
_SEEN = """
select distinct j.id as job, v.annotator, v.source, v.created_at
from jobs j
join trained_prompts t on t.job_id = j.id
join comparisons c on c.study_id = j.study_id and c.prompt_sha256 = t.prompt_sha256
join votes v on v.comparison_id = c.id and v.created_at <= j.created_at
where j.study_id = ? and j.model_id is not null
"""


@dataclass(frozen=True)
class Blame:
    """What turned out bad. kind: annotator, day, source (`study`, `value`), or version (`dataset`, `number`)."""

    kind: str
    study: str = ""
    value: str = ""
    dataset: str = ""
    number: int = 0

    def __post_init__(self) -> None:
        if self.kind not in (*KINDS, "version"):
            raise BadInput(f'Blamed is one of {", ".join(KINDS)} or version, not "{self.kind}".')
        if self.kind == "version" and not self.dataset:
            raise BadInput("Name the dataset and its version, such as facts@2.")
        if self.kind != "version" and not (self.study and self.value):
            raise BadInput(f"Name the study and the {self.kind} whose votes turned out bad.")

    def __str__(self) -> str:
        if self.kind == "version":
            return f"version {self.number} of {self.dataset}"
        return f'the votes of the {self.kind} "{self.value}" in {self.study}'


class Touched(NamedTuple):
    """A model, and how it came by what is blamed."""

    model: Model
    how: str

    def to_json(self) -> dict[str, Any]:
        """For the page and the command line."""
        return {"model": self.model.name, "how": self.how, "retired": self.model.retired_at is not None}


def touched(store: Store, blame: Blame) -> list[Touched]:
    """The models that learnt from it, oldest first; raises NotFound for an unknown study or version."""
    jobs = [job for job in list_jobs(store, "done") if job.model_id]
    direct = _saw(store, blame)
    found: dict[str, str] = {job.model_id: f"learnt from {blame}" for job in jobs if job.model_id and job.id in direct}
    models = {model.id: model for model in list_models(store, retired=True)}
    jobs_of = {job.model_id: job for job in jobs if job.model_id}
    parents = {model.id: parent_ids(store, model) for model in models.values()}
    while fresh := _heirs(models, parents, jobs_of, found):
        found |= fresh
    ordered = sorted(found, key=lambda model_id: models[model_id].created_at)
    return [Touched(models[model_id], found[model_id]) for model_id in ordered]


def clean_start(store: Store, blame: Blame) -> Model:
    """The newest model that it did not touch on the line that is to be trained again; Refused where none is left.

    That is the line of the champion, or of the open round's candidate where only that one is touched.
    """
    bad = {one.model.id for one in touched(store, blame)}
    goal = _goal(store, bad)
    for model in lineage(store, goal):
        if model.id not in bad:
            return model
    raise Refused(f"Every model that led to {goal.name} learnt from {blame}; add a base and begin anew.")


def retrain(
    store: Store, settings: Settings, actor: Actor, blame: Blame, reason: str, dry_run: bool = False
) -> dict[str, Any]:
    """Exclude what is blamed, and queue again what the line has learnt since the last untouched model.

    Returns `touched, start, phases, plan, jobs`; `dry_run`: says what would be done and does nothing. Raises Forbidden,
    Conflict where neither champion nor open candidate is touched, Refused or BadInput where something cannot be done
    again.
    """
    require(actor, Action.TRAIN)
    bad = touched(store, blame)
    if not bad:
        raise Conflict(f"No model learnt from {blame}, so nothing needs to be trained again.")
    goal, start = _goal(store, {one.model.id for one in bad}), clean_start(store, blame)
    if goal.id == start.id:
        names = ", ".join(one.model.name for one in bad)
        raise Conflict(
            f"Only {names} learnt from {blame}, neither the champion nor the open candidate, so nothing needs to be "
            "trained again."
        )
    version = _version(store, blame)
    again = [job for job in _since(store, start, goal) if version is None or job.version_id != version.id]
    _refuse_helpers(store, again, bad)
    said: dict[str, Any] = {
        "touched": [one.to_json() for one in bad], "start": start.name,
        "phases": [{"job": job.number, "method": job.method, "name": job.name} for job in again],
        "plan": None, "jobs": [],
    }  # fmt: skip
    if dry_run:
        return said
    asked = [_once_more(store, job, version, actor) for job in again]
    fresh = _exclude(store, actor, blame, reason)
    if not asked:
        return said
    try:
        queued = launch_plan(store, settings, _phases(asked, start))
    except RatchetError:
        if fresh:  # what is left may teach nothing; then all is as before
            include(store, blame.study, blame.kind, blame.value, actor)
        raise
    return {**said, "plan": queued.plan, "jobs": [job.number for job in queued.jobs]}


def _saw(store: Store, blame: Blame) -> set[str]:
    """Ids of jobs whose training saw what is blamed."""
    if version := _version(store, blame):
        jobs = list_jobs(store, "done")
        return {job.id for job in jobs if job.version_id == version.id or _mixed_in(store, job, version)}
    study = get_study(store, blame.study)
    return {
        row["job"]
        for row in store.rows(_SEEN, [study.id])
        if _is_blamed(row, blame) and not _excluded_then(store, study.id, blame, get_job(store, row["job"]))
    }


def _version(store: Store, blame: Blame) -> Version | None:
    """The version that is blamed, if it is one."""
    return find_version(store, blame.dataset, blame.number) if blame.kind == "version" else None


def _mixed_in(store: Store, job: Job, version: Version) -> bool:
    """Whether a version was mixed into a job's rows (replay); any of its dataset may be where none was noted."""
    if noted := job.request.get(REPLAYED):
        return bool(noted == version.id)
    dataset = get_dataset(store, version.dataset_id)
    return job.request.get("replay") in (dataset.name, dataset.id)


def _is_blamed(row: Mapping[str, Any], blame: Blame) -> bool:
    value = day_of(row["created_at"]) if blame.kind == "day" else row[blame.kind]
    return bool(value == blame.value)


def _excluded_then(store: Store, study_id: str, blame: Blame, job: Job) -> bool:
    """Whether these votes were excluded already when the job was started."""
    return any(
        (one.kind, one.value) == (blame.kind, blame.value)
        and one.created_at <= job.created_at
        and (one.lifted_at is None or one.lifted_at > job.created_at)
        for one in exclusions.all_of(store, study_id)
    )


def _heirs(
    models: Mapping[str, Model],
    parents: Mapping[str, Sequence[str]],
    jobs_of: Mapping[str, Job],
    found: Mapping[str, str],
) -> dict[str, str]:
    """Models that came by it from those that are found."""
    fresh = {}
    for model in models.values():
        if model.id in found:
            continue
        if came := [parent for parent in parents[model.id] if parent in found]:
            word = "goes on from" if len(parents[model.id]) == 1 else "was mixed from"
            fresh[model.id] = f"{word} {models[came[0]].name}"
            continue
        helpers = [one for one in found if model.id in jobs_of and _helped(jobs_of[model.id], models[one], jobs_of)]
        if helpers:
            fresh[model.id] = f"learnt with the help of {models[helpers[0]].name}"
    return fresh


def _helped(job: Job, model: Model, jobs_of: Mapping[str, Job]) -> bool:
    """Whether a job was taught or rewarded by a model, whatever that was called when the job was started.

    A name may have gone to another model since; one that was made by a later job cannot be meant.
    """
    asked = {job.request.get("teacher"), *(job.request.get("rewards") or ())}
    there = model.id not in jobs_of or jobs_of[model.id].number < job.number
    return there and not asked.isdisjoint({model.id, model.name, *(model.former_names or ())})


def _refuse_helpers(store: Store, again: Sequence[Job], bad: Sequence[Touched]) -> None:
    """Raise Refused where a job would be taught or rewarded by a touched model once more."""
    jobs_of = {job.model_id: job for job in list_jobs(store, "done") if job.model_id}
    for job in again:
        for one in bad:
            if _helped(job, one.model, jobs_of):
                raise Refused(
                    f'Job {job.number} learnt with the help of "{one.model.name}", which {one.how}: leave that out, '
                    f'train "{one.model.name}" anew and then, with it, what job {job.number} was asked for.'
                )


def _goal(store: Store, bad: set[str]) -> Model:
    """The model whose line is looked at: the champion, or the open candidate where it alone of the two is touched."""
    first, turn = champion(store), current(store)
    if first is None:
        raise Conflict("There is no model yet, so there is nothing to train again.")
    if turn is not None and turn.model_id in bad and first.id not in bad:
        return get_model(store, turn.model_id)
    return first


def _since(store: Store, start: Model, goal: Model) -> list[Job]:
    """The jobs that led from one model to another, oldest first; raises Refused where a model has no job."""
    made = []
    for model in lineage(store, goal):
        if model.id == start.id:
            break
        if model.job_id is None:
            raise Refused(f'"{model.name}" was not trained here, so what made it cannot be done again.')
        made.append(get_job(store, model.job_id))
    return made[::-1]


def _once_more(store: Store, job: Job, version: Version | None, actor: Actor) -> Request:
    """What was asked for then, without the version that is blamed where that was mixed in."""
    asked = replace(request_of(job), name=None, after=None, when_idle=False, author=actor.name)
    return replace(asked, replay=None) if version and _mixed_in(store, job, version) else asked


def _phases(asked: Sequence[Request], start: Model) -> list[dict[str, Any]]:
    """The same from the clean model on; each later phase goes on from the one before it."""
    first = replace(asked[0], base=start.name)
    return [first.to_json(), *(replace(request, base="").to_json() for request in asked[1:])]


def _exclude(store: Store, actor: Actor, blame: Blame, reason: str) -> bool:
    """Leave the votes out from now on, and say whether that is new; a version is only passed by."""
    if blame.kind == "version":
        return False
    standing = {(one.kind, one.value) for one in exclusions.standing(store, get_study(store, blame.study).id)}
    if (blame.kind, blame.value) in standing:
        return False
    exclude(store, blame.study, blame.kind, blame.value, reason, actor)
    return True
