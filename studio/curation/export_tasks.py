"""Exports that outlast a click, as tasks: to a file that the page offers for download, or to the Hub."""

import shutil
from pathlib import Path
from typing import Any

from storage import tasks
from storage.clock import new_id, now
from storage.errors import NotFound
from storage.home import Home, is_file
from storage.rows_training import Task
from storage.store import Store
from studio.clients.hub import Place
from studio.curation.export_formats import target_of
from studio.curation.export_hub import FOLDER, push
from studio.curation.export_sources import Source, kind_of
from studio.curation.exporting import ExportReport, Progress, Wish, write

PREFIX = "export-"
_KEPT_SECONDS = 24 * 3600.0


def wish_of(said: dict[str, Any]) -> Wish:
    """A wish from JSON: dataset, version or study, format, policies."""
    return Wish.of(
        Source(said.get("dataset"), said.get("version"), said.get("study")), said["format"], said["policies"]
    )


def to_file(store: Store, wish: Wish, container: str = "", progress: Progress | None = None) -> ExportReport:
    """Write an export into the home's folder for downloads; its name ends with what the person calls the file."""
    target = target_of(wish.format, kind_of(store, wish.source), f"x.{container}")
    name = f"{PREFIX}{new_id()}-{wish.source.name}.{target.ending}"
    return write(store, wish, store.home.exports / name, progress)


def run_export(store: Store, task: Task) -> dict[str, Any]:
    """The task "export"."""
    said = task.payload
    return to_file(store, wish_of(said), said.get("container", ""), _progress(store, task)).to_json()


def run_hub(store: Store, task: Task) -> dict[str, Any]:
    """The task "hub-push"."""
    return push(store, wish_of(task.payload), Place(**task.payload["place"]), _progress(store, task))


def _progress(store: Store, task: Task) -> Progress:
    return lambda fraction, sentence: tasks.advance(store, task.id, fraction, sentence)


def located(home: Home, file: str) -> Path:
    """A file for download by its name; raises NotFound for any other file."""
    path = home.exports / Path(file).name
    if not path.name.startswith(PREFIX) or not is_file(path):
        raise NotFound(f'There is no export named "{file}"; files for download are kept for a day.')
    return path


def download_name(path: Path) -> str:
    """What the person's browser calls the file."""
    return path.name.removeprefix(PREFIX).partition("-")[2]


def recent(store: Store, dataset: str) -> list[dict[str, Any]]:
    """Exports of a dataset by tasks in the last day that run, or whose file waits for download; newest first."""
    since = now() - _KEPT_SECONDS
    found = []
    for task in tasks.list_tasks(store, "export", 50):
        if task.payload.get("dataset") != dataset or task.created_at < since:
            continue
        path = Path((task.result or {}).get("path") or "")
        ready = path.is_file()
        if ready or task.status in ("queued", "running"):
            found.append({
                "task": task.id, "running": not ready, "file": path.name if ready else None,
                "rows": (task.result or {}).get("rows"), "format": task.payload["format"], "at": task.created_at,
            })  # fmt: skip
    return found


def sweep(home: Home) -> int:
    """Remove downloads older than a day and what killed exports left; returns how many there were."""
    old = now() - _KEPT_SECONDS
    lost = [path for path in home.exports.glob("*") if _is_ours(path) and path.stat().st_mtime < old]
    for path in lost:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(lost)


def _is_ours(path: Path) -> bool:
    """Whether a file of the exports folder was made for a download, or on the way to the Hub."""
    return path.name.startswith((PREFIX, f".{PREFIX}", "..download-", ".download-", FOLDER))
