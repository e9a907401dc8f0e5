"""Distillation: the student moves towards the teacher, and what cannot be compared is refused before any step."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from storage.home import read_json
from tests.trainers import building
from tests.trainers.effects import distillation
from tests.trainers.test_stopping import start_and_wait_for_step
from trainers.process import STOPPED

pytestmark = pytest.mark.torch


def _questions(count: int = 12) -> list[dict[str, Any]]:
    return [
        {"id": f"ask-{at}", "prompt": json.dumps(building.turns(f"What is {at} plus 1?")), "reference": None}
        for at in range(count)
    ]


def _teacher(base: Path, adapter: Path | None = None) -> dict[str, Any]:
    return {"name": "wise", "kind": "base", "base_path": str(base), "adapter_path": adapter and str(adapter)}


def _error(folder: Path) -> dict[str, Any]:
    error = read_json(folder / "error.json")
    assert error is not None
    return error


@pytest.mark.slow
@pytest.mark.parametrize("by", ["logits", "answers", "on_policy"])
def test_the_student_moves_towards_its_teacher(by: str, tmp_path: Path) -> None:
    found = distillation.EFFECTS[f"distill/{by}"](tmp_path)

    print(found)  # pytest -s shows the numbers
    assert found["met"], found


@pytest.mark.slow
def test_a_teacher_with_other_words_teaches_by_answers_only(tiny_base: Path, tmp_path: Path) -> None:
    starter = _teacher(distillation.STARTER)
    options = {"answer_tokens": 32, "max_steps": 2}
    by_logits = building.make_run(
        tmp_path / "logits", "distill", tiny_base, _questions(), options={**options, "by": "logits"}, teacher=starter
    )
    by_answers = building.make_run(
        tmp_path / "answers", "distill", tiny_base, _questions(), options={**options, "by": "answers"}, teacher=starter
    )

    assert building.run_trainer(by_logits) == 1
    assert _error(by_logits)["kind"] == "refused"
    assert "have different vocabularies" in _error(by_logits)["sentence"]
    assert building.run_trainer(by_answers) == 0, building.log_of(by_answers)
    said = [json.loads(line) for line in (by_answers / "answers.jsonl").read_text().splitlines()]
    assert {one["id"] for one in said} <= {row["id"] for row in _questions()}
    assert said and all(one["answer"].strip() for one in said)


@pytest.mark.slow
def test_a_run_that_goes_on_keeps_the_answers_that_it_had(tmp_path: Path) -> None:
    options = {"answer_tokens": 48, "max_steps": 3}
    folder = building.make_run(
        tmp_path / "run", "distill", distillation.STARTER, _questions(), options=options,
        teacher=_teacher(distillation.STARTER, distillation.scene().teacher),
    )  # fmt: skip
    kept = [{"id": row["id"], "answer": "Nine."} for row in _questions()]
    (folder / "answers.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in kept))

    assert building.run_trainer(folder, "--resume") == 0, building.log_of(folder)
    assert [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()] == kept
    assert not [event for event in building.events(folder, "progress") if event["phase"] == "answering"]


def test_without_a_teacher_nothing_is_distilled(tiny_base: Path, tmp_path: Path) -> None:
    from storage.errors import BadInput
    from storage.specs.run import RunSpec
    from trainers.run import Run
    from trainers.teacher import load_teacher

    folder = building.make_run(tmp_path / "run", "distill", tiny_base, _questions())

    with pytest.raises(BadInput, match="Distillation needs a teacher"):
        load_teacher(Run(folder, RunSpec.read(folder)))


def test_the_divergence_is_gkds() -> None:
    import torch

    from trainers.divergence import divergence

    torch.manual_seed(0)
    ours, theirs = torch.randn(5, 7), torch.randn(5, 7)
    p, q = theirs.softmax(-1), ours.softmax(-1)

    def kl(one: Any, other: Any) -> Any:
        return (one * (one / other).log()).sum(-1)

    mixed = 0.3 * p + 0.7 * q
    for beta, expected in ((0.0, kl(p, q)), (1.0, kl(q, p)), (0.3, 0.3 * kl(p, mixed) + 0.7 * kl(q, mixed))):
        assert torch.allclose(divergence(ours, theirs, beta), expected, atol=1e-6), beta
    assert torch.allclose(divergence(ours, ours, 0.5), torch.zeros(5), atol=1e-6)
    softer = kl((theirs / 2).softmax(-1), (ours / 2).softmax(-1)) * 4
    assert torch.allclose(divergence(ours, theirs, 0.0, softness=2.0), softer, atol=1e-6)


def test_prompts_that_leave_no_room_are_left_out(tiny_base: Path) -> None:
    from transformers import AutoTokenizer

    from trainers.teacher import prepare_answers, prepare_prompts, read_questions

    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    rows = [*_questions(2), {"id": "long", "prompt": json.dumps(building.turns("why " * 200)), "reference": None}]
    asked = read_questions(rows)

    answered = prepare_answers(tokenizer, asked, {"ask-0": "1.", "long": "Because."}, max_length=64)
    own = prepare_prompts(tokenizer, asked, answer_tokens=16, max_length=64)

    assert (len(answered.rows), answered.dropped) == (1, 1)
    assert (len(own.rows), own.dropped) == (2, 1)
    assert own.rows[0] == {"prompt": [{"role": "user", "content": "What is 0 plus 1?"}]}
    ids, labels = answered.rows[0]["input_ids"], answered.rows[0]["labels"]
    learnt = tokenizer.decode([token for token, label in zip(ids, labels, strict=True) if label != -100])
    assert learnt.startswith("1.")


@pytest.mark.slow
def test_a_stopped_distillation_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    options = {"by": "logits", "answer_tokens": 48, "max_steps": 24, "lora_dropout": 0.1, "learning_rate": 1e-3}
    teacher = _teacher(distillation.STARTER, distillation.scene().teacher)
    runs = [
        building.make_run(
            tmp_path / name, "distill", distillation.STARTER, _questions(24), options=options, teacher=teacher
        )
        for name in ("whole", "stopped")
    ]
    assert building.run_trainer(runs[0]) == 0, building.log_of(runs[0])
    child = start_and_wait_for_step(runs[1], 3)
    child.send_signal(signal.SIGTERM)
    assert child.wait(building.TIMEOUT) == STOPPED
    assert len(building.losses(runs[1])) < 24

    assert building.run_trainer(runs[1], "--resume") == 0, building.log_of(runs[1])
    assert building.losses(runs[1]) == building.losses(runs[0])
    hashes = [building.events(run, "done")[0]["adapter_sha256"] for run in runs]
    assert hashes[0] == hashes[1]
