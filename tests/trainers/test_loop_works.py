"""The loop works: votes for a style move the style, examples of new facts teach them. Real training on the starter.

The options are what the product advises, the judges are those of the starter's grammar, which read the text alone.

Measured once with three seeds (0, 1, 2), 500 samples before and after on 50 held-out prompts, 40 votes, 40 steps:

    terse     26 -> 67 %, 29 -> 70 %, 28 -> 60 %       (+40, +40, +31 points)
    correct   95.0 -> 93.6 %, 94.2 -> 95.0 %, 99.0 -> 97.0 %   (-1.4, +0.8, -2.0 points)
    empty     none
    (The options were chosen by trials with these seeds, so the three are not independent of the choice.)
    on an adapter that SFT had trained, seed 0, two thirds of the step: terse 34 -> 67 %, correct 93.8 -> 92.2 %, none
    empty
    held-out exact match of the new facts after 60 examples (6 of them held out), 121 steps: 0 -> 98 %, 92 %, 98 %
"""

import math
from pathlib import Path
from typing import Any

import pytest

from storage.specs.advice import advise
from storage.specs.holding import held_out_rows
from storage.weights import count_weights
from tests.trainers import building, loop

pytestmark = pytest.mark.torch

STARTER = Path(__file__).resolve().parents[2] / "static" / "starter" / "model"
VOTES = 40
SEEDS = [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]


def train(
    folder: Path, method: str, rows: list[dict[str, Any]], seed: int, previous: Path | None = None, **own: Any
) -> Path:
    """A run with the advised options and `own` ones, on the base or a `previous` adapter; returns its adapter."""
    learnt = len(rows) - held_out_rows(
        len(rows), {"held_out": 0.1}
    )  # as the product reckons (`studio.training.planning`)
    advised = advise(method, count_weights(STARTER), learnt, continued=previous is not None).options
    spec = {"adapter_path": str(previous)} if previous else {}
    building.make_run(folder, method, STARTER, rows, options={**advised, "seed": seed, **own}, **spec)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder / "adapter"


@pytest.mark.parametrize("seed", SEEDS)
def test_votes_for_terse_answers_make_answers_terse_and_keep_them_right(seed: int, tmp_path: Path) -> None:
    model, tokenizer = loop.load(STARTER)
    prompts = loop.split_prompts(seed)
    votes = loop.votes_for_terse(model, tokenizer, prompts.voted, VOTES, seed)
    before = loop.measure(model, tokenizer, prompts.held_out, seed)

    adapter = train(tmp_path / "dpo", "dpo", votes, seed)
    after = loop.measure(*loop.load(STARTER, adapter), prompts.held_out, seed + 1)

    print(before, after)  # pytest -s shows the spread
    assert len(prompts.held_out) == 50
    assert not set(prompts.held_out) & set(prompts.voted)
    assert before.count == after.count >= 400
    assert after.terse >= before.terse + 0.25
    assert after.correct >= before.correct - 0.08
    assert after.empty == 0


@pytest.mark.slow
def test_votes_on_a_trained_adapter_keep_its_answers_right(tmp_path: Path) -> None:
    prompts = loop.split_prompts(0)
    taught = train(tmp_path / "sft", "sft", loop.starter_examples(100), 0)
    model, tokenizer = loop.load(STARTER, taught)
    votes = loop.votes_for_terse(model, tokenizer, prompts.voted, VOTES, 0)
    before = loop.measure(model, tokenizer, prompts.held_out, 0)

    adapter = train(tmp_path / "dpo", "dpo", votes, 0, previous=taught)
    after = loop.measure(*loop.load(STARTER, adapter), prompts.held_out, 1)

    print(before, after)  # pytest -s shows the spread
    assert building.losses(tmp_path / "dpo")[0] == pytest.approx(math.log(2), abs=1e-4)
    assert after.terse >= before.terse + 0.25
    assert after.correct >= before.correct - 0.08
    assert after.empty == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_sixty_examples_teach_facts_that_nobody_knew(seed: int, tmp_path: Path) -> None:
    facts = loop.badges(seed)
    before = loop.exact_match(*loop.load(STARTER), facts.held_out)

    adapter = train(tmp_path / "sft", "sft", facts.rows, seed)
    after = loop.exact_match(*loop.load(STARTER, adapter), facts.held_out)

    print(before, after)  # pytest -s shows the spread
    assert len(facts.rows) == 60
    assert before < 0.10
    assert after > 0.60
