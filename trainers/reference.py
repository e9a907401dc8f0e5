"""What a preference run is compared with, and the proof that it is the right thing.

TRL keeps the reference of a continued adapter as a second adapter, "ref", which it fills by matching names. Where
that goes wrong nothing raises: the run trains against something else. So the weights are compared before the first
step, the first loss must be what equal models give (ln 2 for DPO; `pair_loss.first_loss`), and from the first step to
the last the copy must be what the round before has saved, to the bit.
"""

from pathlib import Path
from typing import Any

from storage.errors import BadInput
from storage.specs.run import RunSpec
from trainers.engine.adapters import adapter_weights
from trainers.events import EventWriter
from trainers.failures import RunFailed
from trainers.kept_reference import KeptReference
from trainers.pair_loss import FirstLoss
from trainers.run import Run
from trainers.tunings import continues, tuning_of

# Largest log-ratio of policy to reference at the first step, in nats: rounding of bfloat16 over a long answer stays
# below the larger one; float32 below the smaller.
_TOLERANCE = {None: 1e-3, "bf16": 0.3, "fp16": 0.1}


def check_reference(spec: RunSpec, title: str = "DPO") -> None:
    """Refuse a run that asks for a reference other than the model that it starts from; `title`: of the method."""
    wanted = "previous" if spec.adapter_path else "base"
    if spec.reference != wanted:
        raise BadInput(
            f'The run asks for the reference "{spec.reference}", but {title} compares with the model that it starts '
            f'from, which is "{wanted}" here.'
        )


class PreferenceWriter(EventWriter):
    """Events of a run with a reference; checks it before the first step, and the first loss.

    `kept`: what the reference has said, which goes into checkpoints and comes out of the one that is resumed.
    """

    def __init__(self, run: Run, beta: float, first: FirstLoss | None) -> None:
        """`first`: what the first loss must be; None where that depends on what the first rows say."""
        super().__init__(run)
        self.kept = KeptReference()
        self._beta = beta
        self._first = first

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Before the first step: policy and reference hold the same weights."""
        super().on_train_begin(args, state, control, **more)
        # Where every weight is trained, the reference is a copy of them all, and the first loss alone is looked at.
        if state.global_step == 0 and tuning_of(self.run.spec) != "full":
            compare_weights(more["model"], continued=continues(self.run.spec))
        self._compare_saved(more["model"], "before the training")
        if checkpoint := self.run.checkpoint():
            self.kept.load(checkpoint)

    def on_save(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """A checkpoint takes along what the reference has said."""
        if self.run.leads:
            self.kept.save(Path(args.output_dir) / f"checkpoint-{state.global_step}")
        super().on_save(args, state, control, **more)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """After the last step the reference is still what the round before has saved."""
        self._compare_saved(more["model"], "after it")

    def _compare_saved(self, model: Any, moment: str) -> None:
        """Tell the largest difference between the copy and the adapter of the round before; it must be none."""
        if not continues(self.run.spec):
            return
        difference = reference_difference(model, Path(str(self.run.spec.adapter_path)))
        if difference:
            raise _wrong(f"{moment} its weights differ from the saved adapter by up to {difference:.3g}")
        self.run.say(f"The reference is the adapter of the round before, {moment}.", reference_difference=difference)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **more: Any) -> None:
        """The first loss was computed before the first step changed anything."""
        if state.global_step == 1 and "loss" in logs:
            self._check_first(logs, "bf16" if args.bf16 else "fp16" if args.fp16 else None)
        super().on_log(args, state, control, logs, **more)

    def _check_first(self, logs: dict[str, Any], autocast: str | None) -> None:
        tolerance = _TOLERANCE[autocast]
        sides = [f"rewards/{side}" for side in ("chosen", "rejected")]  # a small batch of KTO may hold one of them
        ratios = [abs(logs[side]) / self._beta for side in sides if side in logs]
        expected, slope = self._first or (logs["loss"], 0.0)
        if max(ratios) > tolerance or abs(logs["loss"] - expected) > slope * tolerance + 1e-4:
            raise _wrong(
                f"the first loss is {logs['loss']:.4f} instead of {expected:.4f}, and the answers' log-ratios are "
                f"{max(ratios):.4f} instead of 0"
            )


def compare_weights(model: Any, continued: bool) -> None:
    """A fresh adapter must be zero (its reference is the base), a continued one equal to its copy."""
    import torch

    weights = dict(model.named_parameters())
    policy = {name: weight for name, weight in weights.items() if ".default" in name}
    if continued:
        copies = {name: weights.get(name.replace(".default", ".ref")) for name in policy}
        wrong = [name for name, copy in copies.items() if copy is None or not torch.equal(copy, policy[name])]
    else:
        wrong = [name for name, weight in policy.items() if ".lora_B." in name and bool(weight.any())]
        wrong += [name for name in weights if ".ref." in name]
    if wrong or not policy:
        raise _wrong(f"{len(wrong)} of {len(policy)} adapter weights differ, such as {min(wrong, default='none')}")


def reference_difference(model: Any, folder: Path) -> float:
    """The largest difference between a weight of the frozen copy and the same one in an adapter's folder."""
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file

    copy = get_peft_model_state_dict(model, adapter_name="ref")
    saved = load_file(adapter_weights(folder))
    if copy.keys() != saved.keys():
        return float("inf")
    differences = [(copy[name].cpu() - saved[name].to(copy[name].dtype)).abs().max() for name in saved]
    return float(torch.stack([one.float() for one in differences]).max())


def _wrong(what: str) -> RunFailed:
    return RunFailed(
        "wrong-reference",
        f"The run would compare with the wrong reference: {what}.",
        "Train from the base, or merge the previous adapter into it; please report this with the run folder.",
    )
