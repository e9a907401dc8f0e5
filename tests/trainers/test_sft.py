import json
import math
from pathlib import Path

import pytest

from storage.home import read_json
from storage.specs.run import RunSpec
from storage.weights import hash_files, read_header
from tests.trainers import building
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch


def test_a_run_learns_saves_and_probes_its_adapter(sft_run: Path) -> None:
    losses = building.losses(sft_run)
    (done,) = building.events(sft_run, "done")

    assert [event["step"] for event in building.events(sft_run, "metric")] == [1, 2, 3, 4, 5, 6]
    assert losses[-1] < losses[0] - 0.5
    assert done["adapter_sha256"] == hash_files([sft_run / "adapter" / "adapter_model.safetensors"])
    assert done["probe"]["finite"] is True
    assert done["probe"]["max_logit_difference"] > 0
    assert done["metrics"]["loss"] == losses[-1]
    assert 0 < done["seconds_to_first_step"] < done["seconds"]
    assert len(building.events(sft_run, "sample")) == 3
    assert not (sft_run / "error.json").exists()


def test_phases_come_in_order(sft_run: Path) -> None:
    phases = [event["phase"] for event in building.events(sft_run, "progress")]

    assert list(dict.fromkeys(phases)) == ["loading", "training", "saving", "probing"]
    last = building.events(sft_run, "progress")[-1]
    assert (last["step"], last["total_steps"]) == (6, 6)


def test_the_adapter_is_safetensors_with_a_card(sft_run: Path) -> None:
    card = (sft_run / "adapter" / "README.md").read_text(encoding="utf-8")
    spec = RunSpec.read(sft_run)

    assert sorted(path.name for path in (sft_run / "adapter").iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert 'library_name: "peft"' in card
    assert 'base_model: "tiny"' in card
    assert f"| Data SHA-256 | {spec.data_sha256} |" in card
    assert "| learning_rate | 0.002 |" in card
    assert "| loss |" in card


def test_an_adapter_is_continued_not_begun_anew(sft_run: Path, tiny_base: Path, tmp_path: Path) -> None:
    folder = building.make_run(
        tmp_path / "more", "sft", tiny_base, adapter_path=str(sft_run / "adapter"), options={"max_steps": 3}
    )

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    # It begins where the run before ended, far below where that one began.
    assert abs(building.losses(folder)[0] - building.losses(sft_run)[-1]) < 0.7
    assert building.losses(folder)[0] < building.losses(sft_run)[0] - 0.4
    names = [tensor.name for tensor in read_header(folder / "adapter" / "adapter_model.safetensors")]
    assert names == [tensor.name for tensor in read_header(sft_run / "adapter" / "adapter_model.safetensors")]


def test_packing_joins_rows_and_still_learns(tiny_base: Path, tmp_path: Path) -> None:
    options = {"packing": True, "max_length": 128, "batch_size": 2, "epochs": 4, "learning_rate": 2e-3}
    folder = building.make_run(tmp_path / "packed", "sft", tiny_base, options=options)

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    losses = building.losses(folder)
    assert len(losses) < 4 * 24 / 2
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_adapter(sft_run: Path, tiny_base: Path, tmp_path: Path) -> None:
    again = building.make_run(tmp_path / "again", "sft", tiny_base)

    assert building.run_trainer(again) == 0, building.log_of(again)
    assert building.losses(again) == building.losses(sft_run)
    assert building.events(again, "done")[0]["adapter_sha256"] == building.events(sft_run, "done")[0]["adapter_sha256"]


def test_rows_that_do_not_fit_are_counted_and_told(tiny_base: Path, tmp_path: Path) -> None:
    rows = building.conversations(16)
    rows[3]["messages"] = json.dumps(building.turns("why " * 200, "because"))
    folder = building.make_run(tmp_path / "long", "sft", tiny_base, rows, options={"max_length": 64, "max_steps": 2})

    assert building.run_trainer(folder) == 0, building.log_of(folder)
    assert [event["sentence"] for event in building.events(folder, "warning")] == [
        "1 row was left out: the prompt alone fills max_length (64 tokens).",
        "1 row was cut at max_length (64 tokens): their ends are not learnt.",
    ]


FAILURES = [
    ("bad-row", {"rows": [{"id": "x", "messages": "no json"}]}, 'Row "x": column "messages" is not JSON'),
    ("bad-row", {"rows": [{"id": "x", "messages": json.dumps(building.turns("only a question"))}]}, "no answer"),
    ("no-rows", {"options": {"max_length": 16}}, "There is no row to train on."),
    ("loss-not-finite", {"options": {"learning_rate": 0.1, "max_steps": 30, "warmup": 0.0}}, "no longer a number"),
    ("bad-input", {"options": {"epochs": "many"}}, 'Option "epochs" needs a number, not "many".'),
    ("no-change", {"options": {"max_steps": 1}}, "nothing was learnt"),
]


@pytest.mark.parametrize(("kind", "given", "sentence"), FAILURES, ids=[case[2][:20] for case in FAILURES])
def test_a_failed_run_says_why_in_one_sentence(
    kind: str, given: dict[str, object], sentence: str, tiny_base: Path, tmp_path: Path
) -> None:
    if kind == "loss-not-finite":
        tiny_base = _overflowing(tmp_path / "overflowing")
    folder = building.make_run(tmp_path / "failing", "sft", tiny_base, **given)

    assert building.run_trainer(folder) == 1
    error = read_json(folder / "error.json")
    assert error is not None
    assert error["kind"] == kind
    assert sentence in error["sentence"]
    assert error["fix"]
    assert [event["error"] for event in building.events(folder, "failed")] == [error]
    assert building.events(folder, "done") == []


def _overflowing(folder: Path) -> Path:
    """A base whose head is so large that its logits leave float32's range."""
    import torch
    from safetensors.torch import load_file, save_file

    tiny.save_base(folder)
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = torch.full_like(weights["lm_head.weight"], math.inf)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def test_a_base_without_safetensors_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    base = tmp_path / "pickled"
    base.mkdir()
    (base / "config.json").write_text((tiny_base / "config.json").read_text())
    (base / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    folder = building.make_run(tmp_path / "refused", "sft", base)

    assert building.run_trainer(folder) == 1
    error = read_json(folder / "error.json")
    assert error is not None
    assert (error["kind"], "pickle" in error["sentence"]) == ("refused", True)


def test_a_second_process_leaves_the_run_to_the_first(sft_run: Path) -> None:
    from trainers.process import TAKEN, taken

    before = (sft_run / "events.jsonl").read_bytes()
    with taken(sft_run, "mine") as mine:
        assert mine
        assert building.run_trainer(sft_run) == TAKEN
    assert (sft_run / "events.jsonl").read_bytes() == before
