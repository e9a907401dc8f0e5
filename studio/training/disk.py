"""The disk that runs and models take, and a clean-up that leaves whatever is needed.

Needed are: all of a run that waits or works; the newest whole checkpoint (and the best weights) of one that can be
resumed; of every run what it was asked for, learnt from and said; every model that has a row. What goes: checkpoints of
finished runs, their copy of weights that lie among the models as well, older and broken checkpoints, and folders that
a crash left.
"""

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import jobs
from storage.clock import now
from storage.errors import Conflict
from storage.home import read_json
from storage.models import get_model, list_models
from storage.rows_training import Job, Model
from storage.store import Store

_YOUNG_SECONDS = 3600.0  # a folder without a row may be one that is just being made
_ARTEFACTS = ("adapter", "model")


@dataclass(frozen=True)
class RunDisk:
    """A run's folder. `needed`: why what stays must stay; `freeable`: bytes that may go."""

    job: str
    number: int | None
    name: str
    bytes: int
    freeable: int
    needed: str | None

    def to_json(self) -> dict[str, Any]:
        """The row for page and command line."""
        return {
            "job": self.job, "number": self.number, "name": self.name, "bytes": self.bytes, "freeable": self.freeable,
            "needed": self.needed,
        }  # fmt: skip


def usage(store: Store) -> dict[str, Any]:
    """`total, runs[{job, number, name, bytes, freeable, needed}], models[{name, bytes, needed}], freeable` in bytes."""
    known = {job.id: job for job in jobs.list_jobs(store)}
    runs = [_of_run(store, folder, known.get(folder.name)) for folder in _folders(store.home.runs)]
    models = [_of_model(store, model) for model in list_models(store, retired=True) if _own(store, model)]
    left = sum(size(folder) for folder in _left_over_models(store))
    return {
        "total": sum(run.bytes for run in runs) + sum(model["bytes"] for model in models) + left,
        "runs": [run.to_json() for run in sorted(runs, key=lambda run: -run.bytes)],
        "models": sorted(models, key=lambda model: -model["bytes"]),
        "freeable": sum(run.freeable for run in runs) + left,
    }


def clean(store: Store, only: Collection[str] | None = None, dry: bool = False) -> dict[str, Any]:
    """Remove what nothing needs, of all runs or of the jobs named; `freed` bytes and `removed` paths within the home.

    Raises NotFound for a job that there is not, Conflict for one that waits or works.
    """
    wanted = None if only is None else {_ended(store, reference).id for reference in only}
    known = {job.id: job for job in jobs.list_jobs(store)}
    paths = [
        path
        for folder in _folders(store.home.runs)
        if wanted is None or folder.name in wanted
        for path in _free(store, folder, known.get(folder.name))
    ]
    if wanted is None:
        paths += _left_over_models(store)
    freed = 0
    for path in paths:
        freed += size(path)
        if not dry:
            _remove(path)
    return {"freed": freed, "removed": [path.relative_to(store.home.path).as_posix() for path in paths], "dry": dry}


def size(path: Path) -> int:
    """Bytes of a file or of all files in a folder; those that vanish meanwhile count for nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in files:
        try:
            total += file.lstat().st_size if not file.is_dir() else 0
        except FileNotFoundError:
            continue
    return total


def _ended(store: Store, reference: str) -> Job:
    job = jobs.get_job(store, reference)
    if job.status in ("queued", "running"):
        raise Conflict(f'Job {job.number} ("{job.name}") is {job.status}: it needs all of its folder; stop it first.')
    return job


def _of_run(store: Store, folder: Path, job: Job | None) -> RunDisk:
    free = sum(size(path) for path in _free(store, folder, job))
    name = job.name if job else folder.name
    return RunDisk(folder.name, job.number if job else None, name, size(folder), free, _why(store, folder, job))


def _why(store: Store, folder: Path, job: Job | None) -> str | None:
    """Why the rest of a run must stay, in a sentence; None where nothing of weight is kept."""
    if job is None:
        return None if _old(folder) else "It is just being made."
    if job.status in ("queued", "running"):
        return "It waits or works."
    if job.status in ("failed", "stopped"):
        return "It can be resumed from its last checkpoint." if _newest(folder) else None
    if any((folder / name).is_dir() for name in _ARTEFACTS) and not _copied(store, folder, job):
        return "Its weights lie nowhere else."
    return None


def _free(store: Store, folder: Path, job: Job | None) -> list[Path]:
    """What of a run may go."""
    if job is None:
        return [folder] if _old(folder) else []
    if job.status in ("queued", "running"):
        return []
    checkpoints = folder / "checkpoints"
    if job.status != "done":
        kept = _newest(folder)
        older = [path for path in _folders(checkpoints) if path != kept and path.name != "best"]
        return older if kept else [path for path in older if path.name.startswith("checkpoint-")]
    copies = [folder / name for name in _ARTEFACTS] if _copied(store, folder, job) else []
    return [path for path in (checkpoints, *copies, *folder.glob("*.new")) if path.exists()]


def _newest(folder: Path) -> Path | None:
    """The newest whole checkpoint: the one whose marker names files that are all there with their sizes."""
    found = [path for path in _folders(folder / "checkpoints") if path.name.startswith("checkpoint-") and _whole(path)]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _whole(checkpoint: Path) -> bool:
    files = (read_json(checkpoint / "complete.json") or {}).get("files")
    if not files:
        return False
    paths = ((checkpoint / name, count) for name, count in files.items())
    return all(path.is_file() and path.stat().st_size == count for path, count in paths)


def _copied(store: Store, folder: Path, job: Job) -> bool:
    """Whether the weights that the run made lie in its model's folder as well, file by file."""
    if job.model_id is None:
        return False
    model = get_model(store, job.model_id)
    made = [path for name in _ARTEFACTS for path in (folder / name).glob("*.safetensors")]
    if model.path is None or not made:
        return False
    twins = ((path, Path(model.path) / path.name) for path in made)
    return all(twin.is_file() and twin.stat().st_size == path.stat().st_size for path, twin in twins)


def _of_model(store: Store, model: Model) -> dict[str, Any]:
    users = [other.name for other in list_models(store, retired=True) if other.base_id == model.id]
    needed = f"{len(users)} of the models build on it." if users else "It is offered as a model."
    return {"name": model.name, "bytes": size(Path(model.path or "")), "needed": needed}


def _own(store: Store, model: Model) -> bool:
    """Whether a model's weights lie in the home; others' folders are nobody's business."""
    return bool(model.path) and Path(str(model.path)).resolve().is_relative_to(store.home.models.resolve())


def _left_over_models(store: Store) -> list[Path]:
    """Folders among the models under a passing name: what a worker left that was killed while it copied."""
    if jobs.list_jobs(store, "running"):
        return []
    return [path for path in _folders(store.home.models) if path.name.endswith(".new") and _old(path)]


def _old(path: Path) -> bool:
    return now() - path.stat().st_mtime > _YOUNG_SECONDS


def _folders(parent: Path) -> Iterator[Path]:
    """The folders in a folder; links are not followed."""
    if parent.is_dir():
        yield from (path for path in sorted(parent.iterdir()) if path.is_dir() and not path.is_symlink())


def _remove(path: Path) -> None:
    """Checkpoints lose their marker first, so that one which is half removed counts for nothing."""
    (path / "complete.json").unlink(missing_ok=True)
    shutil.rmtree(path, ignore_errors=True)
