"""Whoever answers, behind one interface: the home's own engine, or any server that speaks OpenAI's chat protocol.

`tests/studio/clients/backend_contract.py` is what every one of them must do. Which one answers for a model is decided
in `studio.clients.engine.Engine.backend` and nowhere else.
"""

from collections.abc import AsyncGenerator, Generator
from typing import NamedTuple, Protocol

from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import Delta, Messages, SamplingParams


class Health(NamedTuple):
    """How a backend is: whether it can be asked now, in a sentence; `seconds` that it took to say so."""

    ready: bool
    sentence: str
    seconds: float


class Backend(Protocol):
    """What can be asked of whoever answers. Every method blocks, but `astream`; all raise RatchetErrors."""

    def health(self) -> Health:
        """Whether it can be asked now; never raises."""

    def models(self) -> list[str]:
        """The names under which it answers now."""

    def ensure(self, store: Store, model: Model) -> object:
        """See that it can answer as this model: load what is missing, where it can load."""

    def load_adapter(self, name: str, path: str, base: str) -> None:
        """Load an adapter from a folder, to answer under a name; nothing to do where that name is loaded."""

    def unload_adapter(self, name: str) -> None:
        """Forget an adapter."""

    def stream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> Generator[Delta, None, None]:
        """Ask, and give out the answer as it is written; the last delta carries the whole. Closing it hangs up."""

    def astream(
        self, model: Model, store: Store, messages: Messages, params: SamplingParams, priority: int = 0
    ) -> AsyncGenerator[Delta, None]:
        """`stream` for an event loop."""
