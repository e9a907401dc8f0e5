"""Undo for training data: which models learnt from something that turned out bad, and the way back without it.

Blamed are votes of a person, a day or a source in a study, or a version of a dataset. Touched are the models whose own
training saw them, and whatever goes on from those, was taught or was rewarded by them. Retraining begins at the
newest untouched ancestor of the champion and does again, in one plan, what was done since: votes without the excluded
ones; a phase that had learnt from the version itself is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from storage import exclusions
from storage.comparisons import get_study
from storage.errors import BadInput, Conflict, Refused
from storage.jobs import get_job, list_jobs
from storage.models import lineage, list_models, parent_ids
from storage.rows_training import Job, Model
from storage.store import Store
from storage.versions import get_version
from studio.curation.versioning import find as find_version
from studio.feedback.exclusions import KINDS, exclude
from studio.feedback.kept_votes import day_of
from studio.people.roles import Action, Actor, require
from studio.rounds.champion import champion
from studio.settings import Settings
from studio.training.phases import launch_plan
from studio.training.request import request_of

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
    jobs_of = {job.model_id: job for job in jobs}
    parents = {model.id: parent_ids(store, model) for model in models.values()}
    while fresh := _heirs(models, parents, jobs_of, found):
        found |= fresh
    ordered = sorted(found, key=lambda model_id: models[model_id].created_at)
    return [Touched(models[model_id], found[model_id]) for model_id in ordered]


def clean_start(store: Store, blame: Blame) -> Model:
    """The newest ancestor of the champion that it did not touch, or the champion itself; Refused where none is left."""
    bad = {one.model.id for one in touched(store, blame)}
    for model in _line(store):
        if model.id not in bad:
            return model
    raise Refused(f"Every model that led to the champion learnt from {blame}; add a base and begin anew.")


def retrain(
    store: Store, settings: Settings, actor: Actor, blame: Blame, reason: str, dry_run: bool = False
) -> dict[str, Any]:
    """Exclude what is blamed, and queue again what the champion's line has learnt since the last untouched model.

    Returns `touched, start, phases, plan, jobs`; `dry_run`: says what would be done and does nothing. Raises Forbidden,
    Conflict where the champion is not touched, Refused or BadInput where something cannot be done again.
    """
    require(actor, Action.TRAIN)
    bad = touched(store, blame)
    start = clean_start(store, blame)
    again = [job for job in _since(store, start) if not _of_version(store, job, blame)]
    said: dict[str, Any] = {
        "touched": [one.to_json() for one in bad], "start": start.name,
        "phases": [{"job": job.number, "method": job.method, "name": job.name} for job in again],
        "plan": None, "jobs": [],
    }  # fmt: skip
    if not bad:
        raise Conflict(f"No model learnt from {blame}, so nothing needs to be trained again.")
    if dry_run:
        return said
    _exclude(store, actor, blame, reason)
    if not again:
        return said
    queued = launch_plan(store, settings, _phases(again, start, actor))
    return {**said, "plan": queued.plan, "jobs": [job.number for job in queued.jobs]}


def _saw(store: Store, blame: Blame) -> set[str]:
    """Ids of jobs whose training saw what is blamed."""
    if blame.kind == "version":
        version = find_version(store, blame.dataset, blame.number)
        return {row["id"] for row in store.rows("select id from jobs where version_id = ?", [version.id])}
    study = get_study(store, blame.study)
    return {
        row["job"]
        for row in store.rows(_SEEN, [study.id])
        if _is_blamed(row, blame) and not _excluded_then(store, study.id, blame, get_job(store, row["job"]))
    }


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
    jobs_of: Mapping[str | None, Job],
    found: Mapping[str, str],
) -> dict[str, str]:
    """Models that came by it from those that are found."""
    names = {models[model_id].name: model_id for model_id in found}
    fresh = {}
    for model in models.values():
        if model.id in found:
            continue
        if came := [parent for parent in parents[model.id] if parent in found]:
            word = "goes on from" if len(parents[model.id]) == 1 else "was mixed from"
            fresh[model.id] = f"{word} {models[came[0]].name}"
            continue
        asked = jobs_of[model.id].request if model.id in jobs_of else {}
        helpers = [name for name in (asked.get("teacher"), *(asked.get("rewards") or ())) if name in names]
        if helpers:
            fresh[model.id] = f"learnt with the help of {helpers[0]}"
    return fresh


def _line(store: Store) -> list[Model]:
    first = champion(store)
    if first is None:
        raise Conflict("There is no model yet, so there is nothing to train again.")
    return lineage(store, first)


def _since(store: Store, start: Model) -> list[Job]:
    """The jobs that led from a model to the champion, oldest first; raises Refused where a model has no job."""
    made = []
    for model in _line(store):
        if model.id == start.id:
            break
        if model.job_id is None:
            raise Refused(f'"{model.name}" was not trained here, so what made it cannot be done again.')
        made.append(get_job(store, model.job_id))
    return made[::-1]


def _of_version(store: Store, job: Job, blame: Blame) -> bool:
    """Whether a job learnt from the blamed version itself."""
    if blame.kind != "version" or job.version_id is None:
        return False
    return get_version(store, job.version_id).id == find_version(store, blame.dataset, blame.number).id


def _phases(jobs: Sequence[Job], start: Model, actor: Actor) -> list[dict[str, Any]]:
    """What was asked for then, from the clean model on; each later phase goes on from the one before it."""
    asked = [replace(request_of(job), name=None, after=None, when_idle=False, author=actor.name) for job in jobs]
    first = replace(asked[0], base=start.name)
    return [first.to_json(), *(replace(request, base="").to_json() for request in asked[1:])]


def _exclude(store: Store, actor: Actor, blame: Blame, reason: str) -> None:
    """Leave the votes out from now on; a version is only passed by."""
    if blame.kind == "version":
        return
    standing = {(one.kind, one.value) for one in exclusions.standing(store, get_study(store, blame.study).id)}
    if (blame.kind, blame.value) not in standing:
        exclude(store, blame.study, blame.kind, blame.value, reason, actor)
