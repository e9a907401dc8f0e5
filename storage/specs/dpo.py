"""Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290) of an adapter, with the losses made of it.

The losses are TRL's. With d the difference of the log-ratios of policy to reference, c and r those of the chosen and
of the rejected answer:

sigmoid       -log s(beta d), the paper's
hinge         max(0, 1 - beta d), SLiC (Zhao et al. 2023, arXiv:2305.10425): pairs that are clear teach no more
ipo           (d per token - 1 / 2 beta)^2 (Azar et al. 2023, arXiv:2310.12036): a lead of fixed size, no endless push
exo_pair      reverse KL to the votes (Ji et al. 2024, arXiv:2402.00856)
nca_pair      noise contrastive, absolute likelihoods (Chen et al. 2024, arXiv:2402.05369)
robust        sigmoid freed of a known share of wrong votes (Chowdhury et al. 2024, arXiv:2403.00409)
bco_pair      a classifier of single answers (Jung et al. 2024, arXiv:2404.04656)
sppo_hard     self-play with hard wins (Wu et al. 2024, arXiv:2405.00675)
aot           sorted leads of a batch (Melnyk et al. 2024, arXiv:2406.05882); aot_unpaired forgets who was beside whom
apo_zero      raises c and lowers r; apo_down lowers both, r more (D'Oosterlinck et al. 2024, arXiv:2408.06266)
discopop      found by a language model (Lu et al. 2024, arXiv:2406.08414)
sigmoid_norm  sigmoid of the difference per token, so that length counts for nothing (as Tulu 3, arXiv:2411.15124)
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions

LOSSES = (
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired",
    "apo_zero", "apo_down", "discopop", "sigmoid_norm",
)  # fmt: skip

SMOOTHED = ("robust", "exo_pair", "aot", "aot_unpaired")
"""The losses that use `label_smoothing`."""


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
    loss_type: str = option("sigmoid", "Loss over the pairs; sigmoid is the usual one.", choices=LOSSES)
    label_smoothing: float = option(
        0.0, f"Share of votes believed to be wrong (used by the losses {', '.join(SMOOTHED)}).", minimum=0.0,
        maximum=0.49,
    )  # fmt: skip
    discopop_tau: float = option(
        0.2, "How sharply the loss discopop changes over where both answers are level; below 0.1 small steps stay "
        "where they begin (its paper used 0.05).", minimum=0.01, maximum=10.0,
    )  # fmt: skip
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
    hears=MappingProxyType({"sigmoid": ("margins", "weights", "ties")}),
)
