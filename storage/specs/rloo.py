"""RLOO: policy gradient with the other answers' mean as baseline (Ahmadian et al. 2024, arXiv:2402.14740)."""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.reinforcement import ReinforcementOptions

# Found by trial on the starter: eight answers of at most 64 tokens, 8 prompts a step.
TINY = MappingProxyType({"learning_rate": 5e-4, "batch_size": 32, "answers": 4, "answer_tokens": 64, "max_length": 512})
AIMS = MappingProxyType({"tiny": Aim(20, 1.0, 20.0, most_steps=400)})


@dataclass(frozen=True)
class RLOOOptions(ReinforcementOptions):
    """What RLOO can be told."""

    normalise: bool = option(False, "Divide advantages by their spread over the step.")


METHOD = Method(
    name="rloo",
    title="RLOO",
    summary="Try answers, reward them by models, rules or both, and make better ones likelier.",
    paper="Ahmadian et al. 2024, arXiv:2402.14740",
    rows=("prompts", "sft", "preference"),
    shape="questions",
    options=RLOOOptions,
    module="rloo",
    compares=True,
    advised=MappingProxyType({"tiny": TINY, "small": MappingProxyType({"learning_rate": 5e-5})}),
    aims=AIMS,
    longest=Aim(100, 1.0, 10.0),
)
