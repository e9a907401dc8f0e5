"""Contrastive preference optimisation (Xu et al. 2024, arXiv:2401.08417) and SimPO, of an adapter: pairs, no reference.

Without a reference a step costs half of DPO's, and nothing but `sft_weight` or a small step size holds the model back.

sigmoid    -log s(beta (log p(chosen) - log p(rejected))), CPO's own
hinge      max(0, 1 - beta ...), SLiC (Zhao et al. 2023, arXiv:2305.10425)
ipo        squared distance to a fixed lead, per token (Azar et al. 2023, arXiv:2310.12036)
simpo      sigmoid of the lead per token, less a margin asked for; no learning of the chosen words themselves
           (Meng et al. 2024, arXiv:2405.14734)
cpo_simpo  the same with `sft_weight`
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions

LOSSES = ("sigmoid", "hinge", "ipo", "simpo", "cpo_simpo")
PER_TOKEN = frozenset({"ipo", "simpo", "cpo_simpo"})
"""Losses over the mean log-probability of an answer's tokens, so that length counts for nothing."""
USUAL_BETA = MappingProxyType({"sigmoid": 0.1, "hinge": 0.1, "ipo": 0.1, "simpo": 2.0, "cpo_simpo": 2.0})


@dataclass(frozen=True)
class CPOOptions(TrainingOptions):
    """What CPO can be told."""

    learning_rate: float = option(1e-5, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(8, "Pairs in one optimiser step.", minimum=1, maximum=1024, basic=True)
    max_length: int = option(1024, "Tokens of prompt and answer; longer ones are cut.", minimum=16, maximum=131072,
                             basic=True)  # fmt: skip
    loss_type: str = option("sigmoid", "Loss over the pairs; simpo is the method of that name.", choices=LOSSES)
    beta: float = option(
        0.0, "How sharply a pair is told apart; 0 takes the loss's usual one (0.1, of simpo 2).", minimum=0.0,
        maximum=20.0,
    )  # fmt: skip
    sft_weight: float = option(
        1.0, "Weight of learning the chosen answers word for word, which keeps the model in its language (not simpo).",
        minimum=0.0, maximum=100.0,
    )  # fmt: skip
    simpo_gamma: float = option(1.0, "Lead in reward that simpo asks for.", minimum=0.0, maximum=20.0)
    label_smoothing: float = option(
        0.0, "Share of votes believed to be wrong (not hinge, ipo).", minimum=0.0, maximum=0.49
    )

    @property
    def sharpness(self) -> float:
        """Beta, as asked for or as usual for the loss."""
        return self.beta or USUAL_BETA[self.loss_type]


METHOD = Method(
    name="cpo",
    title="CPO and SimPO",
    summary="Learn from votes without a reference: half the cost of DPO, less held back.",
    paper="Xu et al. 2024, arXiv:2401.08417; Meng et al. 2024, arXiv:2405.14734",
    rows=("preference",),
    shape="pairs",
    options=CPOOptions,
    module="cpo",
    votes=True,
    hears=MappingProxyType(dict.fromkeys(LOSSES, ("weights",))),
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 3e-4, "batch_size": 4, "max_length": 512}),
            "small": MappingProxyType({"learning_rate": 5e-5}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(40, 1.0, 6.0, most_steps=50)}),
    longest=Aim(30, 3.0, 6.0),
)
