"""Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290) of an adapter."""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class DPOOptions(TrainingOptions):
    """What DPO can be told."""

    learning_rate: float = option(2e-5, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(8, "Pairs in one optimiser step.", minimum=1, maximum=1024, basic=True)
    max_length: int = option(1024, "Tokens of prompt and answer; longer ones are cut.", minimum=16, maximum=131072,
                             basic=True)  # fmt: skip
    beta: float = option(
        0.1, "Pull towards the reference: higher keeps closer to it.", minimum=0.001, maximum=10.0, basic=True
    )
    loss_type: str = option(
        "sigmoid", "Loss over the pairs.", choices=("sigmoid", "hinge", "ipo", "robust", "apo_zero", "apo_down")
    )
    label_smoothing: float = option(
        0.0, "Share of votes believed to be wrong (robust loss; the others do not use it).", minimum=0.0, maximum=0.49
    )
    margin_scale: float = option(
        0.0, "Lead in reward asked for per unit of a pair's margin; 0 ignores margins (sigmoid loss).",
        minimum=0.0, maximum=10.0,
    )  # fmt: skip


METHOD = Method(
    name="dpo",
    title="DPO",
    summary="Learn from votes: this answer rather than that.",
    paper="Rafailov et al. 2023, arXiv:2305.18290",
    rows=("preference",),
    shape="pairs",
    options=DPOOptions,
    module="dpo",
    votes=True,
    compares=True,
    # Found by trial on the starter: 20, 40 and 120 votes, several seeds each.
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 3e-4, "beta": 0.3, "batch_size": 4, "max_length": 512}),
            "small": MappingProxyType({"learning_rate": 1e-4}),
        }
    ),
    # Most: DPO has no end of its own; on the starter 40 steps moved the style by 35 to 41 points and cost at most 2
    # points of correctness, 90 steps of the same cost 65.
    aims=MappingProxyType({"tiny": Aim(40, 1.0, 6.0, most_steps=50)}),
    longest=Aim(30, 3.0, 6.0),
)
