"""A reward model: a score for an answer, learnt from which of two answers is better, or from single scores.

Pairs: the loss of Bradley and Terry, with margins as in Llama 2 (Touvron et al. 2023, arXiv:2307.09288, eq. 2); rewards
are kept around zero as in Eisenstein et al. 2023 (arXiv:2312.09244, eq. 2). Single scores: the squared error.
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class RewardOptions(TrainingOptions):
    """What a reward model can be told."""

    learning_rate: float = option(1e-4, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(8, "Pairs or answers in one optimiser step.", minimum=1, maximum=1024, basic=True)
    max_length: int = option(1024, "Tokens of prompt and answer; longer ones are cut.", minimum=16, maximum=131072,
                             basic=True)  # fmt: skip
    tuning: str = option(
        "lora",
        "Which weights are trained beside the head that scores. lora: a small adapter; rslora: the same with a scale "
        "for high ranks; qlora: lora on a 4-bit base (needs a GPU).",
        choices=("lora", "rslora", "qlora"),
    )
    learn_from: str = option(
        "auto", "Judgements to learn from: pairs, single scores, or auto: pairs where there are at least four.",
        choices=("auto", "pairs", "scores"), basic=True,
    )  # fmt: skip
    margin_scale: float = option(
        0.0, "Lead in reward asked for per unit of a pair's margin; 0 ignores margins.", minimum=0.0, maximum=10.0
    )
    centre: float = option(0.01, "Pull of the rewards towards zero.", minimum=0.0, maximum=1.0)


METHOD = Method(
    name="reward",
    title="Reward model",
    summary="Learn to score answers from votes; it then filters data, rates models and rewards training.",
    paper="Bradley and Terry 1952; Touvron et al. 2023, arXiv:2307.09288",
    rows=("preference",),
    shape="judged",
    options=RewardOptions,
    module="reward",
    votes=True,
    makes="scores",
    # Found by trial on the starter: 200 pairs of styles, three seeds.
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 1e-3, "max_length": 512}),
            "small": MappingProxyType({"learning_rate": 3e-4}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(60, 2.0, 10.0)}),
    longest=Aim(60, 1.0, 4.0),
)
