"""What is measured after a run: losses, answers, canaries, forgetting, by tag and language; where it is told."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from storage.home import read_json
from storage.runs import freeze_rows
from tests.trainers import building
from trainers.texts_metrics import chrf, exact_match, rouge_l


@pytest.mark.parametrize(
    ("measure", "answer", "reference", "expected"),
    [
        (exact_match, " A  rose. ", "a rose.", 1.0),
        (exact_match, "A rose", "a rose.", 0.0),
        (rouge_l, "the cat sat on the mat", "the cat is on the mat", 10 / 12),
        (rouge_l, "dog", "cat", 0.0),
        (rouge_l, "", "cat", 0.0),
        (rouge_l, "Cat!", "cat", 1.0),
        (chrf, "rose", "rose", 1.0),
        (chrf, "", "", 1.0),
        (chrf, "xyz", "rose", 0.0),
        # one gram: 2 of 2 said, 2 of 3 wanted; two grams: 1 of 1 said, 1 of 2 wanted; F2 of each, their mean
        (chrf, "ab", "abc", (5 * (2 / 3) / (4 + 2 / 3) + 5 * 0.5 / (4 + 0.5)) / 2),
    ],
)
def test_nearness_of_texts(measure: Any, answer: str, reference: str, expected: float) -> None:
    assert measure(answer, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "a", "messages": json.dumps(building.turns("Q", "A", "Q2", "A2"))}, (3, "A2")),
        ({"id": "a", "messages": building.turns("only a question")}, None),
        ({"id": "a", "prompt": "Q", "completion": "A"}, (1, "A")),
        ({"id": "a", "prompt": "Q", "completion": "A", "label": False}, None),
        ({"id": "a", "prompt": "Q"}, None),
        ({"id": "a", "text": "words"}, (0, "words")),
        (building.preferences(1)[0], (1, "1.")),
    ],
)
def test_rows_of_every_shape_say_what_was_wanted(row: dict[str, Any], expected: tuple[int, str] | None) -> None:
    from trainers.references import references

    found = references([row])

    assert ([(len(one.prompt), one.text) for one in found] or [None]) == [expected]


def test_pairs_are_told_from_ties_and_single_answers() -> None:
    from trainers.references import pairs

    row = building.preferences(1)[0]
    found = pairs([row, {**row, "tie": True}, {"id": "x", "prompt": "Q", "completion": "A"}])

    assert [(better.text, worse.text) for better, worse in found] == [("1.", "Well now, it is 1.")]


@pytest.mark.slow
@pytest.mark.torch
def test_preferences_that_were_learnt_win_on_held_out_pairs(tiny_base: Path, tmp_path: Path) -> None:
    options = {"max_steps": 20, "learning_rate": 2e-3}
    run = building.make_run(tmp_path / "dpo", "dpo", tiny_base, building.preferences(60), options=options)

    assert building.run_trainer(run) == 0, building.log_of(run)
    held = (read_json(run / "evaluation.json") or {})["held_out"]
    assert (held["rows"], held["accuracy"]) == (6, 1.0)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, sft_run: Path) -> Path:
    """A run that goes on from another, with rows to measure on, labels, and rows of the round before."""
    folder = building.make_run(
        tmp_path_factory.mktemp("runs") / "measured",
        "sft",
        tiny_base,
        adapter_path=str(sft_run / "adapter"),
        options={"max_steps": 4, "learning_rate": 2e-3},
    )
    held = [
        {"id": f"held-{at}", "messages": json.dumps(building.turns(f"What is {at} plus 1?", f"It is {at + 1}."))}
        for at in range(30, 36)
    ]
    labels = [
        {"id": f"held-{at}", "tags": json.dumps(["sums", "even"] if at % 2 == 0 else ["sums"]), "language": "en"}
        for at in range(30, 36)
    ]
    freeze_rows(folder / "eval.parquet", held)
    freeze_rows(folder / "labels.parquet", labels)
    freeze_rows(folder / "earlier.parquet", building.preferences(6))
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


@pytest.mark.torch
def test_what_was_found_is_in_the_file_and_in_the_event(measured: Path) -> None:
    found = read_json(measured / "evaluation.json")
    (event,) = building.events(measured, "evaluation")

    assert found is not None
    assert {name: event[name] for name in found} == found
    assert sorted(found) == ["best", "by", "canaries", "forgetting", "held_out", "stopped_early"]


@pytest.mark.torch
def test_held_out_rows_are_likelier_after_the_run(measured: Path) -> None:
    held = (read_json(measured / "evaluation.json") or {})["held_out"]

    assert held["rows"] == 6
    assert held["loss"] < held["before_loss"]
    assert held["perplexity"] == pytest.approx(math.exp(held["loss"]), rel=1e-3)
    assert {name for name in held if 0 <= held[name] <= 1} >= {"exact_match", "rouge_l", "chrf"}


@pytest.mark.torch
def test_losses_are_those_of_the_plain_library(measured: Path, sft_run: Path, tiny_base: Path) -> None:
    from tests.trainers import loop
    from trainers.references import likelihoods, mean_loss, references

    rows = references([json.loads(json.dumps(row)) for row in building.conversations(3)])
    model, tokenizer = loop.load(tiny_base, sft_run / "adapter")
    import torch

    expected, tokens = 0.0, 0
    for row in rows:
        prompt = tokenizer.apply_chat_template(row.prompt, add_generation_prompt=True, return_dict=True)["input_ids"]
        ids = tokenizer.apply_chat_template(row.prompt + row.answer, return_dict=True)["input_ids"]
        labels = torch.tensor([[-100] * len(prompt) + ids[len(prompt) :]])
        with torch.no_grad():
            loss = model.eval()(input_ids=torch.tensor([ids]), labels=labels).loss
        expected, tokens = expected + float(loss) * (len(ids) - len(prompt)), tokens + len(ids) - len(prompt)

    assert mean_loss(likelihoods(model, tokenizer, rows, 1024)) == pytest.approx(expected / tokens, abs=1e-4)


@pytest.mark.torch
def test_losses_are_told_by_tag_and_language(measured: Path) -> None:
    by = (read_json(measured / "evaluation.json") or {})["by"]

    assert [(group["name"], group["rows"]) for group in by["tag"]] == [("sums", 6), ("even", 3)]
    assert [(group["name"], group["rows"]) for group in by["language"]] == [("en", 6)]
    assert all(group["loss"] > 0 for groups in by.values() for group in groups)


@pytest.mark.torch
def test_canaries_stand_beside_what_was_said_before(measured: Path) -> None:
    canaries = (read_json(measured / "evaluation.json") or {})["canaries"]

    assert len(canaries) == 8
    assert canaries[2]["prompt"] == "What is the capital of France?"
    assert all(one["same"] == (one["before"] == one["after"]) for one in canaries)
    assert any(not one["same"] for one in canaries)


@pytest.mark.torch
def test_what_was_forgotten_is_measured_on_earlier_rows_and_on_the_bases_own_answers(
    measured: Path, sft_run: Path
) -> None:
    forgetting = (read_json(measured / "evaluation.json") or {})["forgetting"]

    assert forgetting["earlier"]["rows"] == 6
    assert forgetting["earlier"]["before"] != forgetting["earlier"]["after"]
    assert set(forgetting["earlier"]["win_rate"]) == {"before", "after"}
    assert forgetting["base_answers"]["rows"] > 0
    # Where a run starts from the base itself, what was before is its own greedy answers: they only become less likely.
    own = (read_json(sft_run / "evaluation.json") or {})["forgetting"]
    assert own["base_answers"]["after"] > own["base_answers"]["before"]
    assert own["earlier"] is None


@pytest.mark.torch
def test_the_card_holds_the_recipe_and_what_was_found(measured: Path) -> None:
    card = (measured / "adapter" / "README.md").read_text(encoding="utf-8")
    found = read_json(measured / "evaluation.json") or {}

    assert f"| perplexity | {found['held_out']['perplexity']} |" in card
    assert "| lora_r | 16 |" in card
    assert "| even (3 rows) |" in card
    assert "## Canary prompts" in card
    assert str(measured) not in card


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("how", ["full", "ia3", "stack"])
def test_what_was_before_is_known_where_the_base_itself_was_changed(
    how: str, tiny_base: Path, sft_run: Path, tmp_path: Path
) -> None:
    options = {"max_steps": 8, "learning_rate": 1e-3, "tuning": "lora" if how == "stack" else how}
    spec = {"adapter_path": str(sft_run / "adapter"), "start": "stack"} if how == "stack" else {}
    run = building.make_run(tmp_path / how, "sft", tiny_base, building.conversations(60), options=options, **spec)

    assert building.run_trainer(run) == 0, building.log_of(run)
    found = read_json(run / "evaluation.json")
    own = (read_json(sft_run / "evaluation.json") or {})["canaries"]
    assert found is not None, building.log_of(run)
    assert found["held_out"]["loss"] < found["held_out"]["before_loss"]
    # A stack begins where the run below it ended, the others at the base.
    assert [one["before"] for one in found["canaries"]] == [one["after" if how == "stack" else "before"] for one in own]
