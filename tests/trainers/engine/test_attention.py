"""A base in bfloat16 attends in float32 over a wider cache, and says what its weights say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine import tiny
from tests.trainers.engine.asking import Asked, ask

pytestmark = pytest.mark.torch

PROMPTS = ("Hi", "one two three four five six seven eight nine ten " * 12, "What is the capital of France?")
# Rounding to bfloat16 moves a logit of these models by less; their spread is about 4.
SLIGHT = 0.35


def behind(base: Path, asked: Asked) -> float:
    """By how much the worst of a row's tokens lies behind the likeliest, by the same weights in float32 alone."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).float().eval()
    with torch.no_grad():
        logits = model(torch.tensor([[*asked.row.prompt, *asked.tokens]])).logits[0, len(asked.row.prompt) - 1 : -1]
    chosen = logits.gather(1, torch.tensor(asked.tokens)[:, None])[:, 0]
    return float((logits.amax(1) - chosen).max())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("llama", {}),
        ("mistral", {"sliding_window": 16}),
        ("gemma3_text", {"sliding_window": 16, "sliding_window_pattern": 2}),
        ("gpt2", {"n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 4096}),
    ],
)
def test_rows_of_different_length_say_what_the_weights_say(
    kind: str, options: dict[str, Any], make_bases: Callable[..., Any], tmp_path: Path
) -> None:
    base = tiny.save_base(tmp_path / kind, kind=kind, **options)
    bases = make_bases(dtype="bfloat16")
    bases.load_base(kind, base)
    asked = [ask(bases, kind, prompt, tokens=40) for prompt in PROMPTS]

    for one in asked:
        one.wait()

    assert bases.find(kind).lane.base.dtype == "bfloat16"
    assert [behind(base, one) < SLIGHT for one in asked] == [True, True, True]


def test_the_cache_of_a_short_format_is_kept_in_float32_and_grows_in_place(tmp_path: Path) -> None:
    import torch

    from trainers.engine.growing import WideLayer

    layer, states = WideLayer(), torch.arange(8, dtype=torch.bfloat16).view(1, 1, 4, 2)
    first = layer.update(states, states + 1)
    layer.update(states[..., :1, :], states[..., :1, :])
    room = layer.keys.data_ptr()
    keys, values = layer.update(states[..., 1:2, :], states[..., 2:3, :])

    assert first[0] is states
    assert keys.data_ptr() == room
    assert (keys.dtype, values.dtype) == (torch.float32, torch.float32)
    assert keys[0, 0].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [0, 1], [2, 3]]
    assert values[0, 0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [0, 1], [4, 5]]
