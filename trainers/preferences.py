"""DPO's trainer for rows that are token ids already; what it is compared with is proven in trainers/reference.py."""

from collections.abc import Sequence
from typing import Any

from trl import DPOTrainer

from storage.errors import BadInput
from trainers.data_pairs import Preference
from trainers.pair_loss import MASKS, SURE, TOLD, PairCollator, pair_losses
from trainers.quick_head import score_quickly


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
        for model in (self.model, self.ref_model):
            if model is not None:
                score_quickly(model.get_base_model() if hasattr(model, "get_base_model") else model)

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


def loss_arguments(options: Any) -> dict[str, Any]:
    """The loss and its numbers, in TRL's words."""
    smoothing = max(options.label_smoothing, SURE) if options.loss_type == "exo_pair" else options.label_smoothing
    return {
        "beta": options.beta,
        "loss_type": [options.loss_type],
        "label_smoothing": smoothing,
        "discopop_tau": options.discopop_tau,
        "max_length": options.max_length,
    }


def check_loss(loss_type: str, rows: Sequence[Preference]) -> bool:
    """Whether the rows say better and worse and nothing else; refuses a loss that cannot use the rest."""
    plain = all(row.plain for row in rows)
    if not plain and loss_type != "sigmoid":
        raise BadInput(
            f'The loss "{loss_type}" knows no margins, weights or ties; choose sigmoid, or a policy without them.'
        )
    return plain
