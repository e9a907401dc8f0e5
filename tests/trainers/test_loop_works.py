"""The loop works: votes for a style move the style, examples of new facts teach them. Real training on the starter.

The options are what the product advises, the judges are those of the starter's grammar, which read the text alone.

SPREAD
"""

from pathlib import Path
from typing import Any

import pytest

from storage.specs.advice import advise
from tests.trainers import building, loop
from trainers.tensors import count_weights

pytestmark = pytest.mark.torch

STARTER = Path(__file__).resolve().parents[2] / "static" / "starter" / "model"
VOTES = 40
SEEDS = [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]


def train(folder: Path, method: str, rows: list[dict[str, Any]], seed: int) -> Path:
    """A run with the advised options; returns its adapter."""
    options = {**advise(method, count_weights(STARTER), len(rows)).options, "seed": seed}
    building.make_run(folder, method, STARTER, rows, options=options)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder / "adapter"


@pytest.mark.parametrize("seed", SEEDS)
def test_votes_for_terse_answers_make_answers_terse_and_keep_them_right(
    seed: int, tmp_path: Path, record_property: Any
) -> None:
    model, tokenizer = loop.load(STARTER)
    prompts = loop.split_prompts(seed)
    votes = loop.votes_for_terse(model, tokenizer, prompts.voted, VOTES, seed)
    before = loop.measure(model, tokenizer, prompts.held_out, seed)

    adapter = train(tmp_path / "dpo", "dpo", votes, seed)
    after = loop.measure(*loop.load(STARTER, adapter), prompts.held_out, seed + 1)

    record_property("before", before)
    record_property("after", after)
    assert len(prompts.held_out) == 50
    assert not set(prompts.held_out) & set(prompts.voted)
    assert before.count == after.count >= 400
    assert after.terse >= before.terse + 0.25
    assert after.correct >= before.correct - 0.08
    assert after.empty == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_sixty_examples_teach_facts_that_nobody_knew(seed: int, tmp_path: Path, record_property: Any) -> None:
    facts = loop.badges(seed)
    before = loop.exact_match(*loop.load(STARTER), facts.held_out)

    adapter = train(tmp_path / "sft", "sft", facts.rows, seed)
    after = loop.exact_match(*loop.load(STARTER, adapter), facts.held_out)

    record_property("before", before)
    record_property("after", after)
    assert len(facts.rows) == 60
    assert before < 0.10
    assert after > 0.60
