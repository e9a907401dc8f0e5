"""A training that builds on one which is not done yet: its base, teacher or reward model is a promise.

The job that makes the model is named by `Request.after`, the model by that job's name. Until it is done, the plan
reckons with a stand-in on the same base; `trainers/chaining.py` puts the real weights into `spec.json` when the job
is claimed.
"""

from dataclasses import replace
from typing import Any

from storage.errors import Conflict, Refused
from storage.jobs import get_job
from storage.models import base_of, get_model
from storage.rows_training import Job, Model
from storage.specs.method import Method
from storage.specs.registry import METHODS, method_named
from storage.specs.run import Helper
from storage.specs.training import SAVED_AS_ADAPTER
from storage.store import Store
from studio.training.origins import Origin, find_helpers, find_origin
from studio.training.request import Request


def awaited(store: Store, request: Request) -> Job | None:
    """The job that the request waits for, while it has not ended; None where it waits for none or that is done.

    Raises NotFound for an unknown job, Conflict for one that has ended without a model.
    """
    if not request.after:
        return None
    job = get_job(store, request.after)
    if job.status in ("failed", "stopped"):
        word = "has failed" if job.status == "failed" else "was stopped"
        raise Conflict(f"Job {job.number} ({job.name}) {word}; resume it first, or do not wait for it.")
    return None if job.status == "done" else job


def origin_of(store: Store, request: Request) -> Origin:
    """Where a request starts: at a model, or at what the job before it will make. Raises as `find_origin`."""
    before = awaited(store, request)
    if request.after and names(get_job(store, request.after), request.base) and before is None:
        done = get_job(store, request.after)
        return find_origin(store, get_model(store, done.model_id or "").name, request.start)
    if before is None or not names(before, request.base):
        reads = request.method in METHODS and METHODS[request.method].makes == "labels"
        return find_origin(store, request.base, request.start, reads)
    if _method(before).makes in ("scores", "labels"):
        raise Refused(f'Job {before.number} makes a model that judges answers and gives none: "{before.name}" cannot '
                      "be trained on; name another base.")  # fmt: skip
    root = base_of(store, get_model(store, before.base_id))
    checked = find_origin(store, root.name)
    whole = before.request.get("options", {}).get("tuning", "lora") not in SAVED_AS_ADAPTER
    stand_in = _stand_in(root, before, whole)
    if whole:
        return Origin(stand_in, replace(stand_in, path=root.path), "fresh", "base")
    start = request.start or "continue"
    return Origin(stand_in, checked.base, start, "base" if start == "fresh" else "previous")


def helpers_of(store: Store, request: Request) -> dict[str, Any]:
    """`find_helpers`, where a teacher or reward model may be what the job before makes: its path stays empty."""
    before = awaited(store, request)
    if before is None:
        return find_helpers(store, request)
    promise = Helper(before.name, "reward" if _method(before).makes == "scores" else "adapter", "", None)._asdict()
    teacher = bool(request.teacher) and names(before, request.teacher or "")
    known = tuple(name for name in request.rewards if not names(before, name))
    found = find_helpers(store, replace(request, teacher=None if teacher else request.teacher, rewards=known))
    if teacher:
        found["teacher"] = promise
    if len(known) < len(request.rewards):
        real = iter(found.get("rewards", []))
        found["rewards"] = [promise if names(before, name) else next(real) for name in request.rewards]
    return found


def names(job: Job, word: str) -> bool:
    """Whether a word means a job: its name, number or id."""
    return word in (job.name, job.id, str(job.number))


def _method(job: Job) -> Method:
    return method_named(job.method)


def _stand_in(root: Model, before: Job, whole: bool) -> Model:
    """The model to come, as the row of the base that it will lie on: the id is that row's, for the job's row needs one.

    It has no path: a run must never take the base's weights for an adapter's.
    """
    kind, base_id = ("base", None) if whole else ("adapter", root.id)
    return replace(root, name=before.name, kind=kind, base_id=base_id, path=None, adapter_sha256=None, job_id=before.id)
