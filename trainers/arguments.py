"""Arguments that every TRL trainer gets: options of the method in the trainer's words, and what fits the machine."""

import math
from typing import Any, NamedTuple

from storage.specs.advice import SMALL
from trainers.models import Loaded
from trainers.ranks import world
from trainers.reporting import tracker_arguments
from trainers.run import Run

# Tokens that go through the model at once; more rows of a step are taken one after another. The smaller number is
# for large models, whose activations are what fills the memory.
_TOKENS_AT_ONCE, _TOKENS_AT_ONCE_LARGE = 16_384, 2_048
_MOST_METRICS = 1_000  # events of a run; longer runs log every so many steps


class Plan(NamedTuple):
    """How the rows of an optimiser step are shared out. `steps`: of the whole run; `at_once`: rows in memory."""

    at_once: int
    accumulate: int
    steps: int


def plan(options: Any, loaded: Loaded, rows: int, longest: int, sequences: int = 1) -> Plan:
    """Share the batch out so that it fits; `sequences`: how many a row makes (a preference makes two)."""
    budget = _TOKENS_AT_ONCE_LARGE if loaded.parameters >= SMALL else _TOKENS_AT_ONCE
    fits = max(1, budget // max(1, longest * sequences))
    share = max(1, options.batch_size // world())  # of the batch, for each process of the run
    at_once = max(size for size in range(1, share + 1) if share % size == 0 and size <= fits)
    steps = options.max_steps or max(1, math.ceil(options.epochs * math.ceil(rows / options.batch_size)))
    return Plan(at_once, share // at_once, steps)


def trainer_arguments(run: Run, options: Any, loaded: Loaded, shares: Plan) -> dict[str, Any]:
    """Keyword arguments of `SFTConfig` and `DPOConfig`."""
    placement = loaded.placement
    return {
        "output_dir": str(run.folder / "checkpoints"),
        "num_train_epochs": options.epochs,
        "max_steps": options.max_steps or -1,
        "per_device_train_batch_size": shares.at_once,
        "per_device_eval_batch_size": shares.at_once,
        "gradient_accumulation_steps": shares.accumulate,
        "learning_rate": options.learning_rate,
        "warmup_steps": options.warmup,  # below 1: a share of the steps
        "lr_scheduler_type": "constant_with_warmup" if options.scheduler == "constant" else options.scheduler,
        "weight_decay": options.weight_decay,
        "seed": options.seed,
        "data_seed": options.seed,
        "max_length": None,  # rows are cut in trainers/data.py, where it is counted
        "bf16": placement.autocast == "bf16",
        "fp16": placement.autocast == "fp16",
        "use_cpu": placement.device == "cpu",
        "gradient_checkpointing": loaded.parameters >= SMALL,  # saves memory, costs a quarter of the time
        "dataloader_pin_memory": placement.device == "cuda",
        "logging_steps": max(1, shares.steps // _MOST_METRICS),
        "logging_first_step": True,
        "include_num_input_tokens_seen": "non_padding",  # not every method's trainer counts by itself
        "logging_nan_inf_filter": False,  # it would hide a broken loss behind the average of the others
        "save_strategy": "no",  # trainers/events.py says when
        "save_total_limit": 2,
        **tracker_arguments(run, options.report_to),
        "disable_tqdm": True,
    }
