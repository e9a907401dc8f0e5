"""Does one action on copies of a project and kills it, as kill -9 does, at random points between its statements.

    python -m tests.faults.killed_store ACTION TEMPLATE OUT SEED COUNT

Each point is a statement of the action, counted by SQLite itself. Every second kill comes as a statement between the
first and the last write begins; the others come up to 2 ms after any statement, so that they fall into statements and
commits as well. Prints one JSON object a copy: the statements there are, the first
and the last that writes, the one at which the copy was killed, and
whether it was: the end may come first.
"""

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

from storage import changes, datasets, examples, versions
from storage.changes import Change
from storage.home import Home
from storage.queries import Query
from storage.rows import Example
from storage.store import Store
from tests.storage.filled import chat

_WRITES = ("insert", "update", "delete", "commit", "begin immediate")


def bulk(store: Store) -> None:
    """Change text, tags and status of every second row; settle; index."""

    def make(example: Example) -> Change | None:
        changed = Change(chat(f"question {example.number}", "purple"), ["loud"], "approved")
        return changed if example.number % 2 == 0 else None

    dataset = datasets.get_dataset(store, "facts")
    changes.change(store, dataset, Query(), make, kind="bulk", label="changed", author="bob")


def freeze(store: Store) -> None:
    """Freeze all rows."""
    versions.freeze(store, datasets.get_dataset(store, "facts"))


def edit(store: Store) -> None:
    """Change text and tags of one row."""
    row = examples.get_example(store, "1-1")
    changes.edit(store, row, Change(chat("question 1", "purple"), ["loud"]), label="edited", author="bob")


ACTIONS: dict[str, Callable[[Store], None]] = {"bulk": bulk, "freeze": freeze, "edit": edit}


def traced(home: Path, action: str, point: int | None, delay: float) -> list[str]:
    """Do the action and return its statements, or be killed as the one of that number begins, or a moment later."""
    store = Store.open(Home(home))
    statements: list[str] = []

    def watch(statement: str) -> None:
        statements.append(statement.strip()[:20].lower())
        if len(statements) - 1 == point and not delay:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(statements) - 1 == point:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

    store.db.conn.set_trace_callback(watch)
    ACTIONS[action](store)
    store.db.conn.set_trace_callback(None)
    return statements


def main() -> int:
    """Kill as often as asked."""
    action, template, out, seed, count = sys.argv[1:]
    copy = shutil.copytree(template, Path(out) / "whole")
    statements = forked(lambda: traced(copy, action, None, 0)) or []
    writing = [number for number, text in enumerate(statements) if text.startswith(_WRITES)]
    chance = Random(int(seed))
    for number in range(int(count)):
        copy = shutil.copytree(template, Path(out) / str(number))
        inside = number % 2 == 0
        point = chance.randint(writing[0], writing[-1]) if inside else chance.randrange(len(statements))
        delay = 0.0 if inside else chance.uniform(1e-6, 0.002)
        done = forked(lambda copy=copy, point=point, delay=delay: traced(copy, action, point, delay))  # type: ignore[misc]
        print(json.dumps({"home": str(copy), "of": len(statements), "first": writing[0], "last": writing[-1],
                          "killed_at": point, "killed": done is None}))  # fmt: skip
    return 0


def forked(work: Callable[[], list[str]]) -> list[str] | None:
    """What the work returns, done by a child of its own; None where that was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        found = json.dumps(work()).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(found)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    return list(json.loads(said))


if __name__ == "__main__":
    sys.exit(main())
