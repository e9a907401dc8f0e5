"""A server at an address that speaks OpenAI's chat protocol; in what kinds of servers differ, `dialects` says.

Questions to it are limited in number, counted with their tokens, and put again where that may help.
"""

import asyncio
import logging
import sqlite3
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import httpx

from storage.endpoint_keys import KEPT, key_of
from storage.errors import BadInput, Conflict, NotFound, NotReady, RatchetError
from storage.home import Home
from storage.models import base_of
from storage.rows_training import Model
from storage.store import Store
from storage.usage import record
from storage.weights import hash_files
from studio.clients import streaming
from studio.clients.answers import Delta, Messages, SamplingParams
from studio.clients.backend import Health
from studio.clients.dialects import dialect_of
from studio.clients.failures import error_of
from studio.clients.patience import Patience
from studio.clients.slots import Slots
from studio.clients.streaming import Route, Tally

_ATTEMPTS = 4
_LISTING = 10.0  # seconds to wait for a list of models
_LOADING = 120.0
_SHORT = 12  # characters of a hash that tell one state of an adapter's weights from another
_ADAPTER_WEIGHTS = "adapter_model.safetensors"

log = logging.getLogger(__name__)


class Endpoint:
    """The endpoint that a model's row describes. `environ`: where its key is looked up, unless the home keeps it.

    `certificates`: gives those that an https address is held against; reading them takes as long as many a token.
    """

    def __init__(
        self,
        home: Home,
        model: Model,
        environ: Mapping[str, str],
        certificates: Callable[[], ssl.SSLContext] = httpx.create_ssl_context,
    ) -> None:
        self._model = model
        self._home = home
        self._certificates = certificates
        self._environ = environ
        self._who = f'"{model.name}"'
        self._dialect = dialect_of(model.dialect)
        self._slots = Slots(home.slots / model.id, model.at_once or self._dialect.at_once, self._who)

    def health(self) -> Health:
        """Whether the server can be asked now."""
        began = time.monotonic()
        try:
            sentence, ready = self._looked_at(), True
        except RatchetError as error:
            sentence, ready = str(error), False
        return Health(ready, sentence, round(time.monotonic() - began, 4))

    def models(self) -> list[str]:
        """The models that the server lists."""
        said = self._ask("GET", f"{self._model.url}/models", timeout=_LISTING)
        lines = said.get("data") if isinstance(said, dict) else None
        return [str(line["id"]) for line in lines or [] if isinstance(line, dict) and "id" in line]

    def ensure(self, store: Store, model: Model) -> None:
        """See that the server holds an adapter of ours; of everything else it decides itself what it holds.

        Raises Conflict where the adapter's files are no longer those that were added.
        """
        if model.kind != "adapter" or self._served(model) in self.models():
            return
        if model.adapter_sha256 not in (None, hash_files([Path(model.path or "") / _ADAPTER_WEIGHTS])):
            raise Conflict(
                f'The weights in {model.path} are no longer those that were added as "{model.name}"; add them as a '
                "new model, or put the old files back."
            )
        self.load_adapter(self._served(model), str(model.path), base_of(store, model).name)

    def load_adapter(self, name: str, path: str, base: str) -> None:
        """Load an adapter by vLLM's call; the server must see the folder under the same path."""
        self._refuse_loading()
        if name not in self.models():
            self._ask("POST", f"{self._model.url}/load_lora_adapter", {"lora_name": name, "lora_path": path})

    def unload_adapter(self, name: str) -> None:
        """Forget an adapter by vLLM's call."""
        self._refuse_loading()
        self._ask("POST", f"{self._model.url}/unload_lora_adapter", {"lora_name": name})

    def stream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Generator[Delta, None, None]:
        """Ask as the endpoint's own model, or as an adapter of ours that it serves."""
        route = self.route(model, messages, params)
        with self._slots.one(priority):
            self.ensure(store, model)
            tally, failed = Tally(route), True
            try:
                with closing(streaming.stream(route, tally)) as pieces:
                    yield from pieces
                failed = False
            except GeneratorExit:
                failed = False
                raise
            finally:
                self._count(store, tally, failed)

    async def astream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> AsyncGenerator[Delta, None]:
        """`stream` for an event loop."""
        route = self.route(model, messages, params)
        async with self._slots.aone(priority):
            await asyncio.to_thread(self.ensure, store, model)
            tally, failed = Tally(route), True
            try:
                async with aclosing(streaming.astream(route, tally)) as pieces:
                    async for delta in pieces:
                        yield delta
                failed = False
            except (GeneratorExit, asyncio.CancelledError):
                failed = False
                raise
            finally:
                await asyncio.to_thread(self._count, store, tally, failed)

    def route(self, model: Model, messages: Messages, params: SamplingParams) -> Route:
        """The way to an answer; raises BadInput where its key is not to be had."""
        body = {
            "model": self._served(model),
            "messages": list(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": params.max_tokens,
            "temperature": params.temperature,
            "top_p": params.top_p,
            **({"seed": params.seed} if params.seed is not None else {}),
        }
        return Route(
            f"{self._model.url}/chat/completions",
            self._headers(),
            self._dialect.tune(body),
            self._stamp(model, params),
            self._who,
            _ATTEMPTS,
            Patience.of(self._model.timeout),
            self._verify(str(self._model.url)),
        )

    def _served(self, model: Model) -> str:
        """The server's name for a model; an adapter's holds its hash, so that new weights are never an old name."""
        if model.kind != "adapter":
            return self._model.remote_name or self._model.name
        return f"{model.name}-{model.adapter_sha256[:_SHORT]}" if model.adapter_sha256 else model.name

    def _stamp(self, model: Model, params: SamplingParams) -> dict[str, Any]:
        """What is known of a stranger's answer: of its weights only those that it was given to load."""
        adapter = model if model.kind == "adapter" else None
        return {
            "base": self._model.name,
            "base_sha256": None,
            "adapter": adapter.name if adapter else None,
            "adapter_sha256": adapter.adapter_sha256 if adapter else None,
            "template_sha256": None,
            "params": {
                "max_tokens": params.max_tokens,
                "temperature": params.temperature,
                "top_p": params.top_p,
            },
            "seed": params.seed,
            "engine": self._model.url,
            "remote_name": self._served(model),
        }

    def _verify(self, url: str) -> ssl.SSLContext | bool:
        return self._certificates() if url.startswith("https:") else False

    def _headers(self) -> dict[str, str]:
        if not self._model.key_env:
            return {}
        if self._model.key_env == KEPT:
            return {"Authorization": f"Bearer {self._kept_key()}"}
        key = self._environ.get(self._model.key_env, "").strip()
        if not key:
            raise BadInput(
                f'The model "{self._model.name}" needs a key: set the environment variable {self._model.key_env} and '
                "start Ratchet again."
            )
        return {"Authorization": f"Bearer {key}"}

    def _kept_key(self) -> str:
        """The key that the home keeps; raises BadInput where it is not there, as in a project from elsewhere."""
        key = key_of(self._home, self._model.id)
        if key is None:
            raise BadInput(
                f'The key of the model "{self._model.name}" is not on this machine: give it with '
                f"`ratchet endpoint-key {self._model.name}`."
            )
        return key

    def _looked_at(self) -> str:
        """A sentence about a server that can be asked; raises where it cannot."""
        if self._dialect.health:
            root = str(self._model.url).removesuffix("/v1")
            self._ask("GET", f"{root}{self._dialect.health}", timeout=_LISTING)
        listed = self.models()
        name = self._model.remote_name or self._model.name
        if self._dialect.names and listed and name not in listed and f"{name}:latest" not in listed:
            some = ", ".join(listed[:5])
            raise NotFound(f'{self._who} lists no model "{name}"; it lists {some}{" …" if len(listed) > 5 else ""}.')
        return f"{self._dialect.title} answers as {name}."

    def _refuse_loading(self) -> None:
        if not self._dialect.loads_adapters:
            raise BadInput(
                f"{self._who} is {self._dialect.title}, which cannot load adapters while it runs; vLLM can "
                "(--dialect vllm)."
            )

    def _ask(self, method: str, url: str, body: dict[str, Any] | None = None, timeout: float = _LOADING) -> Any:
        """The JSON (or text) of a short call."""
        limit = httpx.Timeout(timeout, connect=min(5.0, timeout))
        try:
            with httpx.Client(timeout=limit, verify=self._verify(url)) as client:
                response = client.request(method, url, json=body, headers=self._headers())
        except httpx.TimeoutException as error:
            raise NotReady(f"{self._who} has not answered within {timeout:g} s ({url}); ask again later.") from error
        except httpx.RequestError as error:
            if streaming.distrusts(error):
                raise NotReady(streaming.distrusted(self._who)) from error
            raise NotReady(f"{self._who} cannot be reached at {url} ({type(error).__name__}).") from error
        if not response.is_success:
            raise _explained(error_of(response, self._who), response)
        try:
            return response.json()
        except ValueError:
            return response.text

    def _count(self, store: Store, tally: Tally, failed: bool) -> None:
        """Add to what the endpoint has cost; an answer is worth more than its entry in the books."""
        try:
            record(store, self._model.id, tally.spent(failed))
        except sqlite3.Error:
            log.warning("what %s cost could not be counted", self._who, exc_info=True)


def _explained(error: RatchetError, response: httpx.Response) -> RatchetError:
    """vLLM has its adapter calls only where it was told to; its plain 404 would not say so."""
    if response.status_code == 404 and response.request.url.path.endswith("/load_lora_adapter"):
        return NotReady(
            f"{error} Start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True to have it load adapters."
        )
    return error
