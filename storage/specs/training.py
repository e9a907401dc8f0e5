"""Options that all training methods share: how long, how strongly, which weights, what is held out.

A method's options inherit these; a field that is named again there keeps its place and gets the new default and help.
LoRA: Hu et al. 2021, arXiv:2106.09685; rsLoRA: Kalajdzievski 2023, arXiv:2312.03732; DoRA: Liu et al. 2024,
arXiv:2402.09353; QLoRA: Dettmers et al. 2023, arXiv:2305.14314; IA3: Liu et al. 2022, arXiv:2205.05638.
"""

from dataclasses import dataclass

from storage.specs.options import option
from storage.specs.reporting import TRACKERS

TUNINGS = ("lora", "rslora", "dora", "qlora", "ia3", "full")
"""Which weights are trained; `trainers/tunings.py` knows how."""

SAVED_AS_ADAPTER = frozenset({"lora", "rslora", "qlora"})
"""Tunings whose result is an adapter on the base, which answers in one batch with others; the others' is a model."""


@dataclass(frozen=True)
class TrainingOptions:
    """What every method can be told; the defaults suit an adapter on a base of a billion weights or more."""

    epochs: float = option(3.0, "Times that every row is seen.", minimum=0.01, maximum=100, basic=True)
    learning_rate: float = option(2e-4, "Peak step size.", minimum=1e-8, maximum=0.1, basic=True)
    batch_size: int = option(8, "Rows in one optimiser step.", minimum=1, maximum=1024, basic=True)
    max_length: int = option(1024, "Tokens of a row; longer rows are cut.", minimum=16, maximum=131072, basic=True)
    tuning: str = option(
        "lora",
        "Which weights are trained. lora: a small adapter; rslora: the same with a scale for high ranks; dora: "
        "closer to full training, slower; qlora: lora on a 4-bit base (needs a GPU); ia3: very few weights, at about "
        "ten times the step size; full: every weight, at a tenth of it and with the most memory. dora, ia3 and full "
        "make a whole model instead of an adapter.",
        choices=TUNINGS,
    )
    lora_r: int = option(16, "Rank of a fresh adapter.", minimum=1, maximum=512)
    lora_alpha: int = option(32, "Scale of a fresh adapter, divided by its rank.", minimum=1, maximum=2048)
    lora_dropout: float = option(0.0, "Share of adapter inputs dropped in training.", minimum=0.0, maximum=0.9)
    warmup: float = option(0.1, "Share of the steps in which the step size rises.", minimum=0.0, maximum=0.9)
    scheduler: str = option(
        "cosine", "How the step size falls after the warm-up.", choices=("cosine", "linear", "constant")
    )
    weight_decay: float = option(0.0, "Pull of the weights towards zero.", minimum=0.0, maximum=1.0)
    held_out: float = option(
        0.1, "Share of the rows that measure and never train, from 50 rows on.", minimum=0.0, maximum=0.5
    )
    eval_every: int = option(
        0, "Steps between two looks at the held-out rows; 0 chooses so that looking costs little.",
        minimum=0, maximum=1_000_000,
    )  # fmt: skip
    patience: int = option(
        0, "End early after so many looks in which nothing became better; 0 never does.", minimum=0, maximum=1000
    )
    keep: str = option(
        "best",
        "Which weights become the model: those best on the held-out rows, or the last.",
        choices=("best", "last"),
    )
    report_to: str = option(
        "none",
        "Where the metrics go beside this page: tensorboard (files in the run folder), trackio or wandb, each a "
        "package to be installed.",
        choices=TRACKERS,
    )
    max_steps: int = option(0, "Stop after this many steps; 0 means by epochs.", minimum=0, maximum=10_000_000)
    seed: int = option(0, "Seed of order and initial weights.", minimum=0, maximum=2**31 - 1)
