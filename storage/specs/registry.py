"""The training methods: a name, the kind of rows it learns from, its options, its script in `trainers/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from storage.errors import BadInput
from storage.specs.dpo import DPOOptions
from storage.specs.sft import SFTOptions


@dataclass(frozen=True)
class Method:
    """A way to train. `rows`: kind of the frozen rows; `module`: run as `python -m trainers.<module> RUN`."""

    name: str
    title: str
    summary: str
    rows: str
    options: type
    module: str


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method("sft", "SFT", "Learn from examples of good answers.", "sft", SFTOptions, "sft"),
            Method("dpo", "DPO", "Learn from votes: this answer rather than that.", "preference", DPOOptions, "dpo"),
        )
    }
)


def method_named(name: str) -> Method:
    """The method of that name; raises BadInput with the names there are."""
    if name not in METHODS:
        raise BadInput(f'There is no training method "{name}"; there are {", ".join(METHODS)}.')
    return METHODS[name]
