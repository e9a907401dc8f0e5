"""What the engine holds: bases by name, adapters by name on them, and room made by putting out the idlest.

Loading runs on the caller's thread; a lane is only asked for the short attach, between two steps, so streams
go on while an adapter or another base is read from disk.
"""

import gc
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput, Conflict, NotFound, NotReady, RatchetError
from trainers.engine.adapters import adapter_weights, read_adapter, trained_on
from trainers.engine.device import Device
from trainers.engine.hashes import Hashes
from trainers.engine.lane import MOST_ROWS, Lane
from trainers.engine.weights import Base, base_weights, load_base

_MOST_ADAPTERS = 16  # on one base; an r16 adapter of a 500M base takes 17 MB in bfloat16


@dataclass
class HeldAdapter:
    """An adapter that is loaded: its key on the lane, and when it was last asked."""

    name: str
    path: Path
    key: str
    sha256: str
    used: float = field(default_factory=time.monotonic)


@dataclass
class HeldBase:
    """A base that is loaded, with its lane and adapters."""

    lane: Lane
    adapters: dict[str, HeldAdapter] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)

    @property
    def base(self) -> Base:
        """The loaded base."""
        return self.lane.base


class Target(NamedTuple):
    """Who answers for a model's name: a lane, and an adapter on it or None for the base itself."""

    lane: Lane
    adapter: HeldAdapter | None


class Listed(NamedTuple):
    """A line of the models list; `parent` is the base of an adapter."""

    name: str
    root: str
    parent: str | None
    sha256: str
    template_sha256: str
    dtype: str


