"""The order of the queue: who comes next, who is held back, who waits for whom, and why somebody waits."""

from storage.clock import now
from storage.errors import BadInput, Conflict
from storage.jobs import get_job
from storage.rows_training import Job
from storage.store import Store


def waiting(store: Store) -> list[Job]:
    """The queued jobs in their order."""
    rows = store.rows("select * from jobs where status = 'queued' order by coalesce(position, number), number")
    return [Job.from_row(row) for row in rows]


def ready(store: Store) -> int:
    """How many queued jobs a worker will get to by itself: neither held, nor behind one that a person must see to."""
    left = {job.id: job for job in waiting(store)}
    running = {row["id"] for row in store.rows("select id from jobs where status in ('running', 'done')")}

    def comes(job: Job) -> bool:
        if job.held_at is not None:
            return False
        before = job.after_id
        return before is None or before in running or (before in left and comes(left[before]))

    return sum(comes(job) for job in left.values())


def hold(store: Store, reference: str) -> Job:
    """Hold a queued job back until it is released; raises Conflict where it is not queued."""
    job = _queued(store, reference, "held")
    store.execute("update jobs set held_at = coalesce(held_at, ?) where id = ?", [now(), job.id])
    return get_job(store, job.id)


def release(store: Store, reference: str) -> Job:
    """Let a held job go on; harmless for one that is not held. Raises Conflict where it is not queued."""
    job = _queued(store, reference, "released")
    store.execute("update jobs set held_at = null where id = ?", [job.id])
    return get_job(store, job.id)


def when_idle(store: Store, reference: str, wanted: bool) -> Job:
    """Have a queued job wait until nobody works here, or no longer; raises Conflict where it is not queued."""
    job = _queued(store, reference, "told to wait")
    store.execute("update jobs set when_idle = ? where id = ?", [int(wanted), job.id])
    return get_job(store, job.id)


def move(store: Store, reference: str, before: str | None) -> Job:
    """Put a queued job before another one, or at the end; raises Conflict or BadInput where that cannot be.

    The places that the queued jobs have are dealt out anew in the new order, so that those which run, resume or come
    later keep theirs.
    """
    with store.write():
        job = _queued(store, reference, "moved")
        target = _queued(store, before, "moved or moved before") if before else None
        order = [one for one in waiting(store) if one.id != job.id]
        at = next((n for n, one in enumerate(order) if target and one.id == target.id), len(order))
        if target and target.id == job.id:
            raise BadInput(f"Job {job.number} cannot be moved before itself; name another job.")
        places = sorted(one.position if one.position is not None else one.number for one in waiting(store))
        order.insert(at, job)
        for place, one in zip(places, order, strict=True):
            store.execute("update jobs set position = ? where id = ?", [place, one.id])
    return get_job(store, job.id)


def followers(store: Store, job_id: str) -> list[Job]:
    """The queued jobs that wait for this one."""
    rows = store.rows("select * from jobs where status = 'queued' and after_id = ? order by number", [job_id])
    return [Job.from_row(row) for row in rows]


def follow_instead(store: Store, job: Job, instead: Job) -> None:
    """Let those who wait for a job wait for the one that does its work again."""
    store.execute("update jobs set after_id = ? where after_id = ? and status = 'queued'", [instead.id, job.id])


def withdraw(store: Store, job_ids: list[str]) -> None:
    """Take queued jobs out again as if they had never been asked for; those that run or have ended stay."""
    with store.write():
        for job_id in reversed(job_ids):
            if get_job(store, job_id).status == "queued":
                store.execute("update rounds set job_id = null, version_id = null where job_id = ?", [job_id])
                store.execute("delete from trained_prompts where job_id = ?", [job_id])
                store.execute("delete from jobs where id = ?", [job_id])


def stuck(store: Store, job: Job) -> bool:
    """Whether a queued job will not begin before a person does something: it is held, or builds on what failed."""
    if job.status != "queued":
        return False
    before = get_job(store, job.after_id) if job.after_id else None
    return job.held_at is not None or (
        before is not None and (before.status in ("failed", "stopped") or stuck(store, before))
    )


def reason(store: Store, job: Job) -> str:
    """Why a queued job waits, in a sentence."""
    before = get_job(store, job.after_id) if job.after_id else None
    if job.held_at is not None:
        return "Held back by a person; release it to let it run."
    if before is not None and before.status in ("failed", "stopped"):
        word = "has failed" if before.status == "failed" else "was stopped"
        return (
            f"It builds on job {before.number} ({before.name}), which {word}: resume or retry that one, or stop this."
        )
    if before is not None and before.status != "done":
        return f"It begins when job {before.number} ({before.name}) is done."
    if job.when_idle:
        return "It begins when nobody has worked here for some minutes."
    return "It begins when the jobs before it have ended."


def _queued(store: Store, reference: str, what: str) -> Job:
    job = get_job(store, reference)
    if job.status != "queued":
        raise Conflict(f"Job {job.number} is {job.status}; only a job that waits in the queue can be {what}.")
    return job
