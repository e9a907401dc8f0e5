"""Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290) of a LoRA adapter."""

from dataclasses import dataclass

from storage.specs.options import option


@dataclass(frozen=True)
class DPOOptions:
    """What DPO can be told; the defaults suit an adapter on a base of a billion weights or more."""

    epochs: float = option(3.0, "Times that every pair is seen.", minimum=0.01, maximum=100, basic=True)
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
    lora_r: int = option(16, "Rank of a fresh adapter.", minimum=1, maximum=512)
    lora_alpha: int = option(32, "Scale of a fresh adapter, divided by its rank.", minimum=1, maximum=2048)
    lora_dropout: float = option(0.0, "Share of adapter inputs dropped in training.", minimum=0.0, maximum=0.9)
    warmup: float = option(0.1, "Share of the steps in which the step size rises.", minimum=0.0, maximum=0.9)
    scheduler: str = option(
        "cosine", "How the step size falls after the warm-up.", choices=("cosine", "linear", "constant")
    )
    weight_decay: float = option(0.0, "Pull of the weights towards zero.", minimum=0.0, maximum=1.0)
    max_steps: int = option(0, "Stop after this many steps; 0 means by epochs.", minimum=0, maximum=10_000_000)
    seed: int = option(0, "Seed of order and initial weights.", minimum=0, maximum=2**31 - 1)