class Bases:
    """All loaded models. Its methods block while they load; call them from worker threads."""

    def __init__(
        self,
        device: Device,
        hashes: Hashes,
        most_bases: int = 2,
        most_adapters: int = _MOST_ADAPTERS,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self.device = device
        self.refusal: Callable[[], RatchetError | None] = lambda: None
        """Why nothing may be asked or loaded now; see `trainers.engine.aside`."""
        self._hashes = hashes
        self._most_bases = most_bases
        self._most_adapters = most_adapters
        self._most_rows = most_rows
        self._held: dict[str, HeldBase] = {}
        self._keys = itertools.count()
        self._loading = threading.Lock()  # one load at a time: two at once would want the memory of both
        self._table = threading.Lock()

    def find(self, model: str) -> Target:
        """Who answers for `model`; raises NotFound with the names that are loaded, MovedAside where none may be."""
        self._refuse_aside()
        with self._table:
            for held in self._held.values():
                adapter = held.adapters.get(model)
                if adapter or held.base.name == model:
                    held.used = time.monotonic()
                    if adapter:
                        adapter.used = held.used
                    return Target(held.lane, adapter)
        names = ", ".join(line.name for line in self.listed()) or "none"
        raise NotFound(f"The model {model!r} is not loaded; loaded are: {names}. Load it and ask again.")

    def listed(self) -> list[Listed]:
        """Every loaded model: each base, then its adapters."""
        with self._table:
            return [line for held in self._held.values() for line in _lines(held)]

    def busy(self) -> bool:
        """Whether any row is waiting or being written."""
        with self._table:
            lanes = [held.lane for held in self._held.values()]
        return any(lane.busy() for lane in lanes)

    def load_base(self, name: str, path: Path) -> str:
        """Load a base and return its hash; nothing to do when the same weights are loaded from there already."""
        with self._loading:
            self._refuse_aside()
            held = self._held.get(name)
            if held and held.base.path == path and held.base.sha256 == self._hashes.of(base_weights(path)):
                return held.base.sha256
            self._refuse_taken(name)
            self._make_room()
            base = load_base(name, path, self.device, self._hashes)
            with self._table:
                self._held[name] = HeldBase(Lane(base, self._most_rows))
            return base.sha256

    def load_adapter(self, name: str, path: Path, base: str) -> str:
        """Load an adapter onto a loaded base and return its hash; nothing to do when it is there by this name."""
        with self._loading:
            self._refuse_aside()
            held = self._held.get(base)
            if held is None:
                raise NotFound(f"The base {base!r} is not loaded; load it before the adapter {name!r}.")
            sha256 = self._hashes.of([adapter_weights(path)])
            known = held.adapters.get(name)
            if known and known.sha256 == sha256:
                return sha256
            self._refuse_taken(name)
            if trained_on(path) not in (None, held.base.sha256):
                raise BadInput(
                    f"The adapter {name!r} was trained on other weights than those of {base!r}; load it on the base "
                    "that its run names."
                )
            files = read_adapter(path, self.device.device, held.base.model.dtype)
            held.lane.adapters.check(files, name)
            self._make_adapter_room(held)
            adapter = HeldAdapter(name, path, f"a{next(self._keys)}", sha256)
            held.lane.call(lambda: held.lane.adapters.attach(adapter.key, files))
            with self._table:
                held.adapters[name] = adapter
            return sha256

    def unload_adapter(self, name: str) -> None:
        """Forget an adapter at once; its weights go when the rows that it still answers have ended."""
        with self._loading:
            for held in self._held.values():
                if name in held.adapters:
                    self._drop_adapter(held, name)
                    return
        raise NotFound(f"The adapter {name!r} is not loaded, so it cannot be unloaded.")

    def unload_base(self, name: str) -> None:
        """Put a base and its adapters out; refuses while it answers."""
        with self._loading:
            held = self._held.get(name)
            if held is None:
                raise NotFound(f"The base {name!r} is not loaded, so it cannot be unloaded.")
            if held.lane.busy():
                raise Conflict(f"The base {name!r} is answering; unload it when its answers have ended.")
            self._put_out(name)

    def put_all_out(self, patience: float) -> None:
        """Put every base out; rows have `patience` seconds to end, and fail with a sentence after that."""
        with self._loading:
            deadline = time.monotonic() + patience
            while self.busy() and time.monotonic() < deadline:
                time.sleep(0.05)
            for name in list(self._held):
                self._put_out(name)

    def stop(self) -> None:
        """End every lane after its present step."""
        with self._table:
            lanes = [held.lane for held in self._held.values()]
        for lane in lanes:
            lane.stop()

    def _refuse_aside(self) -> None:
        if error := self.refusal():
            raise error

    def _refuse_taken(self, name: str) -> None:
        if not name.strip():
            raise BadInput("A model needs a name to be loaded under; this one is empty.")
        if any(line.name == name for line in self.listed()):
            raise Conflict(f"Another model is loaded as {name!r}; unload it first or choose another name.")

    def _make_room(self) -> None:
        """Put out the base that was asked longest ago, of those that do not answer now."""
        while len(self._held) >= self._most_bases:
            idle = [held for held in self._held.values() if not held.lane.busy()]
            if not idle:
                raise NotReady(
                    f"All {len(self._held)} bases that fit are answering now; ask again when one of them has ended."
                )
            self._put_out(min(idle, key=lambda held: held.used).base.name)

    def _put_out(self, name: str) -> None:
        with self._table:
            held = self._held.pop(name)
        held.lane.stop(wait=60)
        del held
        gc.collect()  # a model's modules refer to each other in circles
        _empty_device_cache()

    def _make_adapter_room(self, held: HeldBase) -> None:
        while len(held.adapters) >= self._most_adapters:
            idle = [adapter for adapter in held.adapters.values() if not held.lane.busy(adapter.key)]
            if not idle:
                raise NotReady(
                    f"All {len(held.adapters)} adapters of {held.base.name!r} are answering now; ask again soon."
                )
            self._drop_adapter(held, min(idle, key=lambda adapter: adapter.used).name)

    def _drop_adapter(self, held: HeldBase, name: str) -> None:
        with self._table:
            adapter = held.adapters.pop(name)
        held.lane.retire(adapter.key)


def _lines(held: HeldBase) -> list[Listed]:
    base = held.base
    first = Listed(base.name, str(base.path), None, base.sha256, base.template.sha256, base.dtype)
    return [first, *(
        Listed(adapter.name, str(adapter.path), base.name, adapter.sha256, base.template.sha256, base.dtype)
        for adapter in held.adapters.values()
    )]  # fmt: skip


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
