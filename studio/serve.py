"""`ratchet serve`: this process is the web; engine and worker are its children, one of each per home.

Ctrl+C and SIGTERM end web and engine. The worker goes on while a job runs and ends by itself; the next `serve`
finds it again. A web process that was killed leaves an engine that the next one takes over.
"""

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage import comparisons, jobs
from storage.errors import Conflict
from storage.home import Home, read_json, write_json
from storage.processes import identify, serving
from studio.clients.processes import stop_engine
from studio.clients.reviving import EngineKeeper
from studio.curation import leftovers, tidying
from studio.demos.talking import forget_old
from studio.doorman import check_reach
from studio.feedback import answerings
from studio.settings import Settings
from studio.studio import Studio
from studio.training.searching import revive

if TYPE_CHECKING:
    import uvicorn

# Open streams must not keep Ctrl+C waiting.
_LEDGER_SECONDS, _CANARY_SECONDS = 1.0, 3.0  # from one look to the next
_GRACE_SECONDS = 2


class Served(NamedTuple):
    """How serving ended: JSON, text, exit code."""

    data: dict[str, Any]
    text: str
    code: int


def serve(studio: Studio, as_json: bool = False) -> Served:
    """Serve a home until Ctrl+C or SIGTERM; raises Conflict where it is served already or the port is taken."""
    check_reach(studio.settings, studio.store)
    _refuse_second(studio.home)
    listener = _listen(studio.settings)
    host, port = listener.getsockname()[:2]
    studio = Studio(settings=replace(studio.settings, port=port))
    _log_to(studio.home.logs / "web.log")
    prepare(studio)
    url = f"http://{'[::1]' if ':' in host else host}:{port}"
    with _known(studio.home, host, port):
        _run(studio, listener, url, as_json)
        stop_engine(studio.home)
    return _farewell(studio, url)


def prepare(studio: Studio) -> None:
    """Make a new home ready and mend what a crash left behind; quick when there is nothing to do."""
    from studio.training.starter import ensure_starter

    ensure_starter(studio.store, studio.settings)
    comparisons.release(studio.store)
    leftovers.sweep(studio.store, at_once=False)
    forget_old(studio.store)
    revive(studio.store)
    answerings.revive(studio.store)
    if tidying.amount(studio.store):
        from studio import task

        task.start(studio.store, "tidy", {})


def _run(studio: Studio, listener: socket.socket, url: str, as_json: bool) -> None:
    """Serve until told to stop, with the background services around."""
    import uvicorn

    from studio.app import build_app

    config = uvicorn.Config(
        build_app(studio), log_level="warning", access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False, ws="none", lifespan="on",  # Gradio starts its queue there
    )  # fmt: skip
    server = _server(config)
    keeper = EngineKeeper(studio.home)
    companions = threading.Thread(target=_start_companions, args=(studio, server, keeper), daemon=True)
    companions.start()
    _announce(url, studio.home, as_json)
    with services(studio):
        server.run(sockets=[listener])
    companions.join()  # what it starts must be there to be ended
    keeper.stop()


def _server(config: "uvicorn.Config") -> "uvicorn.Server":
    """A server that ends on Ctrl+C and SIGTERM and hands back to us.

    uvicorn's own raises the signal once more when it has shut down, which would end this process before it has
    ended the engine and said goodbye.
    """
    import signal

    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for one, handler in before.items():
                    signal.signal(one, handler)

    return Server(config)


def _start_companions(studio: Studio, server: Any, keeper: EngineKeeper) -> None:
    """Start worker and engine once the first page can be had: their imports would compete with ours."""
    from studio.clients.processes import start_engine, start_worker

    waiter = threading.Event()
    while not server.started and not server.should_exit:
        waiter.wait(0.05)
    if not server.should_exit:
        start_worker(studio.home)
        start_engine(studio.home)
        keeper.start()


@contextmanager
def services(studio: Studio) -> Iterator[None]:
    """What works beside the pages: answering comparisons ahead of the voter, keeping the ledger and the canaries."""
    from studio.rounds import canaries_due, ledger
    from studio.rounds.keeper import Keeper
    from studio.training.notifying import Notifier

    store = studio.store
    rounds = Keeper(store, "ledger", ledger.catch_up, _LEDGER_SECONDS)
    canaries = Keeper(store, "canaries", canaries_due.look, _CANARY_SECONDS)
    working = (studio.answerer, rounds, canaries, Notifier(store, studio.settings.webhook))
    for service in working:
        service.start()
    try:
        yield
    finally:
        for service in working:
            service.stop()


def _announce(url: str, home: Home, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": url, "home": str(home.path), "pid": os.getpid()}), flush=True)
    else:
        print(f"Ratchet is at {url} (project folder {home.path}). Ctrl+C ends it.", flush=True)


def _refuse_second(home: Home) -> None:
    """One studio per home."""
    if serving(home):
        said = read_json(home.serve_file) or {}
        raise Conflict(
            f"A studio of {home.path} runs already at http://{said.get('host')}:{said.get('port')}; "
            "open that address, or give another --home."
        )


def _listen(settings: Settings) -> socket.socket:
    """The listening socket; raises Conflict where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Conflict(
            f"Port {settings.port} of {settings.host} cannot be had ({error.strerror}); "
            "another program may use it: give --port another number, or 0 for a free one."
        ) from error
    return listener


@contextmanager
def _known(home: Home, host: str, port: int) -> Iterator[None]:
    """Say in serve.json that this process serves the home, while it does."""
    me = identify(os.getpid())
    write_json(home.serve_file, {"pid": os.getpid(), "started": me.started if me else 0.0, "host": host, "port": port})
    try:
        yield
    finally:
        home.serve_file.unlink(missing_ok=True)


def _farewell(studio: Studio, url: str) -> Served:
    """Say what goes on after the end."""
    running = jobs.list_jobs(studio.store, "running")
    text = "Ratchet has ended."
    for job in running:
        text += f"\nJob {job.number} ({job.name}) goes on; the next `ratchet serve` finds it again."
    return Served({"url": url, "running": [job.number for job in running]}, text, 0)


def _log_to(path: Path) -> None:
    """Warnings and bugs of the web process go to a file; standard error keeps what a person must see."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    if sys.stderr.isatty():
        logging.captureWarnings(True)
