"""Asking models: `Engine` finds or starts the home's engine, loads what is asked for, and reads answers.

Endpoint models go to their own address through the same calls. Every way to ask is one stream of server-sent
events; `complete` reads it to its end, `stream` and `astream` give it out piece by piece, and closing either
hangs up, which makes the engine drop the row.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from storage.errors import Conflict, NotReady, RatchetError
from storage.home import Home
from storage.models import base_of
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import Answer, Delta, Gathering, Messages, SamplingParams
from studio.clients.connection import Connection, find, find_or_start
from studio.clients.endpoint import Route, endpoint_route, pause_before_retry
from studio.clients.failures import error_of

__all__ = ["Answer", "Delta", "Engine", "Rendered", "SamplingParams"]


class Rendered(NamedTuple):
    """A conversation through a chat template; `spans`: the characters that the assistant wrote."""

    text: str
    spans: list[tuple[int, int]]


class Engine:
    """A client of one home's engine; holds nothing, so make one wherever it is needed.

    `start`: whether to start the engine where none runs. `environ`: where endpoints' keys are looked up.
    """

    def __init__(self, home: Home, start: bool = True, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._start = start
        self._environ = os.environ if environ is None else environ

    def complete(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Answer:
        """Ask and wait for the whole answer. Lower `priority` numbers are answered first by a busy engine."""
        for delta in self.stream(model, store, messages, params, priority):
            if delta.answer is not None:
                return delta.answer
        raise AssertionError("a stream ended without its answer")

    def stream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Iterator[Delta]:
        """Ask and give out the answer as it is written; the last delta carries the whole. Closing it cancels."""
        route = self._route(model, store, messages, params, priority)
        gathering = Gathering(dict(route.stamp))
        with _reported(route), httpx.Client(**route.client_options()) as client, _open(client, route) as response:
            for line in response.iter_lines():
                if delta := gathering.feed(line):
                    yield delta
        yield gathering.end()

    async def astream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> AsyncGenerator[Delta, None]:
        """`stream` for an event loop; what can block runs on another thread."""
        route = await asyncio.to_thread(self._route, model, store, messages, params, priority)
        gathering = Gathering(dict(route.stamp))
        with _reported(route):
            async with httpx.AsyncClient(**route.client_options()) as client, _aopen(client, route) as response:
                async for line in response.aiter_lines():
                    if delta := gathering.feed(line):
                        yield delta
        yield gathering.end()

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
            body = {"lora_name": model.name, "lora_path": model.path, "base": base.name}
            _check(model, model.adapter_sha256, connection.post("/v1/load_lora_adapter", body)["sha256"])
        return connection

    def _listed(self) -> tuple[Connection, dict[str, Any]]:
        """The engine and what it holds; an idle one may end just as it is found, so a second try starts another."""
        connection = self.connect()
        try:
            lines = connection.get("/v1/models")["data"]
        except NotReady:
            connection = self.connect()
            lines = connection.get("/v1/models")["data"]
        return connection, {line["id"]: line for line in lines}

    def connect(self) -> Connection:
        """The engine of this home; raises NotReady where there is none and none may or can be started."""
        if self._start:
            return find_or_start(self.home)
        found = find(self.home)
        if found is None:
            raise NotReady(f"No engine runs for {self.home.path}; start the studio, or ask from the command line.")
        return found

    def health(self) -> dict[str, Any] | None:
        """What a running engine says of itself (device, its reason, models), None where none answers."""
        found = find(self.home)
        try:
            return found.get("/health", timeout=5) if found else None
        except RatchetError:
            return None

    def tokenize(
        self, model: Model, store: Store, text: str | None = None, messages: Messages | None = None
    ) -> list[int]:
        """The tokens of a text, or of messages as the model reads them before it answers."""
        body = {"model": model.name, "text": text, "messages": list(messages) if messages is not None else None}
        tokens: list[int] = self.ensure(store, model).post("/tokenize", body, timeout=60)["tokens"]
        return tokens

    def render(self, model: Model, store: Store, messages: Messages) -> Rendered:
        """A conversation through the model's chat template, with the spans that training on answers learns."""
        body = {"model": model.name, "messages": list(messages)}
        answer = self.ensure(store, model).post("/render", body, timeout=60)
        return Rendered(answer["text"], [(start, end) for start, end in answer["mask"]])

    def _route(self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int) -> Route:
        if model.kind == "endpoint":
            return endpoint_route(model, self._environ, messages, params)
        connection = self.ensure(store, model)
        body = {
            "model": model.name, "messages": list(messages), "stream": True, "priority": priority, **params.body()
        }  # fmt: skip
        return Route(f"{connection.url}/v1/chat/completions", connection.headers, body, {}, "", 1)


@contextmanager
def _open(client: httpx.Client, route: Route) -> Iterator[httpx.Response]:
    """The response to a question, once it is a good one; asks again where that may help."""
    for attempt in range(route.attempts):
        response: httpx.Response | None = None
        try:
            response = client.send(
                client.build_request("POST", route.url, headers=route.headers, json=route.body), stream=True
            )
            if response.is_success:
                try:
                    yield response
                finally:
                    response.close()
                return
            response.read()
        except httpx.ConnectError:
            if attempt + 1 == route.attempts:
                raise
        pause = pause_before_retry(response, attempt)
        if response is not None and (pause is None or attempt + 1 == route.attempts):
            raise error_of(response, route.who)
        time.sleep(pause or 0)


@asynccontextmanager
async def _aopen(client: httpx.AsyncClient, route: Route) -> AsyncIterator[httpx.Response]:
    """`_open` for an event loop."""
    for attempt in range(route.attempts):
        response: httpx.Response | None = None
        try:
            response = await client.send(
                client.build_request("POST", route.url, headers=route.headers, json=route.body), stream=True
            )
            if response.is_success:
                try:
                    yield response
                finally:
                    await response.aclose()
                return
            await response.aread()
        except httpx.ConnectError:
            if attempt + 1 == route.attempts:
                raise
        pause = pause_before_retry(response, attempt)
        if response is not None and (pause is None or attempt + 1 == route.attempts):
            raise error_of(response, route.who)
        await asyncio.sleep(pause or 0)


@contextmanager
def _reported(route: Route) -> Iterator[None]:
    """Failures of the way there as sentences."""
    who = route.who or "The engine"
    try:
        yield
    except httpx.TimeoutException as error:
        raise NotReady(f"{who} has not answered in time; ask again later.") from error
    except httpx.TransportError as error:
        raise NotReady(f"{who} cannot be reached or has hung up ({type(error).__name__}); ask again.") from error


def _is(line: dict[str, Any] | None, path: str | None, sha256: str | None) -> bool:
    """Whether a loaded model is the one that a row describes."""
    return line is not None and line["root"] == str(Path(path or "")) and sha256 in (None, line["sha256"])


def _check(model: Model, expected: str | None, found: str) -> None:
    if expected is not None and expected != found:
        raise Conflict(
            f'The weights in {model.path} are no longer those that were added as "{model.name}"; add them as a new '
            "model, or put the old files back."
        )
