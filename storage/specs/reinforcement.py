"""Options that RLOO and GRPO share: how many answers are tried, how long they are, and what rewards them."""

from dataclasses import dataclass

from storage.errors import BadInput
from storage.specs.options import option
from storage.specs.rewards import HELP, parse_rules
from storage.specs.training import TrainingOptions


@dataclass(frozen=True)
class ReinforcementOptions(TrainingOptions):
    """What training by rewards can be told."""

    epochs: float = option(1.0, "Times that every prompt is asked.", minimum=0.01, maximum=1000, basic=True)
    learning_rate: float = option(1e-5, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(
        32, "Answers in one optimiser step, a multiple of the answers to each prompt.", minimum=2, maximum=4096,
        basic=True,
    )  # fmt: skip
    max_length: int = option(1024, "Tokens of prompt and answer; longer prompts are left out.", minimum=16,
                             maximum=131072, basic=True)  # fmt: skip
    tuning: str = option(
        "lora",
        "Which weights are trained. lora: a small adapter; rslora: the same with a scale for high ranks; dora: closer "
        "to full training, slower; qlora: lora on a 4-bit base (needs a GPU); ia3: very few weights. dora and ia3 make "
        "a whole model instead of an adapter.",
        choices=("lora", "rslora", "dora", "qlora", "ia3"),
    )
    rules: str = option("", HELP, basic=True)
    model_weight: float = option(
        1.0, "Weight of each reward model beside the rules; it scores the average answer 0.", minimum=0.0, maximum=100.0
    )
    answers: int = option(8, "Answers tried to each prompt, which are held against each other.", minimum=2, maximum=64,
                          basic=True)  # fmt: skip
    answer_tokens: int = option(256, "Longest answer that is tried, in tokens.", minimum=4, maximum=32768, basic=True)
    temperature: float = option(1.0, "How freely answers are tried.", minimum=0.05, maximum=2.0)
    beta: float = option(
        0.05, "Pull towards the reference: higher keeps closer to it; 0 lets go.", minimum=0.0, maximum=10.0, basic=True
    )
    reuse: int = option(1, "Optimiser passes over the same tried answers.", minimum=1, maximum=16)

    def __post_init__(self) -> None:
        """Raise BadInput for rules that are not understood, and for a batch that splits a prompt's answers."""
        parse_rules(self.rules)
        if self.batch_size % self.answers:
            below = max(self.answers, self.batch_size // self.answers * self.answers)
            raise BadInput(
                f'Option "batch_size" ({self.batch_size}) must be a multiple of "answers" ({self.answers}); '
                f"choose {below}."
            )
