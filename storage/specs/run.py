"""`spec.json`: everything that a run needs, frozen, so that it can be run again."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from storage.errors import BadInput
from storage.home import read_json, write_json

VERSION = 1


@dataclass(frozen=True)
class RunSpec:
    """A run as it was asked for.

    `adapter_path`: the adapter that it continues, if any. `reference`: what DPO compares with, "base" or
    "previous" (the adapter that it continues). `libraries`: versions by name. `threads` of torch; `dtype` and
    `device` are "auto" or what is wanted.
    """

    job: str
    method: str
    name: str
    base_path: str
    base_sha256: str | None = None
    adapter_path: str | None = None
    reference: str = "base"
    options: dict[str, Any] = field(default_factory=dict)
    data_sha256: str = ""
    rows: int = 0
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
