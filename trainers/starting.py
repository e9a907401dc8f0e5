"""The policy of a run at its first step: base, tokenizer, and the weights that are going to be trained.

Every method's script begins with `begin(run)`. TRL is given `start.model` and `start.peft_config`; one of them says
what is trained: a model whose adapter "default" is trainable, or a plain model and the adapter to make on it.
"""

from pathlib import Path
from typing import Any, NamedTuple

from trainers.models import Loaded, check_adapter, continued_adapter, fresh_adapter, load_base
from trainers.run import Run


class Start(NamedTuple):
    """What training starts from. `previous`: the adapter that it goes on from; `loaded`: base, tokenizer, placement."""

    model: Any
    peft_config: Any
    loaded: Loaded
    previous: Path | None

    @property
    def tokenizer(self) -> Any:
        """The base's tokenizer, with its chat template."""
        return self.loaded.tokenizer


def begin(run: Run, reference: bool = False) -> Start:
    """Load what the run starts from; `reference`: the method compares with a frozen copy of it.

    Raises BadInput or Refused with what cannot be trained on, and why.
    """
    run.phase("loading")
    previous = Path(run.spec.adapter_path) if run.spec.adapter_path else None
    if previous:
        check_adapter(previous, reference=reference)
    loaded = load_base(run.spec)
    run.say(loaded.placement.reason)
    if previous:
        return Start(continued_adapter(loaded.model, previous), None, loaded, previous)
    return Start(loaded.model, fresh_adapter(run.options), loaded, None)
