"""DPO's trainer for rows that are token ids already; what it is compared with is proven in trainers/reference.py."""

from collections.abc import Sequence
from typing import Any

from trl import DPOTrainer

from storage.errors import BadInput
from trainers.data_pairs import Preference
from trainers.frugal import FrugalModel
from trainers.kept_reference import KeptReference
from trainers.pair_loss import MASKS, PROMPT_TOKENS, SURE, TOLD, PairCollator, pair_losses
from trainers.passes import thrift_of
from trainers.quick_head import score_quickly
from trainers.rows import NUMBER, numbered


class PreferenceTrainer(DPOTrainer):
    """A DPOTrainer whose rows were made by `trainers.data_pairs.prepare_preferences`.

    Rows that say how much better, how surely, or that both are equal, go through our own loss; others through TRL's.
    `kept`: where the reference's log-probabilities are remembered; TRL takes them as if computed beforehand.
    """

    def __init__(
        self,
        *,
        args: Any,
        train_dataset: Any,
        processing_class: Any,
        eval_dataset: Any = None,
        kept: KeptReference | None = None,
        **more: Any,
    ) -> None:
        collator = PairCollator(pad_token_id=processing_class.pad_token_id, max_length=args.max_length)
        super().__init__(
            args=args,
            train_dataset=numbered(train_dataset),
            eval_dataset=numbered(eval_dataset, len(train_dataset)),
            processing_class=processing_class,
            data_collator=collator,
            **more,
        )
        self.holds_ties = "tie" in train_dataset.column_names and any(train_dataset["tie"])
        for model in (self.model, self.ref_model):
            if model is not None:
                score_quickly(model.get_base_model() if hasattr(model, "get_base_model") else model)
        self.precompute_ref_logps = True  # TRL's loss takes them from the batch, where `_compute_loss` has put them
        self._kept = KeptReference() if kept is None else kept
        self._thrift = None if self.aux_loss_enabled else thrift_of(self.model, alone=args.world_size == 1)

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Nothing is left to do: tokenizing again would need the texts."""
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Nothing beforehand: the reference is asked when a row first comes."""
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        """The columns that reach the collator: TRL's and ours."""
        fresh = vars(self).get("_signature_columns") is None
        super()._set_signature_columns_if_needed()
        if fresh:
            self.__dict__["_signature_columns"] += [*TOLD, *MASKS, NUMBER]

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False) -> Any:
        """TRL's loss, or ours where the rows say more than better and worse."""
        rows, prompts = inputs.pop(NUMBER, None), inputs.pop(PROMPT_TOKENS).tolist()
        told = {name: inputs.pop(name) for name in TOLD if name in inputs}
        inputs["ref_chosen_logps"], inputs["ref_rejected_logps"] = self._expected(rows, prompts, inputs)
        frugal = self.frugal(model, prompts)
        if "weight" not in told:
            return super()._compute_loss(frugal, inputs, return_outputs)
        chosen, rejected = self._log_ratios(frugal, inputs)
        delta = self.beta * (chosen - rejected)
        losses = pair_losses(delta, told["margin"], told["tie"], self.holds_ties)
        return (losses * told["weight"]).mean()

    def frugal(self, model: Any, prompts: Sequence[int]) -> Any:
        """The model, taking a batch of pairs in the cheapest passes."""
        return FrugalModel(model, self._thrift, prompts) if self._thrift else model

    def _log_ratios(self, model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
        """Log-ratios of policy to reference, of the chosen and of the rejected answers; logged as TRL logs them."""
        said = _answers(model, inputs)
        chosen, rejected = said
        good, bad = chosen - inputs["ref_chosen_logps"], rejected - inputs["ref_rejected_logps"]
        self._note(said, good, bad)
        return good, bad

    def _expected(self, rows: Any, prompts: Sequence[int], inputs: dict[str, Any]) -> tuple[Any, Any]:
        """What the reference says to the chosen and to the rejected answers, as it was first said."""
        import torch

        numbers = None if rows is None else rows.tolist()
        known = None if numbers is None else self._kept.of(numbers)
        if known is None:
            said = [side.tolist() for side in self._asked(prompts, inputs)]
            known = list(zip(*said, strict=True))
            if numbers is not None:
                self._kept.keep(numbers, known)
                known = self._kept.of(numbers) or known
        chosen, rejected = torch.tensor(known, device=inputs["input_ids"].device).unbind(1)
        return chosen, rejected

    def _asked(self, prompts: Sequence[int], inputs: dict[str, Any]) -> tuple[Any, Any]:
        """Ask the reference: a model of its own, the adapter's frozen copy, or the base without adapter."""
        import torch
        from trl.models.utils import disable_gradient_checkpointing
        from trl.trainer.utils import use_adapter

        with torch.no_grad(), disable_gradient_checkpointing(self.model, self.args.gradient_checkpointing_kwargs):
            if self.ref_model is not None:
                return _answers(self.frugal(self.ref_model, prompts), inputs)
            bare = self.accelerator.unwrap_model(self.model)
            with use_adapter(bare, adapter_name="ref" if "ref" in bare.peft_config else None):
                return _answers(self.frugal(self.model, prompts), inputs)

    def _note(self, logps: Any, chosen: Any, rejected: Any) -> None:
        """The metrics of TRL that events show."""
        gathered = [self.accelerator.gather(ratios.detach() * self.beta) for ratios in (chosen, rejected)]
        good, bad = gathered
        said = [self.accelerator.gather(one.detach()) for one in logps]
        values = {
            "rewards/chosen": good.mean(), "rewards/rejected": bad.mean(), "rewards/margins": (good - bad).mean(),
            "rewards/accuracies": (good > bad).float().mean(), "logps/chosen": said[0].mean(),
            "logps/rejected": said[1].mean(),
        }  # fmt: skip
        for name, value in values.items():
            self._metrics["train" if self.model.training else "eval"][name].append(value.item())


def _answers(model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """Log-probabilities of the chosen and of the rejected answers, summed over their tokens."""
    ids, mask = inputs["input_ids"], inputs["completion_mask"]
    asked = {"input_ids": ids, "attention_mask": inputs["attention_mask"], "use_cache": False, "fused_lm_head": True}
    log_probs = model(**asked, labels=ids.masked_fill(mask == 0, -100)).log_probs
    chosen, rejected = log_probs[:, 1 - mask.shape[1] :].sum(dim=1).chunk(2)
    return chosen, rejected


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
