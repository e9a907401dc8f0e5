"""Looks at the held-out rows while a run trains: measures, keeps the best weights, stops where nothing improves.

A look is the trainer's own `evaluate`, so that what is compared is the method's own loss. How often, and at how many
rows, is chosen so that all looks together cost two or three hundredths of the training (three looks at sixteen rows are
made even where that is more: below some 1,600 rows that are learnt, each time counted).
Everything that is remembered lies in the trainer's state or on the disk, so a resumed run goes on alike.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback

from trainers.asking import Messages, ask
from trainers.best import Best, keep, restore
from trainers.holdout import Parts
from trainers.run import Run

MOST_WATCHED, FEWEST_WATCHED = 64, 16
"""Rows measured at each look; all held-out rows are measured once, at the end."""
_SHARE, _FEWEST, _MOST = 0.02, 3, 10
_FORWARD = 1.5  # rows measured in the time of one learnt: 2 where a frozen base is large, 1.3 measured on a tiny one
_SAMPLES, _SAMPLE_TOKENS = 3, 40
# What answers may cost: a share of the training, or some seconds; of the processor, so that it does not depend on what
# else the machine does.
_SAMPLE_SHARE, _SAMPLE_SECONDS = 0.01, 5.0
_UNTOLD = ("runtime", "per_second", "preparation_time", "num_tokens")


class Watch(TrainerCallback):
    """Follows a trainer through the held-out rows.

    `prepared`: these rows as the trainer's own collator takes them; `prompts`: what the model is asked at each look.
    `measure`: the value of `evaluate` that tells better from worse, with `higher` where more is better.
    """

    def __init__(
        self,
        run: Run,
        parts: Parts,
        prepared: Sequence[dict[str, Any]],
        prompts: Sequence[Messages] = (),
        measure: str = "eval_loss",
        higher: bool = False,
    ) -> None:
        self.run = run
        self.parts = parts
        most = MOST_WATCHED if measure == "eval_reward" else rows_watched(run.options, len(parts.learnt))
        self.rows = sorted(prepared[:most], key=_tokens)  # alike in length beside each other: less padding
        self.stopped_early = False
        self.best: Best | None = None
        self.last: Best | None = None
        self._prompts = list(prompts[:_SAMPLES])
        self._measure = measure
        self._sign = -1.0 if higher else 1.0
        self._folder = run.folder / "checkpoints" / "best"
        self._began = 0.0
        self._sampling = 0.0

    @property
    def dataset(self) -> Any:
        """What the trainer evaluates on; None where nothing is held out."""
        from datasets import Dataset

        return Dataset.from_list(self.rows) if self.rows else None

    @property
    def metrics(self) -> dict[str, float]:
        """What is told of the held-out rows beside the last step's metrics."""
        return {} if self.best is None else {"held_out_best": self.best.value, "best_step": float(self.best.step)}

    @property
    def reward(self) -> float | None:
        """The held-out reward of the weights that are kept, where that is what was looked at."""
        kept = self.best if self.run.options.keep == "best" else self.last
        return kept.value if kept is not None and self._measure == "eval_reward" else None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember what the looks before a resume have found."""
        self._began = time.process_time()
        self.best = self._best_of(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        """Look where it is time, and at the last step."""
        batch = args.per_device_train_batch_size * args.gradient_accumulation_steps
        every = steps_between(self.run.options, state.max_steps, batch, len(self.rows))
        if every and (state.global_step % every == 0 or state.global_step >= state.max_steps):
            control.should_evaluate = True
        return control

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, Any], **more: Any) -> Any:
        """Tell what was found; keep the weights where they are the best so far; stop where patience is at an end."""
        self.best, self.last = self._best_of(state), next(reversed(self._looks(state)), None)
        if state.is_world_process_zero:  # of several processes one speaks and writes
            self._tell(state.global_step, metrics)
            self._sample(more["model"], more["processing_class"], state.global_step)
            if self.best is not None and self.run.options.keep == "best" and self._best_now(state):
                keep(self._folder, more["model"], self.best)
        if self._tired(state):
            self.stopped_early = True
            control.should_training_stop = True
        return control

    def take_best(self, trainer: Any) -> None:
        """Go back to the best weights, where they are wanted and others came after them."""
        step = trainer.state.global_step
        if self.best is None or self.run.options.keep != "best" or self.best.step >= step:
            return
        if restore(self._folder, trainer.accelerator.unwrap_model(trainer.model), self.best):
            early = f"Nothing had become better for {self.run.options.patience} looks. " if self.stopped_early else ""
            self.run.say(
                f"{early}The weights of step {self.best.step} are kept: their held-out measure was the best "
                f"({self.best.value:.4f}), of {step} steps.",
                best_step=self.best.step,
            )
        else:
            self.run.warn(f"The weights of step {self.best.step} were the best, but are gone; the last ones are kept.")
            self.best = None

    def _tell(self, step: int, metrics: dict[str, Any]) -> None:
        told = {_name(name): float(value) for name, value in metrics.items() if _told(name, value)}
        if told:
            self.run.event("metric", step=step, **told)

    def _looks(self, state: Any) -> list[Best]:
        """All looks so far, in order."""
        return [
            Best(int(entry["step"]), float(entry[self._measure]))
            for entry in state.log_history
            if self._measure in entry and math.isfinite(entry[self._measure])
        ]

    def _best_of(self, state: Any) -> Best | None:
        return min(self._looks(state), key=lambda look: self._sign * look.value, default=None)

    def _best_now(self, state: Any) -> bool:
        """Whether this moment is the best so far and more is to come; the last weights are at hand anyway."""
        here, end = int(state.global_step), int(state.max_steps)
        return self.best is not None and self.best.step == here < end

    def _tired(self, state: Any) -> bool:
        patience = int(self.run.options.patience)
        looks = self._looks(state)
        if not patience or self.best is None or state.global_step >= state.max_steps:
            return False
        return sum(look.step > self.best.step for look in looks) >= patience

    def _sample(self, model: Any, tokenizer: Any, step: int) -> None:
        """Ask a few prompts, the same ones each time; left out where answering begins to cost more than it shows."""
        begun = time.process_time()
        allowed = max(_SAMPLE_SECONDS, _SAMPLE_SHARE * (begun - self._began))
        if not self._prompts or self._sampling > allowed:
            return
        for prompt, text in zip(self._prompts, ask(model, tokenizer, self._prompts, _SAMPLE_TOKENS), strict=True):
            self.run.event("sample", step=step, prompt=prompt[-1].get("content"), text=text)
        self._sampling += time.process_time() - begun


def rows_watched(options: Any, learnt: int) -> int:
    """Held-out rows measured at each look: as many as the fewest looks can afford; `learnt`: rows that are trained on.

    Where somebody says how often to look, what that costs is their choice.
    """
    if options.eval_every:
        return MOST_WATCHED
    seen = options.max_steps * options.batch_size or options.epochs * learnt
    return max(FEWEST_WATCHED, min(MOST_WATCHED, int(_SHARE * _FORWARD * seen / _FEWEST)))


def steps_between(options: Any, steps: int, batch: int, rows: int) -> int:
    """Steps from one look to the next; 0 where there is nothing to look at."""
    if not rows:
        return 0
    if options.eval_every:
        return int(options.eval_every)
    affordable = int(_SHARE * _FORWARD * steps * batch / rows)
    return max(1, math.ceil(steps / min(_MOST, max(_FEWEST, affordable))))


def _tokens(row: dict[str, Any]) -> int:
    """Length of a prepared row: of all its lists."""
    return sum(len(value) for value in row.values() if isinstance(value, list))


def _told(name: str, value: Any) -> bool:
    wanted = name.startswith("eval_") and not any(word in name for word in _UNTOLD)
    return wanted and isinstance(value, int | float) and math.isfinite(value)


def _name(name: str) -> str:
    return {"mean_token_accuracy": "held_out_token_accuracy"}.get(
        name.removeprefix("eval_"), f"held_out_{name.removeprefix('eval_')}"
    )
