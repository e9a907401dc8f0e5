"""Kahneman-Tversky optimisation (Ethayarajh et al. 2024, arXiv:2402.01306) of an adapter: answers judged one by one.

It needs no pairs, only good answers and bad ones, to any prompts. `apo_zero_unpaired` (D'Oosterlinck et al. 2024,
arXiv:2408.06266) leaves out the estimate of how far the model has moved from its reference.
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class KTOOptions(TrainingOptions):
    """What KTO can be told."""

    learning_rate: float = option(2e-5, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(
        8, "Answers in one optimiser step; with fewer than four the pull to the reference is a guess.", minimum=2,
        maximum=1024, basic=True,
    )  # fmt: skip
    max_length: int = option(1024, "Tokens of prompt and answer; longer ones are cut.", minimum=16, maximum=131072,
                             basic=True)  # fmt: skip
    beta: float = option(
        0.1, "Pull towards the reference: higher keeps closer to it.", minimum=0.001, maximum=10.0, basic=True
    )
    loss_type: str = option(
        "kto", "Loss over the answers; apo_zero_unpaired needs less time.", choices=("kto", "apo_zero_unpaired")
    )
    desirable_weight: float = option(
        0.0, "Weight of a good answer; 0 sets it so that all good ones weigh as much as all bad ones.", minimum=0.0,
        maximum=100.0,
    )  # fmt: skip
    undesirable_weight: float = option(1.0, "Weight of a bad answer.", minimum=0.01, maximum=100.0)


METHOD = Method(
    name="kto",
    title="KTO",
    summary="Learn from thumbs: this answer is good, that one is bad.",
    paper="Ethayarajh et al. 2024, arXiv:2402.01306",
    rows=("preference",),
    shape="thumbs",
    options=KTOOptions,
    module="kto",
    votes=True,
    compares=True,
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 3e-4, "beta": 0.3, "batch_size": 8, "max_length": 512}),
            "small": MappingProxyType({"learning_rate": 1e-4}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(40, 1.0, 6.0, most_steps=60)}),
    longest=Aim(30, 3.0, 6.0),
    hears=MappingProxyType({"kto": ("weights",), "apo_zero_unpaired": ("weights",)}),
)
