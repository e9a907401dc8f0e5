"""Odds ratio preference optimisation (Hong et al. 2024, arXiv:2403.07691) of an adapter.

It learns the chosen answers as SFT does, and at once that they are likelier than the rejected ones: one training in
place of two, and no reference.
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class ORPOOptions(TrainingOptions):
    """What ORPO can be told."""

    learning_rate: float = option(5e-5, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(8, "Pairs in one optimiser step.", minimum=1, maximum=1024, basic=True)
    max_length: int = option(1024, "Tokens of prompt and answer; longer ones are cut.", minimum=16, maximum=131072,
                             basic=True)  # fmt: skip
    beta: float = option(
        0.1, "Weight of preferring beside learning the chosen answers (lambda in the paper).", minimum=0.0,
        maximum=20.0, basic=True,
    )  # fmt: skip


METHOD = Method(
    name="orpo",
    title="ORPO",
    summary="Learn good answers and prefer them, in one training.",
    paper="Hong et al. 2024, arXiv:2403.07691",
    rows=("preference",),
    shape="pairs",
    options=ORPOOptions,
    module="orpo",
    votes=True,
    hears=MappingProxyType({"": ("weights",)}),
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 3e-4, "batch_size": 4, "max_length": 512}),
            "small": MappingProxyType({"learning_rate": 1e-4}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(40, 1.0, 6.0, most_steps=50)}),
    longest=Aim(30, 3.0, 6.0),
)
