"""Continued pretraining on raw text (Gururangan et al. 2020, arXiv:2004.10964), with replay against forgetting."""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.replaying import ReplayOptions
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class PretrainOptions(ReplayOptions, TrainingOptions):
    """What continued pretraining can be told."""

    batch_size: int = option(8, "Pieces of text in one optimiser step.", minimum=1, maximum=1024, basic=True)
    max_length: int = option(1024, "Tokens of a piece; longer texts become several pieces.", minimum=16,
                             maximum=131072, basic=True)  # fmt: skip
    packing: bool = option(True, "Join short texts into full pieces: fewer steps, the same tokens; none sees another.")
    group_by_length: bool = option(
        True, "Pieces of one step are about equally long, so that little is spent on filling up; unused when packing."
    )


METHOD = Method(
    name="pretrain",
    title="Continued pretraining",
    summary="Learn from plain texts: a language, a field, a way of writing.",
    paper="Gururangan et al. 2020, arXiv:2004.10964",
    rows=("text", "sft"),
    shape="texts",
    options=PretrainOptions,
    module="pretrain",
    advised=MappingProxyType(
        {
            # Packed pieces of a tiny model: 128 tokens hold some ten of its short texts.
            "tiny": MappingProxyType({"learning_rate": 1e-3, "max_length": 128, "packing": False}),
            "small": MappingProxyType({"learning_rate": 5e-4}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(100, 3.0, 20.0)}),
    longest=Aim(60, 1.0, 3.0),
)
