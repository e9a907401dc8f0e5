"""How a run ended, recorded in its job: a model, a failure with its sentence, a stop; or a further attempt."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage import jobs
from storage.errors import RatchetError
from storage.models import base_of, get_model
from storage.rows_training import Job, Model
from storage.runs import append_event, tail_log, write_error
from storage.store import Store
from trainers.announce import announce
from trainers.failures import vanished
from trainers.process import TAKEN
from trainers.register import register
from trainers.watched import Watched

_RESTARTS = 1  # by itself; a machine that goes down again and again under a job is for a person to look at

Say = Callable[[str], None]


def settle(store: Store, watched: Watched, say: Say) -> Job | None:
    """The process is gone: record how it ended. Returns the job where a further attempt has begun, else None."""
    job, outcome = watched.job, watched.follower.outcome
    if outcome is None:
        return _settle_silent(store, watched, say)
    if outcome["kind"] == "done":
        _settle_done(store, job, watched.order.folder, outcome, say)
    elif outcome["kind"] == "failed":
        jobs.finish(store, job.id, "failed", error=outcome["error"])
        say(f"Job {job.number} has failed: {outcome['error']['sentence']}")
    else:
        _stopped(store, job, say)
    return None


def fail(store: Store, job: Job, kind: str, sentence: str, fix: str, say: Say) -> None:
    """Record a failure of which the run itself could not tell, in its folder and in the job."""
    folder = store.home.run(job.id)
    error: dict[str, Any] = {"kind": kind, "sentence": sentence, "fix": fix, "retry": []}
    if folder.is_dir():
        error = write_error(folder, kind, sentence, fix)
        append_event(folder, "failed", error=error)
    jobs.finish(store, job.id, "failed", error=error)
    say(f"Job {job.number} has failed: {sentence}")


def _stopped(store: Store, job: Job, say: Say) -> None:
    jobs.finish(store, job.id, "stopped")
    say(f"Job {job.number} was stopped.")


def _settle_done(store: Store, job: Job, folder: Path, outcome: dict[str, object], say: Say) -> None:
    try:
        model = register(store, job, folder, outcome)
    except (RatchetError, OSError) as error:
        sentence = f"The finished adapter could not be taken over: {error}"
        fail(store, job, "adapter", sentence, "Start the job again.", say)
        return
    say(f"Job {job.number} is done: {model.name}.")
    if job.search_id is None:  # of many trials nobody asks anything; the engine loads one when somebody does
        _announce(store, model, folder, say)


def _announce(store: Store, model: Model, folder: Path, say: Say) -> None:
    """Have the engine load what was made; what it finds wrong with it goes to the run's log."""
    parent = get_model(store, model.parent_id).name if model.parent_id else None
    found = announce(store.home, model, base_of(store, model), parent)
    say(found.sentence)
    if found.warning:
        append_event(folder, "warning", sentence=found.warning)


def _settle_silent(store: Store, watched: Watched, say: Say) -> Job | None:
    """It ended without a word: on our demand, because another process has the run, or because it was killed."""
    job, code = watched.job, watched.exit_code()
    if code == TAKEN:
        return None
    if watched.given_up:
        append_event(watched.order.folder, "warning", sentence=_undying(watched))
    if jobs.get_job(store, job.id).stop_requested:
        _stopped(store, job, say)
        return None
    if watched.lost and (again := jobs.claim_again(store, job.id, _RESTARTS)):
        # Nobody was there when it went: a power cut or a reboot, which took the worker as well.
        append_event(watched.order.folder, "log", sentence="The machine went down under this run; it goes on.")
        say(f"Job {job.number}: its run was lost with the machine; it goes on from its last checkpoint.")
        return again
    fail(store, job, *_silent(watched, code), say)
    return None


def _silent(watched: Watched, code: int | None) -> tuple[str, str, str]:
    """What a run died of that could not say so itself."""
    step = watched.follower.step
    if watched.lost:
        said = f"The run was lost with the machine a second time, at step {step}; it does not go on by itself again."
        return "lost", said, "Resume the job to go on from its last checkpoint; train.log may tell more."
    return vanished(code, step, tail_log(watched.order.folder, 2_000))


def _undying(watched: Watched) -> str:
    process = watched.job.pid or "unknown"
    return (
        f"The run was asked to stop, told to stop and killed, and its process ({process}) is still there; the system "
        "cannot end it (a dead disk or driver?). It counts as stopped; restart the machine to be rid of it."
    )
