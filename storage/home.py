"""The home folder: where a project's database, models, runs and logs lie (DESIGN section 4.1)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import BadInput, Conflict


@dataclass(frozen=True)
class Home:
    """Names every path of a project's folder; makes nothing until `make` is called."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file that holds the truth."""
        return self.path / "ratchet.db"

    @property
    def keys_file(self) -> Path:
        """Keys of endpoints (mode 0600); in no backup and no pack."""
        return self.path / "keys.json"

    @property
    def search(self) -> Path:
        """The text index, made from the database; it may be deleted."""
        return self.path / "search.db"

    @property
    def models(self) -> Path:
        """Weights of bases and finished adapters, one folder a model."""
        return self.path / "models"

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.path / "runs"

    @property
    def preflights(self) -> Path:
        """Folders of runs that are looked at before they start; each goes when its result is kept."""
        return self.path / "preflights"

    @property
    def uploads(self) -> Path:
        """Files on their way in; emptied after use and at start."""
        return self.path / "uploads"

    @property
    def exports(self) -> Path:
        """Files made for download."""
        return self.path / "exports"

    @property
    def logs(self) -> Path:
        """web.log, engine.log, worker.log."""
        return self.path / "logs"

    @property
    def backups(self) -> Path:
        """Copies of the database made before migrations."""
        return self.path / "backups"

    @property
    def engine_file(self) -> Path:
        """Where the running engine says its pid, port and token (mode 0600)."""
        return self.path / "engine.json"

    @property
    def engine_lock(self) -> Path:
        """Held by the one engine of this home."""
        return self.path / "engine.lock"

    @property
    def worker_lock(self) -> Path:
        """Held by the one worker of this home."""
        return self.path / "worker.lock"

    @property
    def zygote_file(self) -> Path:
        """Where the worker says the pid and start time of its zygote, while it has one."""
        return self.path / "zygote.json"

    @property
    def zygote_door(self) -> Path:
        """The socket at which the zygote is asked for processes by others than the worker."""
        return self.path / "zygote.sock"

    @property
    def serve_file(self) -> Path:
        """Where a running `serve` says its pid, start time, host and port."""
        return self.path / "serve.json"

    @property
    def activity_file(self) -> Path:
        """Touched when a person does something; its age says since when nobody has."""
        return self.path / "activity"

    @property
    def aside(self) -> Path:
        """For which runs the engine has moved aside, one file each; see `storage.aside`."""
        return self.path / "aside"

    @property
    def slots(self) -> Path:
        """Locks of the questions that are on their way to endpoints, a folder each."""
        return self.path / "slots"

    def run(self, job_id: str) -> Path:
        """The folder of one run."""
        return self.runs / job_id

    def model(self, name: str) -> Path:
        """The folder of one model's weights."""
        return self.models / name

    def make(self) -> None:
        """Create the folders, readable by their owner only; raises BadInput where that cannot be done."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.models, self.runs, self.uploads, self.exports, self.logs, self.backups):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            said = f'The folder "{self.path}" cannot be a home ({error.strerror}); name another one with --home.'
            raise BadInput(said) from error


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a small JSON file, or None where the file is absent, torn or not an object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any], mode: int = 0o600) -> None:
    """Write a small JSON file whole or not at all: to a neighbour first, then renamed into place."""
    neighbour = path.with_name(f".{path.name}.new")
    neighbour.unlink(missing_ok=True)
    neighbour.touch(mode=mode)
    with neighbour.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
        file.flush()
    neighbour.replace(path)


def write_new(path: Path, text: str) -> None:
    """Write a text file whole or not at all; raises Conflict where it is there already, BadInput where it cannot be."""
    if path.exists():
        raise Conflict(f'"{path}" is there already; name another file.')
    neighbour = path.with_name(f".{path.name}.new")
    try:
        neighbour.write_text(text, encoding="utf-8", newline="")
        neighbour.replace(path)
    except OSError as error:
        neighbour.unlink(missing_ok=True)
        raise BadInput(f'"{path}" cannot be written ({error.strerror}); name another file with --out.') from error


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file system takes names none."""
    try:
        return path.is_file()
    except OSError:  # a name of three thousand letters
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; a name that no file system takes names none."""
    try:
        return path.is_dir()
    except OSError:
        return False
