"""Starting a failed job again: where it stopped, or with the option that its failure asks for."""

from collections.abc import Mapping
from typing import Any

from storage import jobs
from storage.errors import Conflict
from storage.rows_training import Job
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import instead_of
from studio.training.request import Request


def retry(store: Store, settings: Settings, reference: str, options: Mapping[str, Any] | None = None) -> Job:
    """Go on with a job, or start what it was asked to do with other options; returns the job that now waits.

    `options`: None takes the first retry that its failure offers; empty ones go on where it stopped.
    Raises Conflict where the job has not failed or nothing is safe to try.
    """
    job = jobs.get_job(store, reference)
    if job.status not in ("failed", "stopped"):
        raise Conflict(f"Job {job.number} is {job.status}; only a job that failed or was stopped can be tried again.")
    changes = _first_offer(job) if options is None else dict(options)
    if not changes:
        return jobs.resume(store, job.id)
    asked = {**job.request, "options": {**job.request.get("options", {}), **changes}}
    return instead_of(store, settings, job, Request.from_json(asked))


def _first_offer(job: Job) -> dict[str, Any]:
    """The options of the first retry that the failure offers; a stopped job just goes on."""
    if job.status == "stopped":
        return {}
    offers = (job.error or {}).get("retry") or []
    if not offers:
        raise Conflict(
            f"Job {job.number} failed for a reason that another try does not mend: {(job.error or {}).get('fix', '')} "
            "Name options to try with others."
        )
    return dict(offers[0]["options"])
