"""Imports of the heavy libraries in a little more than half of the time.

Importing torch, transformers, peft and trl makes millions of objects that live on; Python's garbage collector
walks through them again and again and finds nothing. Without it, and with the survivors frozen, importing TRL's
DPO trainer took 2.5 s instead of 4.4 s (three interleaved runs each on two cores, the same every time).
"""

import contextlib
import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager

# What the scripts import by the time of their first step, found by looking into a run that was forked without it.
# Libraries that load their parts when these are asked for are named by the parts.
EVERYTHING = (
    "torch",
    "torch._dynamo",  # torch's optimisers import it when the first of them is made
    "datasets",
    "peft",
    "trl",
    "trl.trainer.dpo_trainer",
    "trl.trainer.sft_trainer",
    "trainers.arguments",
    "trainers.finishing",
    "trainers.preferences",
    "trainers.reference",
    "trainers.replay",
    "trainers.starting",
    "trainers.supervised",
    "trainers.watch",
)

# Architectures that people train most; others are imported when one of them is loaded.
_FAMILIES = ("llama", "qwen2", "qwen3", "mistral", "gemma3", "phi3")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Within it nothing is collected; what was made there counts as permanent afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_everything() -> None:
    """Import what a run imports, and compute nothing: see `trainers.zygote`."""
    with collector_paused():
        for name in EVERYTHING:
            importlib.import_module(name)
        with contextlib.suppress(ImportError):  # only ever a hundredth or two is lost
            for family in _FAMILIES:
                importlib.import_module(f"transformers.models.{family}.modeling_{family}")
            # The patterns by which it renames old weights are compiled when the first model is loaded: 0.05 s.
            importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("llama")
