"""What there is to see of a job, and how to wait for it, stop it and resume it.

Everything comes from the job's row and its run folder, so any page, tab or terminal sees the same run, from its
first step on, after any restart.
"""

import re
import time
from dataclasses import dataclass
from typing import Any

from storage import jobs, queueing
from storage.clock import now
from storage.comparisons import get_study
from storage.datasets import get_dataset
from storage.models import get_model
from storage.rows_training import JOB_ENDED, Job
from storage.runs import tail_log
from storage.store import Store
from storage.versions import get_version
from studio.rounds.ledger import catch_up
from studio.training.curves import finite
from studio.training.request import command_line, request_of

# A worker beats every second or so; without a beat for this long it is gone.
_SILENT_SECONDS = 15.0
_POLL_SECONDS = 0.2

_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class JobReport:
    """A job as people and programs see it. `seconds`: of training so far; `ahead`: jobs before it in the queue.

    `reason`: why it waits, where it does.
    """

    job: Job
    base: str
    model: str | None
    dataset: str | None
    version: int | None
    study: str | None
    round: int | None
    compare: str | None
    ahead: int
    reason: str | None
    seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """The report with the keys of the command line, and more."""
        job = self.job
        return {
            "job": job.id,
            "number": job.number,
            "name": job.name,
            "method": job.method,
            "status": job.status,
            "model": self.model,
            "base": self.base,
            "dataset": self.dataset,
            "version": self.version,
            "study": self.study,
            "policy": job.policy,
            "round": self.round,
            "compare": self.compare,
            "phase": job.phase,
            "step": job.step,
            "total_steps": job.total_steps,
            "eta_seconds": finite(job.eta_seconds),
            "seconds": finite(self.seconds),
            "seconds_to_first_step": finite(job.seconds_to_first_step),
            "metrics": {name: finite(value) for name, value in job.metrics.items()},
            "error": job.error,
            "stop_requested": job.stop_requested,
            "ahead": self.ahead,
            "reason": self.reason,
            "held": job.held_at is not None,
            "when_idle": bool(job.when_idle),
            "devices": job.devices,
            "device": job.device,
            "after": job.after_id,
            "plan": job.plan_id,
            "search": job.search_id,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "command": command_line(request_of(job)),
        }


def report(store: Store, job: Job | str) -> JobReport:
    """What is known of a job (a row, an id or a number as a word) at this moment; raises NotFound."""
    reference = job if isinstance(job, str) else job.id
    catch_up(store)
    fresh = jobs.get_job(store, reference)
    turn = store.one(
        "select r.number, s.name as study from rounds r left join studies s on s.id = r.measuring_study_id "
        "where r.job_id = ?",
        [fresh.id],
    )
    version = get_version(store, fresh.version_id) if fresh.version_id else None
    return JobReport(
        job=fresh,
        base=_base_name(store, fresh),
        model=get_model(store, fresh.model_id).name if fresh.model_id else None,
        dataset=get_dataset(store, version.dataset_id).name if version else None,
        version=version.number if version else None,
        study=get_study(store, fresh.study_id).name if fresh.study_id else None,
        round=turn["number"] if turn else None,
        compare=turn["study"] if turn else None,
        ahead=_ahead(store, fresh),
        reason=queueing.reason(store, fresh) if fresh.status == "queued" else None,
        seconds=_seconds(fresh),
    )


def report_all(store: Store, most: int | None = None) -> list[JobReport]:
    """All jobs, newest first; only so many if given."""
    return [report(store, job) for job in jobs.list_jobs(store)[:most]]


def log_tail(store: Store, job: Job, size: int = 20_000) -> str:
    """The last lines of a job's log without colours; of a progress bar only its last state."""
    text = _TERMINAL_CODES.sub("", tail_log(store.home.run(job.id), size))
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(line.rstrip() for line in lines)


def stop(store: Store, reference: str, now: bool = False) -> Job:
    """Ask a job to save and stop, or to stop at once; a queued job is stopped. Raises Conflict where it has ended."""
    return jobs.request_stop(store, reference, "now" if now else "save")


def resume(store: Store, reference: str) -> Job:
    """Queue a failed or stopped job again; raises Conflict where it is done, or has not ended."""
    return jobs.resume(store, reference)


def wait(store: Store, job: Job, timeout: float | None = None) -> Job:
    """Wait until a job has ended or waits for a person, with a worker at it: one is started where none is seen to work.

    Returns the job as it is after `timeout` seconds at the latest.
    """
    from studio.clients.processes import start_worker

    deadline = None if timeout is None else now() + timeout
    asked = 0.0
    while True:
        fresh = jobs.get_job(store, job.id)
        if fresh.status in JOB_ENDED or queueing.stuck(store, fresh) or (deadline is not None and now() > deadline):
            catch_up(store)
            return fresh
        if now() - max(asked, fresh.beat_at or 0.0) > _SILENT_SECONDS:
            start_worker(store.home)  # does nothing where one runs
            asked = now()
        time.sleep(_POLL_SECONDS)


def _base_name(store: Store, job: Job) -> str:
    """What the job starts from: a model, or the model that the job before it is going to make."""
    before = jobs.get_job(store, job.after_id) if job.after_id and job.status == "queued" else None
    if before is not None and job.request.get("base") == before.name:
        return before.name
    return get_model(store, job.base_id).name


def _ahead(store: Store, job: Job) -> int:
    """How many jobs come before a queued one."""
    if job.status != "queued":
        return 0
    return int(
        store.value(
            "select count(*) from jobs where status = 'running' or (status = 'queued' and held_at is null and "
            "(coalesce(position, number), number) < (?, ?))",
            [job.number if job.position is None else job.position, job.number],
        )
    )


def _seconds(job: Job) -> float | None:
    """How long the job has been at work."""
    if job.started_at is None:
        return None
    return round((job.finished_at or now()) - job.started_at, 1)
