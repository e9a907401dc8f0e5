"""The home's own engine as a backend: it loads what it is asked for, and answers on loopback.

Whoever has just seen that a model is held asks without looking again: the two sides of a comparison would each wait for
two more round trips before their first token, one after the other. What was put out in that moment is loaded again.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import Conflict, NotFound, NotReady, RatchetError
from storage.home import Home
from storage.models import base_of, get_model
from storage.rows_training import Model
from storage.store import Store
from studio.clients import streaming
from studio.clients.answers import Delta, Messages, SamplingParams
from studio.clients.backend import Health
from studio.clients.connection import Connection, find, find_or_start
from studio.clients.streaming import Route, Tally

_SURE_SECONDS = 1.0  # for which a look at what the engine holds counts


class _Seen(NamedTuple):
    """A model that the engine held as its row describes it, and when."""

    model: Model
    connection: Connection
    at: float


class LocalEngine:
    """The engine of one home. `start`: whether to start it where it does not run."""

    def __init__(self, home: Home, start: bool = True) -> None:
        self._home = home
        self._start = start
        self._seen: dict[str, _Seen] = {}  # by the model's id

    def connect(self) -> Connection:
        """The running engine; raises NotReady where there is none and none may or can be started."""
        if self._start:
            return find_or_start(self._home)
        found = find(self._home)
        if found is None:
            raise NotReady(f"No engine runs for {self._home.path}; start the studio, or ask from the command line.")
        return found

    def said(self) -> dict[str, Any] | None:
        """What a running engine says of itself (device, its reason, models), None where none answers."""
        found = find(self._home)
        try:
            return found.get("/health", timeout=5) if found else None
        except RatchetError:
            return None

    def health(self) -> Health:
        """Whether the engine can be asked now; one that does not run starts when it is asked."""
        began = time.monotonic()
        said = self.said()
        seconds = round(time.monotonic() - began, 4)
        if said is None:
            return Health(self._start, "The engine does not run; it starts with the first question.", seconds)
        if said["aside"]:
            return Health(False, said["aside"], seconds)
        return Health(True, f"The engine answers on {said['device']} in {said['dtype']}.", seconds)

    def models(self) -> list[str]:
        """The names of the bases and adapters that are loaded."""
        return list(self._listed()[1])

    def ensure(self, store: Store, model: Model) -> Connection:
        """See that the engine holds a base or adapter as its row describes it; returns the engine.

        Raises Conflict where the files are no longer those that were added.
        """
        connection, listed = self._listed()
        base = base_of(store, model)
        if not _is(listed.get(base.name), base.path, base.base_sha256):
            if base.name in listed:
                connection.post("/v1/unload_base", {"name": base.name})
            answer = connection.post("/v1/load_base", {"name": base.name, "path": base.path})
            _check(base, base.base_sha256, answer["sha256"])
            listed = {}
        if model.id != base.id and not _is(listed.get(model.name), model.path, model.adapter_sha256):
            if model.name in listed:
                connection.post("/v1/unload_lora_adapter", {"lora_name": model.name})
            parent = get_model(store, model.parent_id).name if model.parent_id else None
            body = {"lora_name": model.name, "lora_path": model.path, "base": base.name, "parent": parent}
            _check(model, model.adapter_sha256, connection.post("/v1/load_lora_adapter", body)["sha256"])
        self._seen[model.id] = _Seen(model, connection, time.monotonic())
        return connection

    def load_adapter(self, name: str, path: str, base: str) -> None:
        """Load an adapter onto a base that is loaded."""
        self.connect().post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": path, "base": base})

    def unload_adapter(self, name: str) -> None:
        """Forget an adapter; the rows that it still answers end as they would have."""
        self.connect().post("/v1/unload_lora_adapter", {"lora_name": name})

    def stream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Generator[Delta, None, None]:
        """Ask as a base or an adapter, loaded first where it is not."""
        seen = self._seen.get(model.id)
        if seen and seen.model == model and time.monotonic() - seen.at < _SURE_SECONDS:
            with suppress(NotFound):  # put out since, so that nothing has been said yet
                yield from _pieces(_way(seen.connection, model, messages, params, priority))
                return
        yield from _pieces(self.route(model, store, messages, params, priority))

    async def astream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> AsyncGenerator[Delta, None]:
        """`stream` for an event loop; what can block runs on another thread."""
        route = await asyncio.to_thread(self.route, model, store, messages, params, priority)
        async with aclosing(streaming.astream(route, Tally(route))) as pieces:
            async for delta in pieces:
                yield delta

    def route(self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int) -> Route:
        """The way to an answer, once the engine holds the model. Lower `priority` numbers are answered first."""
        return _way(self.ensure(store, model), model, messages, params, priority)

    def _listed(self) -> tuple[Connection, dict[str, Any]]:
        """The engine and what it holds; an idle one may end just as it is found, so a second try starts another."""
        connection = self.connect()
        try:
            lines = connection.get("/v1/models")["data"]
        except NotReady:
            connection = self.connect()
            lines = connection.get("/v1/models")["data"]
        return connection, {line["id"]: line for line in lines}


def _pieces(route: Route) -> Generator[Delta, None, None]:
    with closing(streaming.stream(route, Tally(route))) as pieces:
        yield from pieces


def _way(connection: Connection, model: Model, messages: Messages, params: SamplingParams, priority: int) -> Route:
    body = {"model": model.name, "messages": list(messages), "stream": True, "priority": priority, **params.ours()}
    return Route(f"{connection.url}/v1/chat/completions", connection.headers, body)


def _is(line: dict[str, Any] | None, path: str | None, sha256: str | None) -> bool:
    """Whether a loaded model is the one that a row describes."""
    return line is not None and line["root"] == str(Path(path or "")) and sha256 in (None, line["sha256"])


def _check(model: Model, expected: str | None, found: str) -> None:
    if expected is not None and expected != found:
        raise Conflict(
            f'The weights in {model.path} are no longer those that were added as "{model.name}"; add them as a new '
            "model, or put the old files back."
        )
