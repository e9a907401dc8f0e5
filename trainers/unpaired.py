"""KTO's trainer for rows that are token ids already, and whose judgements may weigh differently."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from trl import KTOTrainer
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

from trainers.arguments import Plan
from trainers.frugal import FrugalModel
from trainers.kept_reference import KeptReference
from trainers.passes import thrift_of
from trainers.quick_head import score_quickly
from trainers.rows import NUMBER, numbered


class ThumbCollator(DataCollatorForUnpairedPreference):
    """TRL's collator, which also hands on how much a judgement weighs and which row it is."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch of answers."""
        import torch

        batch: dict[str, Any] = super().torch_call(examples)
        if "weight" in examples[0]:
            batch["weight"] = torch.tensor([float(example["weight"]) for example in examples])
        if NUMBER in examples[0]:
            batch[NUMBER] = torch.tensor([example[NUMBER] for example in examples])
        return batch


class UnpairedTrainer(KTOTrainer):
    """A KTOTrainer whose rows were made by `trainers.data_thumbs`.

    `kept`: where the reference's log-probabilities are remembered, of the answer and of its neighbour's.
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
        collator = ThumbCollator(pad_token_id=processing_class.pad_token_id, max_length=args.max_length)
        super().__init__(
            args=args,
            train_dataset=numbered(train_dataset),
            eval_dataset=numbered(eval_dataset, len(train_dataset)),
            processing_class=processing_class,
            data_collator=collator,
            **more,
        )
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
        """The columns that reach the collator: TRL's, the weight and the number."""
        fresh = vars(self).get("_signature_columns") is None
        super()._set_signature_columns_if_needed()
        if fresh:
            self.__dict__["_signature_columns"] += ["weight", NUMBER]

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False) -> Any:
        """TRL's loss; it multiplies the good and the bad answers by one number each, here by one for each answer."""
        rows, weights = inputs.pop(NUMBER, None), inputs.pop("weight", None)
        inputs |= self._expected(rows, inputs)
        model = self._frugal(model)
        if weights is None:
            return super()._compute_loss(model, inputs, return_outputs)
        usual: tuple[Any, Any] = (self.args.desirable_weight, self.args.undesirable_weight)
        good = inputs["label"].bool()
        self.desirable_weight, self.undesirable_weight = usual[0] * weights[good], usual[1] * weights[~good]
        try:
            return super()._compute_loss(model, inputs, return_outputs)
        finally:
            self.desirable_weight, self.undesirable_weight = usual

    def _frugal(self, model: Any) -> Any:
        return FrugalModel(model, self._thrift) if self._thrift else model

    def _expected(self, rows: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """What the reference says to the answers, and to their neighbours' where the loss asks, as first said."""
        import torch

        numbers = None if rows is None else rows.tolist()
        known = None if numbers is None else self._kept.of(numbers)
        if known is None:
            said = self.compute_ref_log_probs(self._frugal(self.ref_model or self.model), inputs)
            known = list(zip(*[side.tolist() for side in said if side is not None], strict=True))
            if numbers is not None:
                self._kept.keep(numbers, known)
                known = self._kept.of(numbers) or known
        sides = torch.tensor(known, device=inputs["input_ids"].device).unbind(1)
        return dict(zip(("ref_logps", "ref_KL_logps"), sides, strict=False))


class Weights(NamedTuple):
    """What a good and a bad answer weigh in the loss, and a sentence about it."""

    good: float
    bad: float
    sentence: str


def weights_of(options: Any, rows: Sequence[dict[str, Any]]) -> Weights:
    """The weights that were asked for, or those with which good and bad answers weigh the same in all (KTO, eq. 8)."""
    good = sum(row["label"] for row in rows)
    bad = len(rows) - good
    bad_weight = options.undesirable_weight
    good_weight = options.desirable_weight or round(bad * bad_weight / good if good and bad else 1.0, 4)
    return Weights(
        good_weight,
        bad_weight,
        f"{good} good and {bad} bad answers; a good one weighs {good_weight:g}, a bad one {bad_weight:g}.",
    )


def loss_arguments(options: Any, weights: Weights) -> dict[str, Any]:
    """The loss and its numbers, in TRL's words."""
    return {
        "beta": options.beta,
        "loss_type": options.loss_type,
        "max_length": options.max_length,
        "desirable_weight": weights.good,
        "undesirable_weight": weights.bad,
        "train_sampling_strategy": "sequential",  # neighbours must stay neighbours
    }


def several_at_once(shares: Plan, options: Any) -> Plan:
    """At least two rows at once: the estimate of the move away from the reference needs a neighbour."""
    if shares.at_once > 1:
        return shares
    fewest = min(size for size in range(2, options.batch_size + 1) if options.batch_size % size == 0)
    return shares._replace(at_once=fewest, accumulate=options.batch_size // fewest)
