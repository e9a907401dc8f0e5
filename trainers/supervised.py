"""SFT's trainer for rows that are token ids already: TRL's, with the quick head and rows of one length together."""

from collections.abc import Sequence
from typing import Any

from trl import SFTConfig, SFTTrainer

from trainers.grouping import LengthGroups
from trainers.quick_head import score_quickly


class SupervisedTrainer(SFTTrainer):
    """An SFTTrainer whose rows were made by `trainers.data`. `grouped`: rows of a step are about equally long."""

    def __init__(self, *, grouped: bool, **given: Any) -> None:
        super().__init__(**given)
        self._grouped = grouped and not self.args.packing
        score_quickly(self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model)

    def _prepare_dataset(self, dataset: Any, tokenizer: Any, args: Any, packing: bool, *more: Any) -> Any:
        """Nothing is left to do but to pack."""
        return super()._prepare_dataset(dataset, tokenizer, args, packing, *more) if packing else dataset

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """By length, where it was asked for."""
        rows = self.train_dataset if train_dataset is None else train_dataset
        if not self._grouped or self.args.world_size > 1:
            return super()._get_train_sampler(train_dataset)
        lengths: Sequence[int] = [len(ids) for ids in rows["input_ids"]]
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthGroups(lengths, batch, self.args.data_seed or self.args.seed)


def supervised_config(arguments: dict[str, Any], options: Any) -> SFTConfig:
    """TRL's configuration: the arguments that all methods share, packing and noise."""
    if options.packing:
        # Held-out rows are measured one by one, so that their loss means the same whatever was packed.
        arguments = arguments | {"packing": True, "eval_packing": False, "max_length": options.max_length}
    return SFTConfig(**arguments, neftune_noise_alpha=getattr(options, "neftune_alpha", 0.0) or None)
