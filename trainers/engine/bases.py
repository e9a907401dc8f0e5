"""What the engine holds: bases by name, adapters by name on them, and room made by putting out the idlest.

How many bases are held follows from memory (`trainers.engine.room`). Loading runs on the caller's thread; a lane is
only asked for the short attach, between two steps, so streams go on while an adapter or another base is read from disk.
Exact answers come from a base's twin in float32, which is loaded when somebody asks for one and is the first to go.
"""

import gc
import itertools
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from storage.errors import BadInput, Conflict, NotFound, NotReady, RatchetError
from trainers.engine.acting import Acts, difference, probe_logits
from trainers.engine.adapters import adapter_weights, read_adapter, trained_on
from trainers.engine.device import Device
from trainers.engine.hashes import Hashes
from trainers.engine.held import HeldAdapter, HeldBase, Listed, Target
from trainers.engine.lane import MOST_ROWS, Lane, Load
from trainers.engine.room import Room
from trainers.engine.weights import base_weights, check_quantising, load_base

log = logging.getLogger(__name__)

_MOST_ADAPTERS = 16  # on one base; an r16 adapter of a 500M base takes 17 MB in bfloat16


class Bases:
    """All loaded models. Its methods block while they load; call them from worker threads.

    `memory`: bytes that all bases may take together (None: what is free). `quantise`: 4bit or 8bit; raises Refused
    where that cannot be.
    """

    def __init__(
        self,
        device: Device,
        hashes: Hashes,
        memory: float | None = None,
        most_adapters: int = _MOST_ADAPTERS,
        most_rows: int = MOST_ROWS,
        quantise: str | None = None,
    ) -> None:
        if quantise:
            check_quantising(device, quantise)
        self.device = device
        self.room = Room(device, memory)
        self.refusal: Callable[[], RatchetError | None] = lambda: None
        """Why nothing may be asked or loaded now; see `trainers.engine.aside`."""
        self._hashes = hashes
        self._quantise = quantise
        self._most_adapters = most_adapters
        self._most_rows = most_rows
        self._held: dict[str, HeldBase] = {}
        self._keys = itertools.count()
        self._loading = threading.Lock()  # one load at a time: two at once would want the memory of both
        self._table = threading.Lock()

    def find(self, model: str, exact: bool = False) -> Target:
        """Who answers for `model`; raises NotFound with the names that are loaded, MovedAside where none may be.

        `exact`: in float32. Where the base is in another format that is its twin, loaded where it is not there yet;
        raises as `load_base` where it does not fit.
        """
        self._refuse_aside()
        with self._table:
            held, adapter = self._named(model)
            held.used = time.monotonic()
            if adapter:
                adapter.used = held.used
            twin = exact and held.base.dtype != "float32"
            target = _exact_target(held, adapter) if twin else Target(held.lane, adapter)
        return target or self._load_exact(model)

    def listed(self) -> list[Listed]:
        """Every loaded model: each base, then its adapters."""
        with self._table:
            return [line for held in self._held.values() for line in held.lines()]

    def exact(self) -> list[str]:
        """The bases whose twin in float32 is loaded."""
        with self._table:
            return [name for name, held in self._held.items() if held.exact]

    def memory(self) -> float:
        """Bytes that what is loaded takes, as reckoned before it was loaded."""
        with self._table:
            return sum(held.memory + (held.exact.memory if held.exact else 0.0) for held in self._held.values())

    def busy(self) -> bool:
        """Whether any row is waiting or being written."""
        with self._table:
            bases = list(self._held.values())
        return any(held.busy() for held in bases)

    def load(self) -> Load:
        """How busy all lanes are together: what is asked of one takes the machine from the others."""
        with self._table:
            held = [one for base in self._held.values() for one in (base, base.exact) if one]
        loads = [one.lane.load() for one in held]
        most = max((one.most for one in loads), default=self._most_rows)
        return Load(sum(one.urgent for one in loads), sum(one.background for one in loads), most)

    def load_base(self, name: str, path: Path) -> str:
        """Load a base and return its hash; nothing to do when the same weights are loaded from there already.

        Raises Refused where it can never fit into memory, NotReady where it does not now.
        """
        with self._loading:
            self._refuse_aside()
            held = self._held.get(name)
            files = base_weights(path)
            if held and held.base.path == path and held.base.sha256 == self._hashes.of(files):
                return held.base.sha256
            self._refuse_taken(name)
            held = self._load(name, path)
            with self._table:
                self._held[name] = held
            return held.base.sha256

    def load_adapter(self, name: str, path: Path, base: str, parent: str | None = None) -> str:
        """Load an adapter onto a loaded base and return its hash; nothing to do when it is there by this name.

        `parent`: the model that it was trained from; the proof that it acts is against that one where it is loaded.
        """
        with self._loading:
            self._refuse_aside()
            if not base and len(self._held) == 1:  # vLLM's call names none
                (base,) = self._held
            held = self._held.get(base)
            if held is None:
                raise NotFound(f"The base {base!r} is not loaded; load it before the adapter {name!r}.")
            with self._hashes.while_reading([adapter_weights(path)]) as sha256:
                known = held.adapters.get(name)
                if known and known.sha256 == sha256:
                    return sha256
                self._refuse_taken(name)
                self._refuse_foreign(name, path, held)
                self._make_adapter_room(held)
                adapter = self._attach(held, name, path, sha256)
            with self._table:
                held.adapters[name] = adapter
            adapter.acts = self._prove(held, adapter, parent)
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
            if held.busy():
                raise Conflict(f"The base {name!r} is answering; unload it when its answers have ended.")
            self._put_out(held)

    def put_all_out(self, patience: float) -> None:
        """Put every base out; rows have `patience` seconds to end, and fail with a sentence after that."""
        with self._loading:
            deadline = time.monotonic() + patience
            while self.busy() and time.monotonic() < deadline:
                time.sleep(0.05)
            for held in list(self._held.values()):
                self._put_out(held)

    def stop(self) -> None:
        """End every lane after its present step."""
        with self._table:
            bases = list(self._held.values())
        for held in (one for base in bases for one in (base, base.exact) if one):
            held.lane.stop()

    def _named(self, model: str) -> tuple[HeldBase, HeldAdapter | None]:
        """The base that answers for a name, and the adapter on it; under the table's lock."""
        for held in self._held.values():
            adapter = held.adapters.get(model)
            if adapter or held.base.name == model:
                return held, adapter
        names = ", ".join(line.name for held in self._held.values() for line in held.lines()) or "none"
        raise NotFound(f"The model {model!r} is not loaded; loaded are: {names}. Load it and ask again.")

    def _load(self, name: str, path: Path, twin_of: HeldBase | None = None) -> HeldBase:
        """Read a base where there is room, or make it."""
        exact = twin_of is not None
        need = self.room.need(path, exact, self._quantise)
        self._make_room(name, need.total, lambda held: self.room.refusal(name, need, held), keep=twin_of)
        base = load_base(name, path, self.device, self._hashes, exact, self._quantise)
        return HeldBase(Lane(base, 1 if exact else self._most_rows), need.total)

    def _load_exact(self, model: str) -> Target:
        """The twin in float32 of the base that answers for `model`, with the adapter on it."""
        with self._loading:
            self._refuse_aside()
            with self._table:
                held, adapter = self._named(model)
            if held.exact is None:
                self._make_exact(held)
            twin = held.exact
            assert twin is not None
            if adapter and _exact_target(held, adapter) is None:
                self._attach_exact(twin, adapter)
            found = _exact_target(held, adapter)
            assert found is not None
            return found

    def _make_exact(self, held: HeldBase) -> None:
        twin = self._load(held.base.name, held.base.path, twin_of=held)
        if twin.base.sha256 != held.base.sha256:
            twin.lane.stop(wait=60)
            raise Conflict(
                f"The weights in {held.base.path} are no longer those that answer as {held.base.name!r}; load it anew."
            )
        with self._table:
            held.exact = twin

    def _attach_exact(self, twin: HeldBase, adapter: HeldAdapter) -> None:
        with self._hashes.while_reading([adapter_weights(adapter.path)]) as sha256:
            if sha256 != adapter.sha256:
                raise Conflict(
                    f"The weights in {adapter.path} are no longer those that answer as {adapter.name!r}; load it anew."
                )
            self._make_adapter_room(twin)
            made = self._attach(twin, adapter.name, adapter.path, sha256)
        with self._table:
            if old := twin.adapters.get(adapter.name):
                twin.lane.retire(old.key)
            twin.adapters[adapter.name] = made

    def _attach(self, held: HeldBase, name: str, path: Path, sha256: str) -> HeldAdapter:
        """Read an adapter here and put it on the lane between two steps."""
        files = read_adapter(path, self.device.device, held.base.model.dtype)
        held.lane.adapters.check(files, name)
        adapter = HeldAdapter(name, path, f"a{next(self._keys)}", sha256)
        held.lane.call(lambda: held.lane.adapters.attach(adapter.key, files))
        return adapter

    def _prove(self, held: HeldBase, adapter: HeldAdapter, parent: str | None) -> Acts | None:
        """What the adapter changes against its parent, or its base where that is not loaded; None: nobody can say."""
        from_adapter = held.adapters.get(parent) if parent else None
        try:
            acts = _compared(held, adapter, from_adapter)
            if acts.max_difference == 0.0 and held.base.dtype != "float32":
                acts = self._prove_exactly(held, adapter, from_adapter) or acts
        except Exception:  # a strange model may raise anything here, and answers all the same
            log.exception("whether %s acts could not be measured", adapter.name)
            return None
        if warning := acts.warning(adapter.name):
            log.warning("%s", warning)
        return acts

    def _prove_exactly(self, held: HeldBase, adapter: HeldAdapter, parent: HeldAdapter | None) -> Acts | None:
        """The proof in float32, where the twin fits; where the adapter acts there alone, `lost_in` is set."""
        try:
            if held.exact is None:
                self._make_exact(held)
            twin = held.exact
            assert twin is not None
            for one in filter(None, (parent, adapter)):
                if _exact_target(held, one) is None:
                    self._attach_exact(twin, one)
            found = _compared(twin, twin.adapters[adapter.name], twin.adapters[parent.name] if parent else None)
        except RatchetError as error:
            log.info("no proof in float32: %s", error)
            return None
        return found._replace(lost_in=held.base.dtype) if found.max_difference else found

    def _refuse_aside(self) -> None:
        if error := self.refusal():
            raise error

    def _refuse_taken(self, name: str) -> None:
        if not name.strip():
            raise BadInput("A model needs a name to be loaded under; this one is empty.")
        if any(line.name == name for line in self.listed()):
            raise Conflict(f"Another model is loaded as {name!r}; unload it first or choose another name.")

    def _refuse_foreign(self, name: str, path: Path, held: HeldBase) -> None:
        if trained_on(path) not in (None, held.base.sha256):
            raise BadInput(
                f"The adapter {name!r} was trained on other weights than those of {held.base.name!r}; load it on the "
                "base that its run names."
            )

    def _make_room(
        self, name: str, wanted: float, refusal: Callable[[float], RatchetError], keep: HeldBase | None
    ) -> None:
        """Put out what was asked longest ago, of what does not answer now; nothing where that would not be enough."""
        if wanted > self.room.most():
            raise refusal(self.memory())
        if wanted > self.room.left(self.memory()) + sum(unit.memory for unit in self._idle(keep)):
            raise refusal(self.memory())
        while wanted > self.room.left(self.memory()):
            idle = self._idle(keep)
            if not idle:
                raise refusal(self.memory())
            idlest = min(idle, key=lambda unit: unit.used)
            log.info("%s is put out to make room for %s", idlest.base.name, name)
            self._put_out(idlest)

    def _idle(self, keep: HeldBase | None) -> list[HeldBase]:
        """Bases and twins that do not answer now; a base that has a twin goes after it."""
        with self._table:
            bases = list(self._held.values())
        twins = [held.exact for held in bases if held.exact and held is not keep and not held.exact.lane.busy()]
        return twins + [held for held in bases if held is not keep and not held.exact and not held.lane.busy()]

    def _put_out(self, unit: HeldBase) -> None:
        """Put out a base with its twin, or a twin alone."""
        with self._table:
            owner = self._held[unit.base.name]
            gone = [owner.exact] if owner.exact else []
            owner.exact = None
            if owner is unit:
                gone.append(self._held.pop(unit.base.name))
        while gone:
            gone.pop().lane.stop(wait=60)
        del owner, unit
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
            gone = [(one, one.adapters.pop(name)) for one in (held, held.exact) if one and name in one.adapters]
        for one, adapter in gone:
            one.lane.retire(adapter.key)


def _exact_target(held: HeldBase, adapter: HeldAdapter | None) -> Target | None:
    """A base's twin with the same adapter on it, where both are loaded."""
    twin = held.exact
    if twin is None:
        return None
    twin.used = time.monotonic()
    if adapter is None:
        return Target(twin.lane, None)
    same = twin.adapters.get(adapter.name)
    return Target(twin.lane, same) if same and same.sha256 == adapter.sha256 else None


def _compared(held: HeldBase, adapter: HeldAdapter, parent: HeldAdapter | None) -> Acts:
    """What an adapter changes on the probe prompt; the base's own logits are kept for the next adapter."""
    if parent is None and held.probe is None:
        held.probe = probe_logits(held.lane, None)
    parents = probe_logits(held.lane, parent.key) if parent else held.probe
    found = difference(probe_logits(held.lane, adapter.key), parents)
    return Acts(found, parent.name if parent else held.base.name, held.base.dtype)


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
