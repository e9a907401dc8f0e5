"""`spec.json`: everything that a run needs, frozen, so that it can be run again."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self

from storage.errors import BadInput
from storage.home import read_json, write_json

VERSION = 1


class Helper(NamedTuple):
    """A model that a run uses beside the policy: a teacher or a reward model; `spec.json` holds it as a dict."""

    name: str
    kind: str
    base_path: str
    adapter_path: str | None = None


@dataclass(frozen=True)
class RunSpec:
    """A run as it was asked for.

    `adapter_path`: the adapter that it goes on from, if any, and `start` how: "continue" it, "stack" a fresh one on it,
    or "fresh" (the adapter then is None). `reference`: what DPO compares with, "base" or "previous" (the policy that it
    starts from). `extras`: further frozen rows in the folder, name to hash: `replay.parquet`, `eval.parquet`.
    `teacher`, `rewards`: models beside the policy (see `Helper`). `programs`: users' reward functions, file to text.
    `awaits_base`: the model that it starts from is made by a job before it; its worker writes the weights in when it
    claims the job, as those of helpers without a path, and the rows of that job as `earlier.parquet`. `memory_gb`: the
    most that its preflight measured, where there was one. `libraries`: versions by name. `threads` of torch; `dtype`
    and `device` are "auto" or what is wanted.
    """

    job: str
    method: str
    name: str
    base_path: str
    base_sha256: str | None = None
    adapter_path: str | None = None
    start: str = "continue"
    reference: str = "base"
    options: dict[str, Any] = field(default_factory=dict)
    data_sha256: str = ""
    rows: int = 0
    extras: dict[str, str] = field(default_factory=dict)
    teacher: dict[str, Any] | None = None
    rewards: list[dict[str, Any]] = field(default_factory=list)
    programs: dict[str, str] = field(default_factory=dict)
    awaits_base: bool = False
    memory_gb: float | None = None
    seed: int = 0
    threads: int = 2
    dtype: str = "auto"
    device: str = "auto"
    libraries: dict[str, str] = field(default_factory=dict)
    version: int = VERSION

    def write(self, folder: Path) -> Path:
        """Write `spec.json` into a run folder; returns its path."""
        path = folder / "spec.json"
        write_json(path, asdict(self))
        return path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `spec.json`; keys of newer versions are ignored, missing ones take their default."""
        found = read_json(folder / "spec.json")
        if found is None:
            raise BadInput(f"{folder / 'spec.json'} is missing or not readable; start the job again.")
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in found.items() if name in known})

    def to_json(self) -> str:
        """The spec as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
