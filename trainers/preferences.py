"""DPO's trainer for rows that are token ids already, and the proof that it compares with the right reference.

TRL keeps the reference of a continued adapter as a second adapter, "ref", which it fills by matching names. Where
that goes wrong nothing raises: the run trains against something else. So the weights are compared before the first
step, and the first loss must be what equal models give (ln 2 for the sigmoid loss; `pair_loss.first_loss`).
"""

from collections.abc import Sequence
from typing import Any

from trl import DPOTrainer

from storage.errors import BadInput
from storage.specs.run import RunSpec
from trainers.data_pairs import Preference
from trainers.events import EventWriter
from trainers.failures import RunFailed
from trainers.pair_loss import MASKS, TOLD, FirstLoss, PairCollator, pair_losses
from trainers.run import Run
from trainers.tunings import continues, tuning_of

# Largest log-ratio of policy to reference at the first step, in nats: rounding of bfloat16 over a long answer stays
# below the larger one; float32 below the smaller.
_TOLERANCE = {None: 1e-3, "bf16": 0.3, "fp16": 0.1}


class PreferenceTrainer(DPOTrainer):
    """A DPOTrainer whose rows were made by `trainers.data_pairs.prepare_preferences`.

    Rows that say how much better, how surely, or that both are equal, go through our own loss; others through TRL's.
    """

    def __init__(self, *, args: Any, train_dataset: Any, processing_class: Any, **more: Any) -> None:
        collator = PairCollator(pad_token_id=processing_class.pad_token_id, max_length=args.max_length)
        super().__init__(
            args=args, train_dataset=train_dataset, processing_class=processing_class, data_collator=collator, **more
        )
        self.holds_ties = "tie" in train_dataset.column_names and any(train_dataset["tie"])

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Nothing is left to do: tokenizing again would need the texts."""
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        """The columns that reach the collator: TRL's and ours."""
        fresh = vars(self).get("_signature_columns") is None
        super()._set_signature_columns_if_needed()
        if fresh:
            self.__dict__["_signature_columns"] += [*TOLD, *MASKS]

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False) -> Any:
        """TRL's loss, or ours where the rows say more than better and worse."""
        if "weight" not in inputs:
            return super()._compute_loss(model, inputs, return_outputs)
        told = {name: inputs.pop(name) for name in TOLD}
        chosen, rejected = self._log_ratios(model, inputs)
        delta = self.beta * (chosen - rejected)
        losses = pair_losses(delta, told["margin"], told["tie"], self.holds_ties)
        return (losses * told["weight"]).mean()

    def _log_ratios(self, model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
        """Log-ratios of policy to reference, of the chosen and of the rejected answers; logged as TRL logs them."""
        import torch
        from trl.models.utils import disable_gradient_checkpointing

        mask = inputs.pop("completion_mask")
        labels = inputs["input_ids"].masked_fill(mask == 0, -100)
        asked = {**inputs, "labels": labels, "use_cache": False, "fused_lm_head": True}
        width = mask.shape[1] - 1
        logps = model(**asked).log_probs[:, -width:].sum(dim=1)
        with torch.no_grad(), disable_gradient_checkpointing(self.model, self.args.gradient_checkpointing_kwargs):
            expected = self._reference(asked).log_probs[:, -width:].sum(dim=1)
        chosen, rejected = (logps - expected).chunk(2)
        self._note(logps, chosen, rejected)
        return chosen, rejected

    def _reference(self, asked: dict[str, Any]) -> Any:
        """What the reference says: a model of its own, the adapter's frozen copy, or the base without adapter."""
        from trl.trainer.utils import use_adapter

        if self.ref_model is not None:
            return self.ref_model(**asked)
        bare = self.accelerator.unwrap_model(self.model)
        with use_adapter(bare, adapter_name="ref" if "ref" in bare.peft_config else None):
            return self.model(**asked)

    def _note(self, logps: Any, chosen: Any, rejected: Any) -> None:
        """The metrics of TRL that events show."""
        gathered = [self.accelerator.gather(ratios.detach() * self.beta) for ratios in (chosen, rejected)]
        good, bad = gathered
        said = [self.accelerator.gather(one.detach()) for one in logps.chunk(2)]
        values = {
            "rewards/chosen": good.mean(), "rewards/rejected": bad.mean(), "rewards/margins": (good - bad).mean(),
            "rewards/accuracies": (good > bad).float().mean(), "logps/chosen": said[0].mean(),
            "logps/rejected": said[1].mean(),
        }  # fmt: skip
        for name, value in values.items():
            self._metrics["train" if self.model.training else "eval"][name].append(value.item())


def check_reference(spec: RunSpec, title: str = "DPO") -> None:
    """Refuse a run that asks for a reference other than the model that it starts from; `title`: of the method."""
    wanted = "previous" if spec.adapter_path else "base"
    if spec.reference != wanted:
        raise BadInput(
            f'The run asks for the reference "{spec.reference}", but {title} compares with the model that it starts '
            f'from, which is "{wanted}" here.'
        )


def check_loss(loss_type: str, rows: Sequence[Preference]) -> bool:
    """Whether the rows say better and worse and nothing else; refuses a loss that cannot use the rest."""
    plain = all(row.plain for row in rows)
    if not plain and loss_type != "sigmoid":
        raise BadInput(
            f'The loss "{loss_type}" knows no margins, weights or ties; choose sigmoid, or a policy without them.'
        )
    return plain


class PreferenceWriter(EventWriter):
    """Events of a run with a reference; checks it before the first step, and the first loss."""

    def __init__(self, run: Run, beta: float, first: FirstLoss | None) -> None:
        """`first`: what the first loss must be; None where that depends on what the first rows say."""
        super().__init__(run)
        self._beta = beta
        self._first = first

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Before the first step: policy and reference hold the same weights."""
        super().on_train_begin(args, state, control, **more)
        # Where every weight is trained, the reference is a copy of them all, and the first loss alone is looked at.
        if state.global_step == 0 and tuning_of(self.run.spec) != "full":
            compare_weights(more["model"], continued=continues(self.run.spec))

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


def _wrong(what: str) -> RunFailed:
    return RunFailed(
        "wrong-reference",
        f"The run would compare with the wrong reference: {what}. Nothing was trained.",
        "Train from the base, or merge the previous adapter into it; please report this with the run folder.",
    )
