"""The real application over a fresh home, served from a thread: no engine, no worker, no starter."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.store import Store

if TYPE_CHECKING:
    from studio.studio import Studio


class Site(NamedTuple):
    """A served studio: its address, its store, and a folder whose files may be imported."""

    url: str
    store: Store
    shelf: Path


@contextmanager
def served_site(folder: Path, furnish: Callable[["Studio"], Any] | None = None) -> Iterator[Site]:
    """Serve a home inside `folder`, which `furnish` has filled first. Tasks run in their own processes."""
    from studio.app import build_app
    from studio.settings import Settings
    from studio.studio import Studio
    from tests.browser.conftest import running

    shelf = folder / "shelf"
    shelf.mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    studio = Studio(settings=Settings.from_env({}, home=folder / "home", port=port, allow_folder=[shelf]))
    if furnish:
        furnish(studio)
    before = dict(os.environ)
    with running(build_app(studio), listener) as url:
        yield Site(url, studio.store, shelf)
    os.environ.clear()
    os.environ.update(before)
