"""The model before and after a run, side by side in memory, for what is measured at its end.

Where the run trained an adapter on the very base, "before" is the same model with that adapter off (or with the one
that the run went on from), which costs nothing. Where the base itself was changed (full training, a stacked start)
what was before is read again from its files.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from trainers.run import Run
from trainers.tunings import ADAPTER, artefact_of, merges

_PARENT = "parent"  # the name under which trainers/probe.py loads the previous adapter


class Sides:
    """The policy as it is now, as it was before the first step, and its base."""

    def __init__(self, run: Run, trainer: Any) -> None:
        self.run = run
        self.now = trainer.accelerator.unwrap_model(trainer.model)
        self.tokenizer = trainer.processing_class
        self._parent = Path(run.spec.adapter_path) if run.spec.adapter_path else None
        self._plain = artefact_of(run.spec) == ADAPTER and not merges(run.spec)

    @property
    def goes_on(self) -> bool:
        """Whether the run went on from an adapter, so that what was before is not the base."""
        return self._parent is not None

    @contextmanager
    def before(self) -> Iterator[Any]:
        """The model that the run started from."""
        if not self._plain:
            yield self._read((self._parent,) if self._parent else ())
        elif self._parent is None:
            with self.now.disable_adapter():
                yield self.now
        else:
            with self._parents():
                yield self.now

    @contextmanager
    def base(self) -> Iterator[Any]:
        """The base without any adapter."""
        with self.now.disable_adapter() if self._plain else nullcontext():
            yield self.now if self._plain else self._read(())

    @contextmanager
    def _parents(self) -> Iterator[None]:
        """The previous adapter is the active one."""
        if _PARENT not in self.now.peft_config:
            self.now.load_adapter(str(self._parent), adapter_name=_PARENT, torch_device=str(self.now.device))
        active = self.now.active_adapter
        self.now.set_adapter(_PARENT)
        try:
            yield
        finally:
            self.now.set_adapter(active)

    def _read(self, adapters: tuple[Path, ...]) -> Any:
        from trainers.whole import load_exactly

        model = load_exactly(Path(self.run.spec.base_path), adapters)
        return model.to(self.now.device, self.now.dtype).eval()
