"""GRPO: policy gradient with advantages within the answers to one prompt (Shao et al. 2024, arXiv:2402.03300).

`dr_grpo`: Liu et al. 2025, arXiv:2503.20783; `dapo`: Yu et al. 2025, arXiv:2503.14476.
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.reinforcement import ReinforcementOptions
from storage.specs.rloo import AIMS, TINY


@dataclass(frozen=True)
class GRPOOptions(ReinforcementOptions):
    """What GRPO can be told."""

    beta: float = option(
        0.02, "Pull towards the reference: higher keeps closer to it; 0 lets go.", minimum=0.0, maximum=10.0, basic=True
    )
    loss_type: str = option(
        "dapo",
        "How tokens are averaged: over each answer (grpo), over the step (bnpo, dapo), by a constant (dr_grpo).",
        choices=("dapo", "grpo", "bnpo", "dr_grpo"),
    )
    scale_rewards: str = option(
        "group", "Divide advantages by the spread of the prompt's answers, of the whole batch, or not.",
        choices=("group", "batch", "none"),
    )  # fmt: skip


METHOD = Method(
    name="grpo",
    title="GRPO",
    summary="Try answers and learn from how each compares with the others to the same prompt.",
    paper="Shao et al. 2024, arXiv:2402.03300",
    rows=("prompts", "sft", "preference"),
    shape="questions",
    options=GRPOOptions,
    module="grpo",
    compares=True,
    advised=MappingProxyType({"tiny": TINY, "small": MappingProxyType({"learning_rate": 5e-5})}),
    aims=AIMS,
    longest=Aim(100, 1.0, 10.0),
)
