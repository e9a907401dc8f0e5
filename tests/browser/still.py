"""A studio whose pages are real and whose processes are not started: the test itself plays worker and engine.

The worker's lock is held, so a press of Train queues a job and nobody trains it.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from storage.home import Home
from storage.store import Store
from studio import app as application
from studio.settings import Settings
from studio.studio import Studio
from tests.browser.conftest import running


class Still(NamedTuple):
    """The address of the studio, and its store."""

    url: str
    store: Store


@contextmanager
def still_studio(home: Home) -> Iterator[Still]:
    """Serve the pages of a home from a thread of this process."""
    home.make()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    studio = Studio(settings=Settings.from_env({}, home=home.path, port=port))
    os.environ.update(application.gradio_switches(studio))
    with home.worker_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running(application.build_app(studio), listener) as url:
            yield Still(url, studio.store)
    studio.store.close()
