"""A reward model: its trainer, its files, and how it scores.

What is saved is a LoRA with the head that scores, and `judge.json` beside it. A score is shifted and scaled so that it
means something: one that learnt from pairs gives 0 to the average answer that it learnt from and differs by 1 from it
in one standard deviation; one that learnt from scores speaks in their units.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trl import RewardTrainer
from trl.trainer.reward_trainer import DataCollatorForPreference

from storage.errors import BadInput
from storage.home import read_json, write_json
from storage.specs.run import RunSpec
from trainers.adapter import save_adapter, saved_in
from trainers.checkpoints import sync
from trainers.data import Messages, Prepared
from trainers.data_judged import encode_judged, sequences_of
from trainers.events import EventWriter
from trainers.failures import RunFailed
from trainers.models import load_base
from trainers.pair_loss import TOLD, pair_losses
from trainers.run import Run

SETTINGS = "judge.json"
_AT_ONCE = 16
_MEASURED = 512  # answers whose scores say what the average answer gets
_TOLERANCE = {None: 1e-3, "bf16": 0.1, "fp16": 0.05}


class Scale(NamedTuple):
    """What turns the head's number into a score: number times `factor` plus `shift`."""

    factor: float
    shift: float


class JudgeCollator(DataCollatorForPreference):
    """TRL's collator, which also hands on weights, ties and scores; single answers come without a second one."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """A batch: all better answers, then all worse ones; or single answers."""
        import torch
        from trl.trainer.utils import pad

        told = {
            name: torch.tensor([float(example[name]) for example in examples])
            for name in (*TOLD, "score")
            if name in examples[0]
        }
        if "rejected_ids" in examples[0]:
            return {**super().torch_call(examples), **told}
        ids = [torch.tensor(example["chosen_ids"]) for example in examples]
        batch = {
            "input_ids": pad(ids, padding_value=self.pad_token_id, padding_side="right"),
            "attention_mask": pad([torch.ones_like(one) for one in ids], padding_value=0, padding_side="right"),
        }
        return {**batch, **told}


class JudgeTrainer(RewardTrainer):
    """A RewardTrainer whose rows were made by `trainers.data_judged`."""

    def __init__(self, *, args: Any, train_dataset: Any, processing_class: Any, scale: Scale, **more: Any) -> None:
        super().__init__(
            args=args,
            train_dataset=train_dataset,
            processing_class=processing_class,
            data_collator=JudgeCollator(pad_token_id=processing_class.pad_token_id),
            **more,
        )
        self.scale = scale
        self.holds_ties = "tie" in train_dataset.column_names and any(train_dataset["tie"])

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        """Nothing is left to do: tokenizing again would need the texts."""
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        """The columns that reach the collator: TRL's and ours."""
        fresh = vars(self).get("_signature_columns") is None
        super()._set_signature_columns_if_needed()
        if fresh:
            self.__dict__["_signature_columns"] += ["weight", "tie", "score"]

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **more: Any) -> Any:
        """TRL's loss for pairs; ours where they say more, or where single scores are learnt."""
        if "score" in inputs:
            return self._squared_error(model, inputs, return_outputs)
        if "weight" in inputs:
            return self._weighed(model, inputs, return_outputs)
        return super().compute_loss(model, inputs, return_outputs, **more)

    def _squared_error(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """The mean squared error in standard deviations of the scores."""
        wanted = (inputs.pop("score") - self.scale.shift) / self.scale.factor
        outputs = model(**inputs, use_cache=False)
        given = outputs.logits.squeeze(-1).float()
        loss = (given - wanted).square().mean()
        error = (given.detach() - wanted).abs().mean() * self.scale.factor
        self._tell({"mean_absolute_error": error, "mean_reward": given.mean() * self.scale.factor + self.scale.shift})
        return (loss, outputs) if return_outputs else loss

    def _weighed(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        """The loss of pairs that say how much better, how surely, or that both are equal."""
        told = {name: inputs.pop(name) for name in TOLD}
        outputs = model(**inputs, use_cache=False)
        chosen, rejected = outputs.logits.squeeze(-1).float().chunk(2)
        losses = pair_losses(chosen - rejected, told["margin"], told["tie"], self.holds_ties)
        loss = (losses * told["weight"]).mean()
        if self.args.center_rewards_coefficient:
            loss = loss + self.args.center_rewards_coefficient * (chosen + rejected).square().mean()
        self._tell({
            "accuracy": (chosen > rejected).float().mean(), "margin": (chosen - rejected).mean(),
            "mean_reward": (chosen + rejected).mean() / 2,
        })  # fmt: skip
        return (loss, outputs) if return_outputs else loss

    def _tell(self, values: dict[str, Any]) -> None:
        mode = "train" if self.model.training else "eval"
        for name, value in values.items():
            self._metrics[mode][name].append(float(value.detach()))


def scale_of(prepared: Prepared) -> Scale:
    """Mean and standard deviation of the scores that are learnt; nothing to scale for pairs."""
    scores = [row["score"] for row in prepared.rows if "score" in row]
    if not scores:
        return Scale(1.0, 0.0)
    mean = sum(scores) / len(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    if not spread:
        raise RunFailed(
            "no-difference",
            f"All {len(scores)} answers have the same score ({mean:g}), so there is nothing to learn.",
            "Rate answers differently, or learn from pairs.",
        )
    return Scale(spread, mean)


def finish_judge(run: Run, trainer: JudgeTrainer, writer: EventWriter, prepared: Prepared, watch: Any) -> None:
    """Save the judge with what its numbers mean, load it anew, and end the run where it scores as it was trained."""
    if not run.stop_requested:
        watch.take_best(trainer)
        writer.metrics |= watch.metrics
    model, tokenizer = trainer.model.eval(), trainer.processing_class
    texts = sequences_of(prepared)[:_MEASURED]
    trained = raw_scores(model, texts, tokenizer.pad_token_id)
    scale = trainer.scale if "score" in prepared.rows[0] else _standardised(trained)
    said: dict[str, Any] = {**scale._asdict(), "max_length": run.options.max_length}
    sha256 = save_adapter(run, trainer, writer.metrics, len(prepared.rows))
    write_json(saved_in(run) / SETTINGS, said)
    sync(saved_in(run) / SETTINGS)
    run.phase("probing", trainer.state.global_step, trainer.state.max_steps)
    probe = _probe(run, trainer.args, texts[:_AT_ONCE], trained)
    writer.finish(sha256, probe)


def _standardised(raw: Sequence[float]) -> Scale:
    """A scale on which these numbers have mean 0 and standard deviation 1."""
    mean = sum(raw) / len(raw)
    spread = math.sqrt(sum((one - mean) ** 2 for one in raw) / len(raw))
    if not math.isfinite(mean) or not spread:
        raise RunFailed(
            "no-change",
            "The reward model gives every answer the same score: nothing was learnt.",
            "Start the job again with more steps or a higher learning_rate.",
        )
    return Scale(1.0 / spread, -mean / spread)


def _probe(run: Run, args: Any, texts: list[list[int]], trained: Sequence[float]) -> dict[str, Any]:
    """Whether the saved files score as the trained weights do."""
    judge = Judge.load(run.spec, saved_in(run))
    again = raw_scores(judge.model, texts, judge.tokenizer.pad_token_id)
    apart = max(abs(one - other) for one, other in zip(again, trained, strict=False))
    tolerance = _TOLERANCE["bf16" if args.bf16 else "fp16" if args.fp16 else None]
    if not apart <= tolerance * max(1.0, max(abs(one) for one in trained)):
        raise RunFailed(
            "not-as-trained",
            f"The saved reward model scores otherwise than the trained one (apart by up to {apart:.3g}).",
            "Start the job again; please report this with the run folder.",
        )
    return {"finite": True, "max_score_difference": round(apart, 6)}


class Judge:
    """A reward model that is loaded for scoring."""

    def __init__(self, model: Any, tokenizer: Any, scale: Scale, max_length: int) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self._scale = scale
        self._max_length = max_length

    @classmethod
    def load(cls, spec: RunSpec, adapter: Path | None) -> "Judge":
        """The judge on the base that the spec names; without an adapter the base itself is one, with its own head.

        `spec` says threads, device and number format. Raises BadInput where the files do not belong together.
        """
        loaded = load_base(spec, labels=1)
        said = (read_json(adapter / SETTINGS) if adapter else None) or {}
        model = loaded.model
        if adapter is not None:
            model = _with_adapter(model, adapter)
        model = model.to(loaded.placement.device).eval()
        scale = Scale(float(said.get("factor", 1.0)), float(said.get("shift", 0.0)))
        return cls(model, loaded.tokenizer, scale, int(said.get("max_length", 1024)))

    def scores(self, conversations: Sequence[Messages]) -> list[float]:
        """One score for each conversation, which ends with the answer that is judged."""
        texts = [
            encode_judged(self.tokenizer, str(at), messages)[: self._max_length]
            for at, messages in enumerate(conversations)
        ]
        raw = raw_scores(self.model, texts, self.tokenizer.pad_token_id)
        return [round(one * self._scale.factor + self._scale.shift, 6) for one in raw]


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter), torch_device="cpu")
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        first = str(error).strip().splitlines()[0]
        raise BadInput(f"The reward model in {adapter} does not fit its base: {first}") from error


def raw_scores(model: Any, texts: Sequence[list[int]], pad_token_id: int) -> list[float]:
    """The head's number for each sequence of token ids, in batches of like length."""
    import torch
    from trl.trainer.utils import pad

    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = [0.0] * len(texts)
    for begin in range(0, len(order), _AT_ONCE):
        places = order[begin : begin + _AT_ONCE]
        ids = [torch.tensor(texts[at]) for at in places]
        with torch.no_grad():
            numbers = model(
                input_ids=pad(ids, padding_value=pad_token_id, padding_side="right").to(model.device),
                attention_mask=pad([torch.ones_like(one) for one in ids], padding_value=0, padding_side="right").to(
                    model.device
                ),
                use_cache=False,
            ).logits[:, 0]
        for at, number in zip(places, numbers.float().tolist(), strict=True):
            found[at] = number
    return found
