"""Supervised fine-tuning (Ouyang et al. 2022, arXiv:2203.02155) on conversations."""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.replaying import ReplayOptions
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class SFTOptions(ReplayOptions, TrainingOptions):
    """What SFT can be told. Noise: NEFTune, Jain et al. 2023, arXiv:2310.05914."""

    loss_on: str = option(
        "assistant",
        "What is learnt: all the assistant's words, its last answer only (completion), or every token.",
        choices=("assistant", "completion", "all"),
    )
    packing: bool = option(False, "Join short rows into full ones: fewer steps, the same tokens.")
    group_by_length: bool = option(
        True, "Rows of one step are about equally long, so that little is spent on filling up; unused when packing."
    )
    neftune_alpha: float = option(
        0.0, "Noise on the words' vectors against learning by heart (NEFTune); 5 is usual, 0 is off.",
        minimum=0.0, maximum=50.0,
    )  # fmt: skip


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
