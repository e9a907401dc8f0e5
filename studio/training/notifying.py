"""Telling the world that a job has ended: one POST to the webhook that the administrator has set.

A thread of its own looks for ended jobs that nobody was told of, so nothing waits for the receiver and nothing is
forgotten over a restart. The receiver may hear of a job twice (the process ended between the answer and the note of
it), never of one that ended days ago. Redirects are not followed: what the administrator named is what is asked.
"""

import logging
import threading
from typing import Any

import httpx

from storage import jobs
from storage.clock import now
from storage.errors import RatchetError
from storage.models import get_model
from storage.rows_training import Job
from storage.store import Store

log = logging.getLogger("ratchet.webhook")

_LOOK_SECONDS = 1.0
_TRIES, _PAUSE_SECONDS, _TIMEOUT_SECONDS = 3, 2.0, 10.0
_NEWS_SECONDS = 86_400.0  # what ended longer ago is no news

_ENDED = """
select id from jobs where status in ('done', 'failed', 'stopped') and notified_at is null and finished_at > ?
and search_id is null order by finished_at
"""


class Notifier:
    """Posts to the webhook while the studio is served."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    def start(self) -> None:
        """Begin, where there is a webhook at all."""
        if self._url:
            self._thread.start()

    def stop(self) -> None:
        """End; what was not told is told by the next one."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=_LOOK_SECONDS)

    def _run(self) -> None:
        while not self._ending.wait(_LOOK_SECONDS):
            try:
                for row in self._store.rows(_ENDED, [now() - _NEWS_SECONDS]):
                    self._tell(jobs.get_job(self._store, row["id"]))
            except Exception:  # the edge of a thread: a busy database must not end the telling
                log.exception("the webhook was not told")
        self._store.close()

    def _tell(self, job: Job) -> None:
        """Post until somebody hears it, a few times; then it counts as told."""
        for attempt in range(_TRIES):
            try:
                post(self._url, message(self._store, job))
                break
            except RatchetError as error:
                log.warning("%s", error)
                if self._ending.wait(_PAUSE_SECONDS * (attempt + 1)):
                    return
        self._store.execute("update jobs set notified_at = ? where id = ?", [now(), job.id])


def message(store: Store, job: Job) -> dict[str, Any]:
    """What is told of an ended job: names, how it ended, metrics; no data, no answers. `text` suits chat programs."""
    error = (job.error or {}).get("sentence")
    words = {"done": "is done", "failed": "has failed", "stopped": "was stopped"}[job.status]
    return {
        "event": "job-ended",
        "text": f"Training {job.number} ({job.name}, {job.method}) {words}{f': {error}' if error else '.'}",
        "job": job.id,
        "number": job.number,
        "name": job.name,
        "method": job.method,
        "status": job.status,
        "model": get_model(store, job.model_id).name if job.model_id else None,
        "error": error,
        "seconds": round(job.finished_at - job.started_at, 1) if job.finished_at and job.started_at else None,
        "metrics": job.metrics,
    }


def post(url: str, said: dict[str, Any]) -> None:
    """One POST of JSON; raises RatchetError where it was not taken (also where it is answered with a redirect)."""
    try:
        answer = httpx.post(url, json=said, timeout=_TIMEOUT_SECONDS, follow_redirects=False)
    except httpx.HTTPError as error:
        raise RatchetError(f"The webhook could not be reached: {type(error).__name__}.") from error
    if not answer.is_success:
        raise RatchetError(f"The webhook answered with status {answer.status_code}; it takes a POST of JSON.")
