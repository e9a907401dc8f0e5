"""Asking models: `Engine` knows who answers for each, and hands the question on.

The home's engine answers for bases and adapters, an endpoint for its own model, and for the bases and adapters of
ours that stand on a base which it serves. Every way to ask is one stream of server-sent events; `complete` reads it
to its end, `stream` and `astream` give it out piece by piece, and closing either hangs up, which makes the server
drop the row.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from functools import cached_property
from typing import Any, NamedTuple

import httpx

from storage.home import Home
from storage.models import server_of
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import Answer, Delta, Messages, SamplingParams
from studio.clients.backend import Backend
from studio.clients.connection import Connection
from studio.clients.endpoint import Endpoint
from studio.clients.local import LocalEngine

__all__ = ["Answer", "Delta", "Engine", "Rendered", "SamplingParams"]


class Rendered(NamedTuple):
    """A conversation through a chat template; `spans`: the characters that the assistant wrote."""

    text: str
    spans: list[tuple[int, int]]


class Engine:
    """Whoever answers in one home; holds no connection, so make one wherever it is needed.

    `start`: whether to start the home's engine where it does not run. `environ`: where endpoints' keys are looked up.
    """

    def __init__(self, home: Home, start: bool = True, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.local = LocalEngine(home, start)
        self._environ = os.environ if environ is None else environ

    def backend(self, store: Store, model: Model) -> Backend:
        """Who answers for a model."""
        endpoint = model if model.kind == "endpoint" else server_of(store, model)
        return Endpoint(self.home, endpoint, self._environ, lambda: self._certificates) if endpoint else self.local

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """Read from disk once, for every question."""
        return httpx.create_ssl_context()

    def complete(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Answer:
        """Ask and wait for the whole answer. Lower `priority` numbers are answered first by a busy engine."""
        with closing(self.stream(model, store, messages, params, priority)) as pieces:
            for delta in pieces:
                if delta.answer is not None:
                    return delta.answer
        raise AssertionError("a stream ended without its answer")

    def stream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Generator[Delta, None, None]:
        """Ask and give out the answer as it is written; the last delta carries the whole. Closing it cancels."""
        yield from self.backend(store, model).stream(model, store, messages, params, priority)

    async def astream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> AsyncGenerator[Delta, None]:
        """`stream` for an event loop; what can block runs on another thread."""
        backend = await asyncio.to_thread(self.backend, store, model)
        async with aclosing(backend.astream(model, store, messages, params, priority)) as pieces:
            async for delta in pieces:
                yield delta

    def ensure(self, store: Store, model: Model) -> Connection | None:
        """See that whoever answers for a model can do so now; returns our engine, None where it is another one."""
        backend = self.backend(store, model)
        if isinstance(backend, LocalEngine):
            return backend.ensure(store, model)
        backend.ensure(store, model)
        return None

    def connect(self) -> Connection:
        """The engine of this home; raises NotReady where there is none and none may or can be started."""
        return self.local.connect()

    def health(self) -> dict[str, Any] | None:
        """What a running engine says of itself (device, its reason, models), None where none answers."""
        return self.local.said()

    def tokenize(
        self, model: Model, store: Store, text: str | None = None, messages: Messages | None = None
    ) -> list[int]:
        """The tokens of a text, or of messages as the model reads them before it answers."""
        body = {"model": model.name, "text": text, "messages": list(messages) if messages is not None else None}
        tokens: list[int] = self.local.ensure(store, model).post("/tokenize", body, timeout=60)["tokens"]
        return tokens

    def render(self, model: Model, store: Store, messages: Messages) -> Rendered:
        """A conversation through the model's chat template, with the spans that training on answers learns."""
        body = {"model": model.name, "messages": list(messages)}
        answer = self.local.ensure(store, model).post("/render", body, timeout=60)
        return Rendered(answer["text"], [(start, end) for start, end in answer["mask"]])
