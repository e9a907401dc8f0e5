"""The engine as a process: one of each home, known by `engine.json`, quick to end."""

import asyncio
import fcntl
import gc
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import uvicorn

from storage.errors import Conflict, RatchetError
from storage.home import Home, read_json, write_json
from storage.processes import identify, serving
from trainers.memory import GIB

log = logging.getLogger(__name__)

# SIGTERM ends the engine within two seconds even when a step or a load does not come back.
_PATIENCE = 1.5


@dataclass(frozen=True)
class EngineOptions:
    """How to run: port 0 takes a free one; `idle` seconds without request and `serve` end the process.

    `memory`: gigabytes that bases may take together (None: what is free). `quantise`: 4bit or 8bit.
    """

    port: int = 0
    idle: float = 30.0
    dtype: str = "auto"
    threads: int | None = None
    memory: float | None = None
    quantise: str | None = None
    lock_fd: int | None = None


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to us: its own handler raises them again at the end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextmanager
def only_one(home: Home, inherited: int | None = None) -> Iterator[IO[str]]:
    """Hold the home's engine lock; raises Conflict when another engine does. The system frees it at any death.

    `inherited`: the descriptor by which whoever started us holds it already.
    """
    with home.engine_lock.open("a") if inherited is None else os.fdopen(inherited, "a") as file:
        os.set_inheritable(file.fileno(), False)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = read_json(home.engine_file) or {}
            pid = f" (pid {said['pid']})" if "pid" in said else ""
            raise Conflict(f"An engine of {home.path} runs already{pid}; use that one or end it first.") from None
        yield file


def run_engine(home: Home, options: EngineOptions) -> None:
    """Run until a signal or idleness ends it; ends the interpreter itself (see `_leave`)."""
    home.make()
    with only_one(home, options.lock_fd):
        home.engine_file.unlink(missing_ok=True)  # of an engine that was killed: the lock proves it is gone
        try:
            asyncio.run(_serve(home, options))
        except RatchetError as error:
            print(error, file=sys.stderr)
            _leave(home, 1)
        _leave(home, 0)


async def _serve(home: Home, options: EngineOptions) -> None:
    from trainers.engine.aside import Aside
    from trainers.engine.bases import Bases
    from trainers.engine.device import choose_device
    from trainers.engine.hashes import Hashes
    from trainers.engine.routes import LastSeen, build_app

    device = choose_device(home.path / "engine-tuning.json", options.dtype, options.threads)
    memory = options.memory * GIB if options.memory else None
    bases = Bases(device, Hashes(home.path / "engine-hashes.json"), memory, quantise=options.quantise)
    aside = Aside(home, bases)
    token, seen = secrets.token_urlsafe(32), LastSeen()
    loader = ThreadPoolExecutor(1, "loader")
    loader.submit(_warm)
    server = Server(
        uvicorn.Config(
            build_app(bases, token, seen, loader, aside),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    listening = _listen(options.port)

    def stop() -> None:
        server.should_exit = True
        bases.stop()
        watchdog = threading.Timer(_PATIENCE, _leave, (home, 0))
        watchdog.daemon = True
        watchdog.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving_task = asyncio.create_task(server.serve(sockets=[listening]))
    await _announce(home, server, listening.getsockname()[1], token)
    while not serving_task.done():
        await asyncio.wait({serving_task}, timeout=min(1.0, options.idle / 4))
        if aside.due:  # also where nobody told us: the worker may have been killed
            await loop.run_in_executor(loader, aside.follow)
        if seen.seconds_ago() >= options.idle and not serving(home):
            log.info("nobody has asked for %g s and no studio runs: ending", options.idle)
            stop()
            break
    await serving_task


def _listen(port: int) -> socket.socket:
    """A listening socket on loopback alone."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        raise Conflict(f"Port {port} is taken on this machine; choose another, or 0 for a free one.") from error
    return listening


async def _announce(home: Home, server: Server, port: int, token: str) -> None:
    """Write `engine.json` once the server answers: whoever reads it may connect."""
    while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    me = identify(os.getpid())
    assert me is not None
    write_json(home.engine_file, {"pid": me.pid, "started": me.started, "port": port, "token": token})
    log.info("the engine answers on port %d", port)


def _warm() -> None:
    """Import what loading and answering need (about 2 s) while the client is still on its way.

    It is the loader's first job, so that no load begins beside it: transformers' lazy imports fail with an
    ImportError when two threads meet in them.
    """
    import peft
    import transformers
    from transformers.utils import chat_template_utils

    _ = (peft.PeftModel, transformers.AutoModelForCausalLM, transformers.AutoTokenizer)
    _ = (transformers.DynamicCache, chat_template_utils)
    # Hundreds of thousands of objects that stay for ever: a collection that walked them all would hold up every stream.
    gc.collect()
    gc.freeze()


def _leave(home: Home, status: int) -> None:
    """Remove `engine.json` if it is ours and end at once.

    Waiting for a loading thread or a kernel could take minutes; nothing that must be kept is in this process.
    """
    said = read_json(home.engine_file)
    if said and said.get("pid") == os.getpid():
        home.engine_file.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
