"""Answering a whole dataset: asked for, looked at, stopped, taken up again, and undone.

An answering is a row and a task of its own (`python -m studio.task`, see `studio.feedback.bulk`). All that it knows
lies in the store, so its process can be killed at any moment: `revive` starts another, which asks for what is missing.
"""

import secrets
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from storage import answerings, catalogue, tasks
from storage.answerings import ENDED, Answering
from storage.clock import now
from storage.datasets import find_dataset, get_dataset, refuse_taken
from storage.errors import BadInput, Conflict
from storage.models import get_model
from storage.processes import alive
from storage.rows_training import ANSWERING, Model, Task
from storage.store import Store
from storage.versions import get_version
from studio.feedback.ahead import pace_of
from studio.feedback.contestants import LONGEST_SYSTEM
from studio.feedback.sampling import Sampling
from studio.people.roles import Action, Actor, require

_MOST_MODELS = 8
_WINDOW = 60.0  # seconds over which the pace is told
_LEAVING_SECONDS = 5.0
_POLL_SECONDS = 0.05
_STARTING_SECONDS = 60.0  # a process that has not begun by then never will


@dataclass(frozen=True)
class Wish:
    """What to answer by whom. `count`: at most so many prompts; `seed`: drawn where none is given, and kept.

    The same wish on the same rows with the same seed gives the same answers, and asks for none that stands already.
    """

    dataset: str
    models: Sequence[str]
    into: str
    system: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    seed: int | None = None
    count: int | None = None


def begin(store: Store, actor: Actor, wish: Wish) -> Answering:
    """Note a wish and start its process; raises Forbidden, NotFound, Conflict or BadInput before anything is made."""
    require(actor, Action.EDIT_DATA)
    dataset = get_dataset(store, wish.dataset)
    if dataset.kind == "text":
        raise BadInput(f'The rows of dataset "{dataset.name}" are plain texts, which ask nothing; choose another one.')
    models = _models(store, wish.models)
    target = wish.into.strip()
    _refuse_target(store, target)
    if wish.count is not None and wish.count < 1:
        raise BadInput(f"At least one prompt is to be answered, not {wish.count}.")
    if len(wish.system) > LONGEST_SYSTEM:
        raise BadInput(f"A system prompt has at most {LONGEST_SYSTEM:,} characters; this one has {len(wish.system):,}.")
    seed = secrets.randbits(31) if wish.seed is None else wish.seed
    if not 0 <= seed < 2**31:
        raise BadInput(f"A seed lies between 0 and {2**31 - 1}, not at {seed}.")
    params = {**asdict(wish.sampling), "seed": seed, "count": wish.count}
    ids = [model.id for model in models]
    made = answerings.add_answering(store, dataset.id, target, ids, params, wish.system.strip() or None, actor.name)
    start_process(store, made)
    return answerings.get_answering(store, made.id)


def _models(store: Store, names: Sequence[str]) -> list[Model]:
    """The models of a wish; raises NotFound, or BadInput for none, too many, one twice, one that answers nothing."""
    models = [get_model(store, name) for name in names]
    if not 1 <= len(models) <= _MOST_MODELS:
        raise BadInput(f"Name 1 to {_MOST_MODELS} models, not {len(models)}.")
    if len({model.id for model in models}) != len(models):
        raise BadInput("A model is named twice; each answers once.")
    if judge := next((model for model in models if model.kind not in ANSWERING), None):
        raise BadInput(f'"{judge.name}" is of kind {judge.kind} and answers nothing; choose a model that does.')
    return models


def _refuse_target(store: Store, target: str) -> None:
    refuse_taken(store, target)
    if any(one.target == target for one in answerings.unfinished(store)):
        raise Conflict(f'Answers for a dataset "{target}" are being made already; choose another name.')


def start_process(store: Store, answering: Answering) -> None:
    """Start a process that goes on with an answering; one that finds another at it ends at once."""
    from studio import task

    task.start(store, "answer", {"answering": answering.id, "dataset": answering.dataset_id})


def working(store: Store, answering: Answering, before: str | None = None) -> bool:
    """Whether a living process is at it, or has just been started; `before`: of tasks older than this one alone."""
    rows = store.rows(
        "select id from tasks where kind = 'answer' and status in ('queued', 'running') "
        "and json_extract(payload, '$.answering') = :it and (:before is null or id < :before)",
        {"it": answering.id, "before": before},
    )
    return any(_lives(tasks.get_task(store, row["id"])) for row in rows)


def _lives(task: Task) -> bool:
    if task.status == "running":
        return alive(task.pid, task.pid_started)
    return task.status == "queued" and tasks.age(task) < _STARTING_SECONDS


