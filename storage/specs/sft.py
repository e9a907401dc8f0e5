"""Supervised fine-tuning (Ouyang et al. 2022, arXiv:2203.02155) of an adapter."""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class SFTOptions(TrainingOptions):
    """What SFT can be told."""

    loss_on: str = option(
        "assistant", "What is learnt: the assistant's words only, or every token.", choices=("assistant", "all")
    )
    packing: bool = option(False, "Join short rows into full ones: fewer steps, the same tokens.")


METHOD = Method(
    name="sft",
    title="SFT",
    summary="Learn from examples of good answers.",
    paper="Ouyang et al. 2022, arXiv:2203.02155",
    rows=("sft",),
    shape="conversations",
    options=SFTOptions,
    module="sft",
    # Found by trial on the starter: 60 rows, several seeds each.
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 5e-4, "max_length": 512}),
            "small": MappingProxyType({"learning_rate": 5e-4}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(120, 3.0, 20.0)}),
)
