"""The queue as people see it: what runs where, what waits, in which order and why."""

from typing import Any

from storage import jobs, queueing
from storage.rows_training import Job
from storage.store import Store


def listed(store: Store) -> dict[str, Any]:
    """Devices that are at work, then the waiting jobs in their order, each with its reason."""
    running = [_slot(device, job) for job in jobs.list_jobs(store, "running")[::-1] for device in _devices(job)]
    return {"slots": running or [{"device": "any", "job": None}], "waiting": waiting(store)}


def waiting(store: Store) -> list[dict[str, Any]]:
    """The waiting jobs."""
    return [line(store, job, place) for place, job in enumerate(queueing.waiting(store), 1)]


def line(store: Store, job: Job, place: int) -> dict[str, Any]:
    """One waiting job; `position` counts from 1."""
    before = jobs.get_job(store, job.after_id) if job.after_id else None
    return {
        "job": job.id,
        "number": job.number,
        "name": job.name,
        "method": job.method,
        "position": place,
        "held": job.held_at is not None,
        "when_idle": bool(job.when_idle),
        "devices": job.devices,
        "after": {"job": before.id, "number": before.number, "name": before.name, "status": before.status}
        if before
        else None,
        "plan": job.plan_id,
        "search": job.search_id,
        "reason": queueing.reason(store, job),
    }


def _devices(job: Job) -> list[str]:
    return job.device.split(",") if job.device else ["starting"]


def _slot(device: str, job: Job) -> dict[str, Any]:
    return {"device": device, "job": {"job": job.id, "number": job.number, "name": job.name, "method": job.method}}