def revive(store: Store) -> list[Answering]:
    """Start a process for each unfinished answering that has none, as after a crash; returns them."""
    left = [one for one in answerings.unfinished(store) if not working(store, one)]
    for one in left:
        start_process(store, one)
    return left


def stop(store: Store, actor: Actor, reference: str) -> Answering:
    """Ask an answering to stop; what has been answered is kept. Raises Conflict where it has ended."""
    require(actor, Action.EDIT_DATA)
    found = answerings.get_answering(store, reference)
    if found.state in ENDED:
        raise Conflict(f'The answering into "{found.target}" is {found.state}; there is nothing to stop.')
    answerings.turn(store, found.id, ["running"], "stopping")
    if not working(store, found) and answerings.turn(store, found.id, ["stopping"], "stopped"):
        answerings.change(store, found.id, finished_at=now())
    return answerings.get_answering(store, found.id)


def resume(store: Store, actor: Actor, reference: str) -> Answering:
    """Go on with one that was stopped, has failed or was cut off; answers that failed are asked for again.

    Raises Conflict where it is at work or done.
    """
    require(actor, Action.EDIT_DATA)
    found = answerings.get_answering(store, reference)
    if found.state in ("done", "undone") or not _at_rest(store, found):
        word = found.state if found.state in ENDED else "at work"
        raise Conflict(f'The answering into "{found.target}" is {word}; there is nothing to resume.')
    answerings.forget_failed(store, found.id)
    answerings.change(store, found.id, state="running", error=None, finished_at=None)
    start_process(store, found)
    return answerings.get_answering(store, found.id)


def _at_rest(store: Store, answering: Answering) -> bool:
    """Whether nobody is at it; the process of one that has ended is given a moment to go."""
    until = now() + _LEAVING_SECONDS
    while working(store, answering):
        if answering.state not in ENDED or now() > until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def undo(store: Store, actor: Actor, reference: str) -> Answering:
    """Throw away the dataset that an answering made; it lies among the deleted ones. Raises Conflict without one."""
    require(actor, Action.EDIT_DATA)
    found = answerings.get_answering(store, reference)
    made = find_dataset(store, found.made_id) if found.made_id else None
    if made is None or not answerings.turn(store, found.id, ["done"], "undone"):
        raise Conflict(f'The answering into "{found.target}" is {found.state}; it has made nothing to throw away.')
    catalogue.delete(store, made)
    return answerings.get_answering(store, found.id)


def report(store: Store, answering: Answering) -> dict[str, Any]:
    """How far an answering is; the JSON object of `ratchet answerings ID`."""
    counts = answerings.counts(store, answering.id)
    at_work = answering.state not in ENDED and working(store, answering)
    pace = pace_of(answerings.newest(store, answering.id, now() - _WINDOW), now()) if at_work else 0.0
    left = max(0, answering.total - counts.answered - counts.failed)
    source, made = find_dataset(store, answering.dataset_id), find_dataset(store, answering.made_id or "")
    names = [get_model(store, identity).name for identity in answering.model_ids]
    return {
        "answering": answering.id, "dataset": source.name if source else None, "models": names,
        "into": answering.target, "made": made.name if made and answering.state == "done" else None,
        "version": get_version(store, answering.version_id).number if answering.version_id else None,
        "state": answering.state, "working": at_work, "total": answering.total, "answered": counts.answered,
        "reused": counts.reused, "failed": counts.failed, "tokens": counts.tokens, "per_minute": round(pace, 2),
        "eta_seconds": round(60 * left / pace, 1) if pace and left else None, "error": answering.error,
        "result": answering.result, "system": answering.system, "params": answering.params,
        "created_by": answering.created_by, "created_at": answering.created_at, "finished_at": answering.finished_at,
        "command": command(source.name if source else "", names, answering),
    }  # fmt: skip


def reports(store: Store, dataset: str | None = None) -> list[dict[str, Any]]:
    """All answerings, newest first; of one dataset if named."""
    of = get_dataset(store, dataset).id if dataset else None
    return [report(store, one) for one in answerings.list_answerings(store, of)]


def command(dataset: str, models: Sequence[str], answering: Answering) -> str:
    """The command line that asks for the same again."""
    params, usual = answering.params, asdict(Sampling())
    words = ["ratchet", "answer", dataset, *(word for name in models for word in ("--model", name))]
    words += ["--into", answering.target]
    if answering.system:
        words += ["--system", answering.system]
    for name, flag in (("max_tokens", "--max-new-tokens"), ("temperature", "--temperature"), ("top_p", "--top-p")):
        if params[name] != usual[name]:
            words += [flag, f"{params[name]:g}"]
    words += ["--seed", str(params["seed"])]
    if params.get("count"):
        words += ["--n", str(params["count"])]
    return shlex.join(words)
