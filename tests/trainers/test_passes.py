"""A batch goes through the model in the cheapest passes, and every row goes exactly once."""

from types import SimpleNamespace
from typing import Any

import pytest

from trainers.passes import Pass, Thrift, joined_length, plan_passes, thrift_of

LARGE = Thrift(width=640, passing=7.0, joins=False)
TINY = Thrift(width=64, passing=10_000.0, joins=False)
ACCELERATOR = Thrift(width=4096, passing=None, joins=False)


def test_rows_of_one_length_go_together() -> None:
    assert plan_passes([100] * 8, LARGE) == [Pass(list(range(8)), 100, False)]


def test_short_rows_are_not_filled_up_to_a_long_one() -> None:
    assert plan_passes([400, 20, 22, 20, 398], LARGE) == [Pass([1, 3, 2], 22, False), Pass([4, 0], 400, False)]


def test_a_pass_more_that_costs_more_than_it_saves_is_not_made() -> None:
    lengths = [400, 20, 22, 20, 398]

    assert plan_passes(lengths, TINY) == [Pass([1, 3, 2, 4, 0], 400, False)]
    assert plan_passes(lengths, ACCELERATOR) == [Pass([1, 3, 2, 4, 0], 400, False)]


@pytest.mark.parametrize("count", [1, 2, 31, 33, 200])
def test_every_row_goes_once_however_many_there_are(count: int) -> None:
    lengths = [10 + (at * 37) % 300 for at in range(count)]

    passes = plan_passes(lengths, LARGE)

    assert sorted(row for one in passes for row in one.rows) == list(range(count))
    assert all(one.length == max(lengths[row] for row in one.rows) for one in passes)


def test_a_pair_with_a_long_prompt_goes_as_one_row() -> None:
    joins = LARGE._replace(joins=True)

    assert joined_length(120, 150, 100) == 171  # 100 of the prompt, 20, the prompt's last once more, 50
    assert plan_passes([120, 150], joins, [100]) == [Pass([0], 171, True)]
    assert plan_passes([120, 150], ACCELERATOR, [100]) == [Pass([0, 1], 150, False)]


def test_a_pair_with_a_short_prompt_and_long_answers_goes_as_two_rows() -> None:
    """One row would save a twentieth of the tokens and cost twice the attention."""
    joins = LARGE._replace(joins=True)

    assert not any(one.joined for one in plan_passes([1000, 1000], joins, [60]))


@pytest.mark.parametrize("prompt", [0, 120])
def test_pairs_without_a_prompt_or_without_an_answer_go_as_two_rows(prompt: int) -> None:
    joins = LARGE._replace(joins=True)

    assert not any(one.joined for one in plan_passes([120, 150], joins, [prompt]))


def _model(device: str = "cpu", **config: Any) -> Any:
    """As much of a model as the costs are reckoned from."""
    known = {"model_type": "llama", "hidden_size": 640, "_attn_implementation": "sdpa", **config}
    found = SimpleNamespace(**known)
    found.get_text_config = lambda: found
    weights = [SimpleNamespace(numel=lambda: 100_000_000)]
    return SimpleNamespace(config=found, device=SimpleNamespace(type=device), parameters=lambda: weights)


def test_what_a_pass_costs_is_reckoned_from_the_model() -> None:
    assert thrift_of(_model(), alone=True) == Thrift(640, pytest.approx(4e9 / 6e8), True)
    assert thrift_of(_model(), alone=False).passing is None
    assert thrift_of(_model("cuda"), alone=True).passing is None


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bloom"},
        {"_attn_implementation": "flash_attention_2"},
        {"layer_types": ["full_attention", "sliding_attention"]},
        {"sliding_window": 4096},
    ],
)
def test_a_model_that_does_not_go_by_masks_gets_pairs_as_two_rows(config: dict[str, Any]) -> None:
    assert not thrift_of(_model(**config), alone=True).joins


def test_a_window_that_is_not_used_is_none() -> None:
    assert thrift_of(_model(model_type="qwen2", sliding_window=4096, use_sliding_window=False), alone=True).joins
