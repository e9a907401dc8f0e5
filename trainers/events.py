"""What a trainer says while it trains: metrics, progress, checkpoints and the stop, as events of the run."""

import math
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from storage.clock import now
from trainers.checkpoints import mark_complete
from trainers.failures import RunFailed
from trainers.pace import Pace
from trainers.ranks import agreed
from trainers.run import Run
from trainers.tunings import artefact_of

# The first checkpoint comes after so many seconds, each next one after twice as long, up to the second number:
# a killed run loses at most half of its work, and never more than five minutes of it.
_FIRST_CHECKPOINT, _LONGEST_WAIT = 8.0, 300.0

_NAMES = {
    "grad_norm": "gradient_norm", "mean_token_accuracy": "token_accuracy", "num_input_tokens_seen": "num_tokens",
}  # fmt: skip

_UNTOLD = ("train_runtime", "train_tokens_per_second")  # since the start; `Pace` tells them for each event


class EventWriter(TrainerCallback):
    """Follows a trainer. `first_step_at`: when the first optimiser step of this process was done."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.first_step_at: float | None = None
        self.metrics: dict[str, float] = {}
        self._pace = Pace()
        self._began = 0.0
        self._from_step = 0
        self._wait = _FIRST_CHECKPOINT
        self._saved_at = 0.0

    @property
    def seconds_to_first_step(self) -> float | None:
        """From the start of the process to the end of its first optimiser step."""
        return round(self.first_step_at - self.run.started, 3) if self.first_step_at else None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The model is loaded; the first step comes."""
        self._began = self._saved_at = now()
        self._from_step = state.global_step
        self.run.phase("training", state.global_step, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Save where it is time, stop where it was asked for."""
        moment = now()
        self.first_step_at = self.first_step_at or moment
        last = state.global_step >= state.max_steps
        if not last and moment - self._saved_at >= self._wait:
            control.should_save = True
        save, self.run.stop_requested = agreed(control.should_save, self.run.stop_requested)
        control.should_save = save
        if self.run.stop_requested:
            control.should_save = control.should_training_stop = True
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
        """A metric event; a loss that is no number ends the run."""
        values = {
            _NAMES.get(name, name): float(value)
            for name, value in logs.items()
            if isinstance(value, int | float) and name not in _UNTOLD
        }
        if "loss" not in values:  # the summary at the end
            return
        if not math.isfinite(values["loss"]):
            raise RunFailed(
                "loss-not-finite",
                f"The loss is no longer a number ({values['loss']}) at step {state.global_step}: the training has "
                "run away.",
                "Start it again with a lower learning_rate, or look for broken rows in the data.",
            )
        self.metrics = {name: round(value, 8) for name, value in values.items() if math.isfinite(value)}
        self.run.event("metric", step=state.global_step, **self.metrics, **self._pace.told(values))
        self.run.event(
            "progress",
            phase="training",
            step=state.global_step,
            total_steps=state.max_steps,
            eta_seconds=self._eta(state.global_step, state.max_steps),
        )

    def _eta(self, step: int, total: int) -> float | None:
        done = step - self._from_step
        return round((now() - self._began) / done * (total - step), 1) if done > 0 else None

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Everything of the checkpoint is written: let it count."""
        if self.run.leads:
            mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}", state.global_step)
        self._saved_at = now()
        self._wait = min(self._wait * 2, _LONGEST_WAIT)

    def finish(self, adapter_sha256: str, probe: dict[str, Any]) -> None:
        """The last event: the run is done."""
        self.run.done(
            seconds_to_first_step=self.seconds_to_first_step,
            metrics=self.metrics,
            probe=probe,
            adapter_sha256=adapter_sha256,
            artefact=artefact_of(self.run.spec),
        )
