"""The training methods there are, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from storage.errors import BadInput
from storage.specs import classify, cpo, distill, dpo, grpo, kto, orpo, pretrain, reward, rloo, sft
from storage.specs.method import Method

_SPECS = (
    sft,
    pretrain,
    dpo,
    kto,
    orpo,
    cpo,
    reward,
    rloo,
    grpo,
    distill,
    classify,
)
METHODS: Mapping[str, Method] = MappingProxyType({spec.METHOD.name: spec.METHOD for spec in _SPECS})


def method_named(name: str) -> Method:
    """The method of that name; raises BadInput with the names there are."""
    if name not in METHODS:
        raise BadInput(f'There is no training method "{name}"; there are {", ".join(METHODS)}.')
    return METHODS[name]
