"""Runs one task in a process of its own: `python -m studio.task ID --home DIR`.

Work without a model that outlasts a click (an import) runs here at the lowest priority, so that a page answers at
once and voting stays quick meanwhile. Progress, cancel and outcome are columns of the task's row.
"""

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from storage import tasks
from storage.errors import RatchetError
from storage.home import Home
from storage.processes import alive, identify
from storage.rows_training import Task
from storage.store import Store
from studio.curation import bulk, export_tasks, intake, tidying, trash, uploads, versioning
from studio.curation.checks import tasks as checking
from studio.feedback import bulk as answering
from studio.rounds import asking_canaries, replaying
from studio.training import export_model_hub, exporting_models, labelling_models, mixing, trials

_LOWEST_PRIORITY = 19
_STARTING_SECONDS = 30.0  # for which a task that was added counts as at work, though its process has not begun yet


KINDS: Mapping[str, Callable[[Store, Task], dict[str, Any]]] = {
    "import": intake.run_import,
    "hub-look": intake.run_hub_look,
    "hub-fetch": intake.run_hub_fetch,
    "export": export_tasks.run_export,
    "hub-push": export_tasks.run_hub,
    "bulk": bulk.run_task,
    "check": checking.run_check,
    "mend": checking.run_mend,
    "tokens": checking.run_tokens,
    "freeze": versioning.run_freeze,
    "restore": versioning.run_restore,
    "fork": versioning.run_fork,
    "erase": trash.run_task,
    "tidy": tidying.run_tidy,
    "search": trials.run_search,
    "label": labelling_models.run_label,
    "answer": answering.run_answer,
    "export-model": exporting_models.run_export_model,
    "canaries": asking_canaries.run_task,
    "push-model": export_model_hub.run_push_model,
    "mix-models": mixing.run_mix,
    "replay": replaying.run_task,
}


def start(store: Store, kind: str, payload: dict[str, Any]) -> Task:
    """Note a task and start its process; returns at once."""
    task = tasks.add_task(store, kind, payload)
    with (store.home.logs / "tasks.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "studio.task", task.id, "--home", str(store.home.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    # Somebody must wait for it, or it would stay as a zombie until this process ends.
    threading.Thread(target=process.wait, daemon=True).start()
    return task


def running_tasks(store: Store) -> list[Task]:
    """Tasks that a living process works on now."""
    return [
        task
        for task in tasks.list_tasks(store, limit=200)
        if task.status == "running" and alive(task.pid, task.pid_started)
    ]


def busy(store: Store, kind: str) -> bool:
    """Whether a task of that kind is at work, or was added a moment ago and its process has not begun yet."""
    fresh = any(
        one.status == "queued" and tasks.age(one) < _STARTING_SECONDS for one in tasks.list_tasks(store, kind, 1)
    )
    return fresh or any(one.kind == kind for one in running_tasks(store))


def run(store: Store, task_id: str) -> int:
    """Run one task to its end and record it; the exit code."""
    me = identify(os.getpid())
    if not tasks.begin(store, task_id, os.getpid(), me.started if me else 0.0):
        print(f"Task {task_id} is not waiting to be run.", file=sys.stderr)
        return 1
    task = tasks.get_task(store, task_id)
    try:
        result = KINDS[task.kind](store, task)
    except RatchetError as error:
        status = "stopped" if error.kind == "stopped" else "failed"
        _give_up(store, task, status, error.kind, str(error))
        return 1
    except BaseException:
        _give_up(store, task, "failed", "bug", "This failed inside the studio; logs/tasks.log says why.")
        raise
    tasks.end(store, task_id, "done", result=result)
    return 0


def _give_up(store: Store, task: Task, status: str, kind: str, sentence: str) -> None:
    """Remove what a task would have imported, and record that it ended badly."""
    for upload_id in task.payload.get("uploads", ()):
        uploads.remove(store.home, upload_id)
    tasks.end(store, task.id, status, error={"kind": kind, "sentence": sentence})


def main() -> int:
    """Run the task named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m studio.task", description="Run one task of a project.")
    parser.add_argument("task", help="id of the task")
    parser.add_argument("--home", required=True, type=Path, help="project folder")
    given = parser.parse_args()
    os.nice(_LOWEST_PRIORITY)
    store = Store.open(Home(given.home))
    code = run(store, given.task)
    if code:
        # The person knows already that it ended; what it wrote is removed behind the scenes.
        tidying.tidy(store)
    return code


if __name__ == "__main__":
    sys.exit(main())
