"""Jobs: enqueue, claim (one statement), follow, stop, finish. Their order: `storage.queueing`."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.clock import now
from storage.errors import Conflict, NotFound
from storage.rows_training import JOB_ENDED, Job
from storage.store import Store

# One statement, so that two workers can never hold the same job. The first of the queue that may run is taken or
# nobody is: were smaller jobs let past one that waits for two devices, it would wait for ever. A job that wants more
# devices than there are takes all.
_CLAIM = """
update jobs set status = 'running', phase = 'starting', started_at = :now, beat_at = :now, device = null
where id = (
  select job.id from jobs job left join jobs before on before.id = job.after_id
  where job.status = 'queued' and job.held_at is null and (job.after_id is null or before.status = 'done')
  and (job.when_idle = 0 or :idle)
  order by coalesce(job.position, job.number), job.number limit 1
) and status = 'queued' and (devices <= :free or :free = :slots)
returning *
"""
_PLENTY = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,18}")  # what SQLite can hold


class Room(NamedTuple):
    """What a worker has room for: devices that are free, of so many; whether nobody works here now."""

    free: int = _PLENTY
    slots: int = _PLENTY
    idle: bool = True


class NewJob(NamedTuple):
    """What a job is made from; see `storage.rows.Job` for the meaning."""

    id: str
    name: str
    method: str
    base_id: str
    request: dict[str, Any]
    version_id: str | None = None
    study_id: str | None = None
    policy: str | None = None
    when_idle: bool = False
    devices: int = 1
    after_id: str | None = None
    plan_id: str | None = None
    search_id: str | None = None
    held_at: float | None = None


def enqueue(store: Store, new: NewJob, prompts: set[str] | None = None) -> Job:
    """Put a job into the queue; its run folder must be complete by now. `prompts`: hashes that it trains on."""
    with store.write():
        number = store.value("select coalesce(max(number), 0) + 1 from jobs")
        last = store.value("select max(coalesce(position, number)) from jobs") or 0
        store.insert(
            "jobs",
            {**new._asdict(), "request": json.dumps(new.request), "number": number, "position": last + 1,
             "status": "queued", "metrics": "{}", "created_at": now()},
        )  # fmt: skip
        store.db.conn.executemany(
            "insert or ignore into trained_prompts (job_id, prompt_sha256) values (?, ?)",
            [(new.id, prompt) for prompt in prompts or ()],
        )
    return get_job(store, new.id)


def claim(store: Store, room: Room = Room()) -> Job | None:  # noqa: B008 - a NamedTuple cannot be changed
    """Take the first job of the queue that may run, where there is room for it; else None."""
    row = store.one(_CLAIM, {"now": now(), **room._asdict()})
    return Job.from_row(row) if row else None


def claim_again(store: Store, job_id: str, most: int) -> Job | None:
    """Begin a further attempt at a running job whose process is lost; None where that was done `most` times already."""
    row = store.one(
        "update jobs set restarts = restarts + 1, phase = 'starting', started_at = ?, beat_at = ?, pid = null, "
        "pid_started = null where id = ? and status = 'running' and restarts < ? returning *",
        [now(), now(), job_id, most],
    )
    return Job.from_row(row) if row else None


def given(store: Store, job_id: str, devices: Sequence[str]) -> Job:
    """Record the devices that a running job has got."""
    store.execute("update jobs set device = ? where id = ?", [",".join(devices), job_id])
    return get_job(store, job_id)


def get_job(store: Store, job_id: str) -> Job:
    """A job by id, or by its number written as digits; raises NotFound."""
    row = store.one("select * from jobs where id = ?", [job_id])
    if row is None and _NUMBER.fullmatch(str(job_id)):
        row = store.one("select * from jobs where number = ?", [int(job_id)])
    if row is None:
        raise NotFound(f'There is no job "{job_id}"; `ratchet jobs` lists them.')
    return Job.from_row(row)


def list_jobs(store: Store, status: str | None = None) -> list[Job]:
    """Jobs, newest first; of one status if given."""
    rows = store.rows(
        "select * from jobs where :status is null or status = :status order by number desc", {"status": status}
    )
    return [Job.from_row(row) for row in rows]


def unfinished(store: Store) -> int:
    """How many jobs are queued or running."""
    return int(store.value("select count(*) from jobs where status in ('queued', 'running')"))


def started(store: Store, job_id: str, pid: int, pid_started: float) -> None:
    """Record the process of a running job."""
    store.execute(
        "update jobs set pid = ?, pid_started = ?, beat_at = ? where id = ?", [pid, pid_started, now(), job_id]
    )


def follow(store: Store, job_id: str, **values: Any) -> None:
    """Record progress (`phase`, `step`, `total_steps`, `eta_seconds`, `metrics`, …) of a running job, and beat."""
    allowed = {"phase", "step", "total_steps", "eta_seconds", "seconds_to_first_step", "metrics", "evaluation"}
    unknown = values.keys() - allowed
    if unknown:
        raise ValueError(f"a job has no progress column {sorted(unknown)}")
    values |= {name: json.dumps(values[name]) for name in ("metrics", "evaluation") if name in values}
    sets = "".join(f", {name} = :{name}" for name in values)
    store.execute(f"update jobs set beat_at = :now{sets} where id = :id", {**values, "now": now(), "id": job_id})


def request_stop(store: Store, job_id: str, how: str) -> Job:
    """Ask for a stop: "save" (checkpoint first) or "now". A queued job is stopped at once."""
    job = get_job(store, job_id)
    if job.status in JOB_ENDED:
        raise Conflict(f"Job {job.number} has ended already: it is {job.status}.")
    queued = store.execute(
        "update jobs set status = 'stopped', stop_requested = ?, finished_at = ? where id = ? and status = 'queued'",
        [how, now(), job.id],
    )
    if not queued:
        store.execute("update jobs set stop_requested = ? where id = ? and status = 'running'", [how, job.id])
    return get_job(store, job.id)


def resume(store: Store, job_id: str) -> Job:
    """Queue a failed or stopped job again; its run goes on from its newest whole checkpoint.

    Raises Conflict for a job that is done, or that has not ended.
    """
    job = get_job(store, job_id)
    changed = store.execute(
        "update jobs set status = 'queued', stop_requested = null, error = null, finished_at = null, phase = null, "
        "pid = null, pid_started = null, beat_at = null, device = null, held_at = null, restarts = 0, "
        "notified_at = null where id = ? and status in ('failed', 'stopped')",
        [job.id],
    )
    if not changed:
        raise Conflict(f"Job {job.number} is {job.status}; only a job that has failed or was stopped can be resumed.")
    return get_job(store, job.id)


def finish(
    store: Store,
    job_id: str,
    status: str,
    model_id: str | None = None,
    error: dict[str, Any] | None = None,
) -> Job:
    """Record how a running job ended; a job that has ended already is left as it is."""
    store.execute(
        "update jobs set status = ?, model_id = coalesce(?, model_id), error = ?, finished_at = ?, "
        "eta_seconds = null, phase = null where id = ? and status = 'running'",
        [status, model_id, json.dumps(error) if error else None, now(), job_id],
    )
    return get_job(store, job_id)
