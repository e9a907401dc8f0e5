"""The policy of a run at its first step: base, tokenizer, and the weights that are going to be trained.

Every method's script begins with `begin(run)`. TRL is given `start.model` and `start.peft_config`; one of them says
what is trained: a model whose adapter "default" is trainable, or a plain model and the adapter to make on it.
"""

import copy
from pathlib import Path
from typing import Any, NamedTuple

from trainers.models import Loaded, check_adapter, continued_adapter, load_base, merged
from trainers.run import Run
from trainers.tunings import fresh_tuning, merges, tuning_of


class Start(NamedTuple):
    """What training starts from. `previous`: the adapter that it goes on from; `loaded`: base, tokenizer, placement.

    `reference`: a frozen copy of the policy, only where every weight is trained; else PEFT turns the adapter off, or
    TRL copies it. `stacked`: `previous` is merged into the model, and what is trained lies over it.
    """

    model: Any
    peft_config: Any
    loaded: Loaded
    previous: Path | None
    reference: Any = None
    stacked: bool = False

    @property
    def tokenizer(self) -> Any:
        """The base's tokenizer, with its chat template."""
        return self.loaded.tokenizer


def begin(run: Run, reference: bool = False, labels: int | None = None) -> Start:
    """Load what the run starts from.

    `reference`: the method compares with a frozen copy of it. `labels`: the model scores or labels with so many
    numbers instead of answering. Raises BadInput or Refused with what cannot be trained on, and why.
    """
    run.phase("loading")
    spec, tuning = run.spec, tuning_of(run.spec)
    previous = Path(spec.adapter_path) if spec.adapter_path else None
    stacked = previous is not None and (merges(spec) or labels is not None)
    if previous:
        check_adapter(previous, reference=reference and not stacked)
    loaded = load_base(spec, exact=stacked or tuning == "full", labels=labels)
    run.say(loaded.placement.reason)
    if previous and not stacked:
        return Start(continued_adapter(loaded.model, previous), None, loaded, previous)
    model = loaded.model
    if previous:
        model = merged(model, previous)
        model = model if tuning == "full" else model.to(loaded.placement.dtype)
        loaded = loaded._replace(model=model)
    frozen = copy.deepcopy(model).requires_grad_(False) if reference and tuning == "full" else None
    return Start(model, fresh_tuning(run.options, model, labels is not None), loaded, previous, frozen, stacked)
