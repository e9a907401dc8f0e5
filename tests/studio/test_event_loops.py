"""The web application is put together without event loops that nobody closes: each holds three descriptors."""

import asyncio
import gc
import threading
from pathlib import Path

import pytest

from studio.app import build_app, in_event_loop
from studio.settings import Settings
from studio.studio import Studio

pytestmark = pytest.mark.heavy


def _open() -> int:
    gc.collect()
    return sum(isinstance(one, asyncio.AbstractEventLoop) and not one.is_closed() for one in gc.get_objects())


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not tell its descriptors")
def test_putting_the_application_together_leaves_no_event_loop_open(tmp_path: Path) -> None:
    studio = Studio(settings=Settings.from_env({}, home=tmp_path / "home", port=7999))
    _ = studio.store
    build_app(studio)
    loops, descriptors = _open(), _descriptors()

    apps = [build_app(studio), build_app(studio)]

    assert _open() == loops
    assert _descriptors() <= descriptors  # fewer where what earlier tests left was collected meanwhile
    assert all(app.routes for app in apps)


def test_where_an_event_loop_runs_already_it_is_used() -> None:
    async def main() -> bool:
        return in_event_loop(asyncio.get_running_loop) is asyncio.get_running_loop()

    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(main())))
    thread.start()
    thread.join()
    assert found == [True]
