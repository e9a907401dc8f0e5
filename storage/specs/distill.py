"""Distillation: a student learns to answer as a teacher does.

By answers: the teacher answers every prompt, the student learns these answers (Kim and Rush 2016, "Sequence-level
knowledge distillation", arXiv:1606.07947). By logits: the student is held against the teacher's whole distribution at
every token of these answers (Hinton et al. 2015, arXiv:1503.02531, with the divergence of Agarwal et al. 2024). On
policy: the same at the student's own answers (GKD, Agarwal et al. 2024, arXiv:2306.13649).
"""

from dataclasses import dataclass
from types import MappingProxyType

from storage.specs.method import Aim, Method
from storage.specs.options import option
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class DistillOptions(TrainingOptions):
    """What distillation can be told."""

    by: str = option(
        "logits",
        "answers: learn the teacher's words, which works with any teacher; logits: learn how likely it finds every "
        "word, which needs the same vocabulary and learns more from the same prompts; on_policy: the same at the "
        "student's own words, slowest.",
        choices=("answers", "logits", "on_policy"),
        basic=True,
    )  # fmt: skip
    answer_tokens: int = option(
        256, "Longest answer in tokens; longer ones are left out.", minimum=1, maximum=8192, basic=True
    )
    sampling: float = option(
        1.0, "Temperature at which the teacher answers; 0 always takes its likeliest word.", minimum=0.0, maximum=2.0
    )
    beta: float = option(
        0.0,
        "Which way logits are compared: 0 covers all that the teacher might say, 1 keeps to what it is surest of, "
        "0.5 lies between.",
        minimum=0.0,
        maximum=1.0,
    )
    softness: float = option(
        1.0, "Temperature of both distributions: above 1 unlikely words count for more.", minimum=0.1, maximum=10.0
    )


METHOD = Method(
    name="distill",
    title="Distillation",
    summary="Learn to answer as a teacher does.",
    paper="Hinton et al. 2015, arXiv:1503.02531; Agarwal et al. 2024, arXiv:2306.13649",
    rows=("prompts", "sft"),
    shape="questions",
    options=DistillOptions,
    module="distill",
    # Found by trial on the starter with a teacher of terse answers.
    advised=MappingProxyType(
        {
            "tiny": MappingProxyType({"learning_rate": 1e-3, "max_length": 512, "answer_tokens": 96}),
            "small": MappingProxyType({"learning_rate": 5e-4}),
        }
    ),
    aims=MappingProxyType({"tiny": Aim(120, 3.0, 20.0)}),
)
