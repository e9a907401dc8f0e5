"""Which weights a run trains (the option `tuning`), and what its result is: an adapter or a whole model.

The engine answers for plain LoRA in one batch with others, so LoRA and rsLoRA stay adapters. DoRA, IA3 and full
training become a model folder of their own, saved whole. LoRA: Hu et al. 2021, arXiv:2106.09685; rsLoRA: Kalajdzievski
2023, arXiv:2312.03732; DoRA: Liu et al. 2024, arXiv:2402.09353; QLoRA: Dettmers et al. 2023, arXiv:2305.14314; IA3: Liu
et al. 2022, arXiv:2205.05638.
"""

from importlib.util import find_spec
from typing import Any

from storage.errors import Refused
from storage.specs.run import RunSpec
from storage.specs.training import SAVED_AS_ADAPTER

ADAPTER, MODEL = "adapter", "model"
"""What a run makes: files for PEFT on the base, or a folder that loads by itself."""


def artefact_of(spec: RunSpec) -> str:
    """What the run makes, `ADAPTER` or `MODEL`, and the folder in the run that holds it."""
    return ADAPTER if tuning_of(spec) in SAVED_AS_ADAPTER else MODEL


def tuning_of(spec: RunSpec) -> str:
    """The run's tuning; runs that were frozen before there was a choice trained LoRA."""
    return str(spec.options.get("tuning", "lora"))


def merges(spec: RunSpec) -> bool:
    """Whether the previous adapter is merged into the base before the first step, and something fresh trained on it.

    So it is where stacking was asked for, and where the tuning cannot go on with a LoRA.
    """
    return spec.adapter_path is not None and (spec.start == "stack" or tuning_of(spec) not in SAVED_AS_ADAPTER)


def continues(spec: RunSpec) -> bool:
    """Whether the previous adapter itself is trained on."""
    return spec.adapter_path is not None and not merges(spec)


def refuse_impossible(tuning: str, device: str) -> None:
    """Raise Refused where this machine cannot train so."""
    if tuning != "qlora":
        return
    if device != "cuda":
        raise Refused("QLoRA needs an NVIDIA GPU, and this run would train on the processor; choose the tuning lora.")
    if find_spec("bitsandbytes") is None:
        raise Refused(
            "QLoRA needs the Python package bitsandbytes, which is not installed; run `pip install bitsandbytes`, or "
            "choose the tuning lora."
        )


def fresh_tuning(options: Any, model: Any, labels: bool = False) -> Any:
    """PEFT's configuration of what is trained on `model`; None where that is every weight.

    `labels`: the model has a head that scores or labels, which is trained and saved beside the adapter.
    """
    if options.tuning == "full":
        return None
    task = "SEQ_CLS" if labels else "CAUSAL_LM"
    return _ia3(model, task) if options.tuning == "ia3" else _lora(options, task)


def _lora(options: Any, task: str) -> Any:
    """A LoRA on all linear layers, the head excluded."""
    from peft import LoraConfig

    return LoraConfig(
        r=options.lora_r,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        use_rslora=options.tuning == "rslora",
        use_dora=options.tuning == "dora",
        target_modules="all-linear",
        bias="none",
        task_type=task,
    )


def _ia3(model: Any, task: str) -> Any:
    """IA3 on keys, values and the way out of the feed-forward, as in the paper, or on all linear layers."""
    from peft import IA3Config

    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    paper = {"k_proj", "v_proj", "down_proj"}
    if paper <= names:
        return IA3Config(target_modules=sorted(paper), feedforward_modules=["down_proj"], task_type=task)
    return IA3Config(target_modules="all-linear", feedforward_modules=[], task_type=task)
