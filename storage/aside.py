"""The engine steps aside for a run: a note in the home, one file for each run, which stands while somebody needs it.

The worker writes the note before it starts a run that does not fit beside the engine, and takes it away when the run
has ended. A note counts only while the worker that wrote it lives, or the run does; so nothing that is killed on the
way, worker, run or engine, leaves an engine that waits for ever.
"""

import os
from pathlib import Path

from storage.home import Home, read_json, write_json
from storage.processes import alive, identify
from storage.rows_training import Job


def ask(home: Home, job: Job) -> None:
    """Note that this process needs the engine's memory for a job."""
    me = identify(os.getpid())
    home.aside.mkdir(mode=0o700, exist_ok=True)
    write_json(
        home.aside / f"{job.id}.json",
        {"job": job.id, "number": job.number, "name": job.name, "worker": me._asdict() if me else {}},
    )


def lift(home: Home, job_id: str) -> bool:
    """Take the note away; returns whether there was one."""
    note = home.aside / f"{job_id}.json"
    there = note.exists()
    note.unlink(missing_ok=True)
    return there


def standing(home: Home) -> str | None:
    """Why the engine must stand aside now, in a sentence; None where nobody needs it to."""
    if not home.aside.is_dir():
        return None
    for note in sorted(home.aside.glob("*.json")):
        said = read_json(note)
        if said is not None and (_alive(said.get("worker")) or _running(home.run(str(said.get("job"))))):
            return (
                f"The engine has moved aside while job {said.get('number')} ({said.get('name')}) trains, which needs "
                "its memory; answers go on by themselves when it has ended."
            )
    return None


def _alive(said: object) -> bool:
    return isinstance(said, dict) and alive(said.get("pid"), said.get("started"))


def _running(folder: Path) -> bool:
    return _alive(read_json(folder / "process.json"))
