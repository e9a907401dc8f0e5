"""What the engine holds, by its nouns: a base with its lane, an adapter, who answers for a name, a line of the list."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from trainers.engine.acting import Acts
from trainers.engine.lane import Lane
from trainers.engine.weights import Base


@dataclass
class HeldAdapter:
    """An adapter that is loaded: its key on the lane, and when it was last asked. `acts`: the proof that it acts."""

    name: str
    path: Path
    key: str
    sha256: str
    used: float = field(default_factory=time.monotonic)
    acts: Acts | None = None


@dataclass
class HeldBase:
    """A base that is loaded, with its lane and adapters.

    `memory`: bytes that it takes. `exact`: its twin in float32, loaded when somebody asks for exact answers. `probe`:
    its own logits on the probe prompt, with which adapters are compared.
    """

    lane: Lane
    memory: float
    adapters: dict[str, HeldAdapter] = field(default_factory=dict)
    used: float = field(default_factory=time.monotonic)
    exact: "HeldBase | None" = None
    probe: Any = None

    @property
    def base(self) -> Base:
        """The loaded base."""
        return self.lane.base

    def busy(self) -> bool:
        """Whether it or its twin answers."""
        return self.lane.busy() or (self.exact is not None and self.exact.lane.busy())

    def lines(self) -> "list[Listed]":
        """Its lines of the models list: itself, then its adapters."""
        base = self.base
        shared = (base.template.sha256, base.dtype)
        adapters = [
            Listed(one.name, str(one.path), base.name, one.sha256, *shared, one.acts) for one in self.adapters.values()
        ]
        return [Listed(base.name, str(base.path), None, base.sha256, *shared), *adapters]


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
    acts: Acts | None = None
