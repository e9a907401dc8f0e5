"""Three rounds of DPO, each on the adapter of the one before: what each is held against, and what it leaves behind."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storage.weights import read_header
from tests.trainers import building

pytestmark = [pytest.mark.torch, pytest.mark.slow]

WEIGHTS = "adapter_model.safetensors"
OPTIONS = {"epochs": 3, "learning_rate": 2e-3, "batch_size": 8}


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> list[Path]:
    """The folders of three runs, one after another."""
    made: list[Path] = []
    for number in (1, 2, 3):
        previous = {"adapter_path": str(made[-1] / "adapter")} if made else {}
        folder = tmp_path_factory.mktemp("rounds") / f"round-{number}"
        building.make_run(folder, "dpo", tiny_base, options=OPTIONS, **previous)
        assert building.run_trainer(folder) == 0, building.log_of(folder)
        made.append(folder)
    return made


def test_the_reference_is_the_round_before_from_the_first_step_to_the_last(rounds: list[Path]) -> None:
    told = [
        [event["reference_difference"] for event in building.events(folder, "log") if "reference_difference" in event]
        for folder in rounds
    ]

    # The first round has no adapter before it: its reference is the base, with the adapter turned off.
    assert told == [[], [0.0, 0.0], [0.0, 0.0]]
    for folder in rounds:
        assert building.losses(folder)[0] == pytest.approx(0.693147, abs=1e-5)


class Compared(NamedTuple):
    """Log-probabilities of the answers of all pairs."""

    reference: Sequence[float]
    policy: Sequence[float]


def test_what_the_reference_says_is_what_the_policy_before_said(
    rounds: list[Path], tiny_base: Path, tmp_path: Path
) -> None:
    """In the trainer itself, before and after six steps: to the last bit, while the policy moves away."""
    for number in (1, 2):
        previous = rounds[number - 1] / "adapter"
        said = _said_by(tiny_base, previous, rounds[number])
        before, after = _watched(tmp_path / f"again-{number}", tiny_base, previous)

        assert _difference(before.reference, said) == 0.0
        assert _difference(before.policy, said) == 0.0
        assert _difference(after.reference, said) == 0.0
        assert _difference(after.policy, said) > 0.1


def _difference(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(left - right) for left, right in zip(one, other, strict=True))


def _watched(folder: Path, base: Path, previous: Path) -> tuple[Compared, Compared]:
    """What policy and reference say to all pairs, before and after the steps of a run in this process."""
    from datasets import Dataset
    from trl import DPOConfig

    from storage.runs import thaw_rows
    from storage.specs.run import RunSpec
    from trainers.data_pairs import prepare_preferences, read_preferences
    from trainers.preferences import PreferenceTrainer
    from trainers.run import Run
    from trainers.starting import begin

    building.make_run(folder, "dpo", base, options=OPTIONS, adapter_path=str(previous))
    run = Run(folder, RunSpec.read(folder))
    start = begin(run, reference=True)
    rows = prepare_preferences(start.tokenizer, read_preferences(thaw_rows(run.data)), 512).rows
    arguments = {"max_steps": 6, "learning_rate": 2e-3, "beta": 0.1, "max_length": 512}
    plain = {
        "bf16": False,
        "use_cpu": True,
        "report_to": "none",
        "save_strategy": "no",
        "gradient_checkpointing": False,
    }
    trainer = PreferenceTrainer(
        model=start.model,
        args=DPOConfig(output_dir=str(folder / "checkpoints"), **arguments, **plain),
        train_dataset=Dataset.from_list(rows),
        processing_class=start.tokenizer,
    )
    before = _both(trainer, rows)
    trainer.train()
    return before, _both(trainer, rows)


def _both(trainer: Any, rows: list[dict[str, Any]]) -> Compared:
    from trl.trainer.utils import use_adapter

    trainer.model.eval()
    with use_adapter(trainer.model, adapter_name="ref"):
        reference = _logps(trainer.model, rows)
    policy = _logps(trainer.model, rows)
    trainer.model.train()
    return Compared(reference, policy)


def _said_by(base: Path, adapter: Path, run: Path) -> Sequence[float]:
    """What a saved adapter says to the pairs of a run, loaded as everybody loads it."""
    from transformers import AutoTokenizer

    from storage.runs import thaw_rows
    from tests.trainers import loop
    from trainers.data_pairs import prepare_preferences, read_preferences

    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = prepare_preferences(tokenizer, read_preferences(thaw_rows(run / "data.parquet")), 512).rows
    return _logps(loop.load(base, adapter)[0].eval(), rows)


def _logps(model: Any, rows: list[dict[str, Any]]) -> Sequence[float]:
    """Log-probability of every answer, one at a time."""
    import torch

    said = []
    for row in rows:
        for side in ("chosen_ids", "rejected_ids"):
            ids = torch.tensor([row["prompt_ids"] + row[side]])
            with torch.no_grad():
                logps = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
            answer = torch.arange(len(row["prompt_ids"]), ids.shape[1])
            said.append(float(logps[answer - 1, ids[0, answer]].sum()))
    return said


def test_no_copy_of_a_reference_reaches_the_product(rounds: list[Path]) -> None:
    def tensors(folder: Path) -> list[tuple[str, tuple[int, ...]]]:
        return sorted((tensor.name, tensor.shape) for tensor in read_header(folder / "adapter" / WEIGHTS))

    first, *later = rounds
    for folder in later:
        assert tensors(folder) == tensors(first)
        assert not [path for path in (folder / "adapter").rglob("*") if "ref" in path.relative_to(folder).parts]
