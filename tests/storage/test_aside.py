"""Notes by which the engine stands aside count only while somebody alive needs them."""

import os
import subprocess
import sys

from storage import aside
from storage.home import Home, read_json, write_json
from storage.jobs import NewJob, enqueue
from storage.models import add_model
from storage.processes import identify
from storage.rows_training import Job
from storage.store import Store

SENTENCE = (
    "The engine has moved aside while job 1 (round-1) trains, which needs its memory; "
    "answers go on by themselves when it has ended."
)


def job_of(store: Store) -> Job:
    return enqueue(store, NewJob("0" * 26, "round-1", "sft", add_model(store, "tiny", "base").id, {}))


def dead_process() -> dict[str, float]:
    """A process that was and is no more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = identify(child.pid)
        assert found is not None
        child.communicate()
    return found._asdict()


def test_without_a_note_nobody_stands_aside(store: Store) -> None:
    assert aside.standing(store.home) is None
    assert not aside.lift(store.home, "nobody")


def test_a_note_stands_until_it_is_lifted(store: Store) -> None:
    job = job_of(store)

    aside.ask(store.home, job)
    assert aside.standing(store.home) == SENTENCE

    assert aside.lift(store.home, job.id)
    assert aside.standing(store.home) is None


def test_the_note_of_a_killed_worker_stands_while_its_run_goes_on(store: Store, home: Home) -> None:
    job = job_of(store)
    aside.ask(home, job)
    note = home.aside / f"{job.id}.json"
    write_json(note, {**(read_json(note) or {}), "worker": dead_process()})

    assert aside.standing(home) is None, "the run has not begun, and nobody will begin it"

    home.run(job.id).mkdir()
    me = identify(os.getpid())
    assert me is not None
    write_json(home.run(job.id) / "process.json", me._asdict())
    assert aside.standing(home) == SENTENCE

    write_json(home.run(job.id) / "process.json", dead_process())
    assert aside.standing(home) is None
