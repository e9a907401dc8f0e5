"""The decode loop against transformers' `generate`, row by row, in float32."""

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.errors import NotReady, RatchetError
from tests.trainers.engine import tiny
from tests.trainers.engine.asking import ask, generated
from trainers.engine.row import Delta, Failed, Finished

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]
PROMPTS = ("Hi", "What is the capital of France?", "one two three four five six seven eight nine ten", "東京 😀")


@pytest.fixture
def bases(make_bases: Make, tiny_models: Models) -> Any:
    """The tiny base with adapters a, b and the DoRA one."""
    held = make_bases()
    held.load_base("base", tiny_models["base"])
    for name in ("a", "b", "dora"):
        held.load_adapter(name, tiny_models[name], "base")
    return held


def alone(models: Models, name: str, prompt: list[int], tokens: int) -> list[int]:
    return generated(models["base"], None if name == "base" else models[name], prompt, tokens)


def test_base_and_adapters_in_one_batch_answer_as_each_does_alone_with_generate(
    bases: Any, tiny_models: Models
) -> None:
    names = ("base", "a", "b", "base", "a", "b")
    asked = [ask(bases, name, PROMPTS[at % 4], tokens=40) for at, name in enumerate(names)]

    for one in asked:
        one.wait()

    expected = [alone(tiny_models, name, one.row.prompt, 40) for name, one in zip(names, asked, strict=True)]
    assert [one.tokens for one in asked] == expected
    assert len({tuple(tokens) for tokens in expected}) == len(expected)  # the adapters do act


def test_rows_join_while_others_are_written_and_leave_at_their_own_length(bases: Any, tiny_models: Models) -> None:
    first = ask(bases, "a", PROMPTS[2], tokens=80)
    while len(first.tokens) < 10:
        first.next()
    second = ask(bases, "base", "Hi", tokens=5)
    second.wait()
    third = ask(bases, "b", PROMPTS[1], tokens=60)

    ends = [one.wait() for one in (first, third)]

    assert [(type(end), end.reason, end.tokens) for end in ends] == [(Finished, "length", 80), (Finished, "length", 60)]
    assert first.tokens == alone(tiny_models, "a", first.row.prompt, 80)
    assert second.tokens == alone(tiny_models, "base", second.row.prompt, 5)
    assert third.tokens == alone(tiny_models, "b", third.row.prompt, 60)


def test_a_cancelled_row_stops_and_the_others_go_on_unchanged(bases: Any, tiny_models: Models) -> None:
    kept = ask(bases, "a", "Hi", tokens=120)
    dropped = ask(bases, "b", PROMPTS[2], tokens=400)
    while len(dropped.tokens) < 5:
        dropped.next()

    dropped.row.cancel()

    assert dropped.wait() == Finished("cancelled", len(dropped.tokens), dropped.told[-1].seconds)
    assert len(dropped.tokens) < 400
    kept.wait()
    assert kept.tokens == alone(tiny_models, "a", kept.row.prompt, 120)


def test_after_an_exception_in_a_mixed_batch_every_adapter_still_answers_as_itself(
    bases: Any, tiny_models: Models
) -> None:
    """PEFT's own mixed batches leave hooks behind here: the next plain answer silently came from adapter A."""
    lane = bases.find("base").lane
    asked = [ask(bases, name, "Hi", tokens=200) for name in ("base", "a", "b")]
    for one in asked:
        one.next()
    handle = lane.base.model.model.layers[1].mlp.register_forward_pre_hook(_raise)

    ends = [one.wait() for one in asked]
    handle.remove()

    assert all(isinstance(end, Failed) for end in ends)
    assert "RuntimeError: the kernel broke" in str(ends[0].error)
    for name in ("b", "a", "base", "dora"):
        again = ask(bases, name, PROMPTS[1])
        again.wait()
        assert again.tokens == alone(tiny_models, name, again.row.prompt, 24)


def _raise(*_: Any) -> None:
    raise RuntimeError("the kernel broke")


def test_an_exception_while_a_prompt_is_read_ends_that_row_alone(bases: Any, tiny_models: Models) -> None:
    writing = ask(bases, "a", "Hi", tokens=150)
    writing.next()
    lane = bases.find("base").lane
    handle = lane.base.model.model.layers[0].register_forward_pre_hook(_raise_on_prompts)

    broken = ask(bases, "b", "Hi")
    end = broken.wait()
    handle.remove()

    assert isinstance(end, Failed)
    writing.wait()
    assert writing.tokens == alone(tiny_models, "a", writing.row.prompt, 150)


def _raise_on_prompts(_: Any, inputs: Any) -> None:
    if inputs[0].shape[1] > 1:
        raise RuntimeError("the prompt broke")


def test_a_dora_adapter_answers_beside_a_mixed_batch(bases: Any, tiny_models: Models) -> None:
    """PEFT refuses DoRA in a mixed batch, so it gets a batch of its own; nobody notices."""
    names = ("a", "dora", "base", "dora")
    asked = [ask(bases, name, prompt) for name, prompt in zip(names, PROMPTS, strict=True)]

    for one in asked:
        one.wait()

    expected = [alone(tiny_models, name, one.row.prompt, 24) for name, one in zip(names, asked, strict=True)]
    assert [one.tokens for one in asked] == expected


def test_a_seed_makes_the_same_answer_whoever_else_is_being_answered(bases: Any) -> None:
    lone = ask(bases, "a", "Hi", tokens=40, temperature=1.0, seed=7)
    lone.wait()
    others = [ask(bases, name, PROMPTS[1], tokens=60, temperature=1.0, seed=1) for name in ("base", "b")]
    again = ask(bases, "a", "Hi", tokens=40, temperature=1.0, seed=7)
    other_seed = ask(bases, "a", "Hi", tokens=40, temperature=1.0, seed=8)

    for one in (*others, again, other_seed):
        one.wait()

    assert again.tokens == lone.tokens
    assert other_seed.tokens != lone.tokens


def test_the_deltas_of_a_row_are_its_text(bases: Any) -> None:
    one = ask(bases, "base", "Hi", tokens=60)
    one.wait()

    whole = one.row.tokenizer.decode(one.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert one.text.rstrip("\ufffd") == whole.rstrip("\ufffd")


def test_an_adapter_is_unloaded_while_it_and_others_are_streaming(bases: Any, tiny_models: Models) -> None:
    on_a = ask(bases, "a", "Hi", tokens=100)
    on_b = ask(bases, "b", "Hi", tokens=100)
    on_a.next()
    on_b.next()

    bases.unload_adapter("a")

    assert [line.name for line in bases.listed()] == ["base", "b", "dora"]
    on_a.wait()
    on_b.wait()
    assert on_a.tokens == alone(tiny_models, "a", on_a.row.prompt, 100)
    assert on_b.tokens == alone(tiny_models, "b", on_b.row.prompt, 100)
    bases.load_adapter("a", tiny_models["a"], "base")
    after = ask(bases, "a", "Hi", tokens=30)
    after.wait()
    assert after.tokens == on_a.tokens[:30]


def test_an_adapter_is_loaded_while_others_are_streaming(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])
    streaming = ask(bases, "base", PROMPTS[1], tokens=300)
    streaming.next()

    bases.load_adapter("a", tiny_models["a"], "base")
    joined = ask(bases, "a", "Hi", tokens=40)

    joined.wait()
    streaming.wait()
    assert streaming.tokens == alone(tiny_models, "base", streaming.row.prompt, 300)
    assert joined.tokens == alone(tiny_models, "a", joined.row.prompt, 40)


def test_a_long_prompt_is_read_in_pieces_between_the_steps_of_others(
    make_bases: Make, tmp_path: Path, tiny_models: Models
) -> None:
    base = tiny.save_base(tmp_path / "long")
    bases = make_bases()
    bases.load_base("long", base)
    writing = ask(bases, "long", "Hi", tokens=600)
    writing.next()
    before = len(writing.tokens)

    long = ask(bases, "long", "one two three " * 400, tokens=8)
    long.wait()

    assert len(long.row.prompt) > 1024
    assert len(writing.tokens) > before
    writing.wait()
    assert long.tokens == generated(base, None, long.row.prompt, 8)
    assert writing.tokens == generated(base, None, writing.row.prompt, 600)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("mistral", {"sliding_window": 16}),
        ("qwen3", {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}),
        ("gemma3_text", {"sliding_window": 16, "sliding_window_pattern": 2}),
    ],
)
def test_sliding_windows_hold_for_rows_of_different_length(
    kind: str, options: dict[str, Any], make_bases: Make, tmp_path: Path
) -> None:
    base = tiny.save_base(tmp_path / kind, kind=kind, **options)
    bases = make_bases()
    bases.load_base(kind, base)
    asked = [ask(bases, kind, prompt, tokens=50) for prompt in PROMPTS]

    for one in asked:
        one.wait()

    assert [one.tokens for one in asked] == [generated(base, None, one.row.prompt, 50) for one in asked]


def test_an_architecture_whose_cache_cannot_be_padded_is_answered_row_by_row(make_bases: Make, tmp_path: Path) -> None:
    base = tiny.save_base(tmp_path / "lfm2", kind="lfm2", layer_types=["conv", "full_attention"])
    bases = make_bases()
    bases.load_base("lfm2", base)
    asked = [ask(bases, "lfm2", prompt) for prompt in PROMPTS]

    for one in asked:
        one.wait()

    assert [one.tokens for one in asked] == [generated(base, None, one.row.prompt, 24) for one in asked]


def test_damaged_weights_end_the_row_with_a_sentence(make_bases: Make, tmp_path: Path) -> None:
    bases = make_bases()
    bases.load_base("base", tiny.save_base(tmp_path / "nan"))
    bases.find("base").lane.base.model.model.norm.weight.data.fill_(float("nan"))

    end = ask(bases, "base").wait()

    assert isinstance(end, Failed)
    assert "not finite" in str(end.error)


def test_a_row_stops_at_an_end_token_and_does_not_say_it(bases: Any) -> None:
    free = ask(bases, "base", "Hi", tokens=30)
    free.wait()
    end = free.tokens[12]

    stopped = ask(bases, "base", "Hi", tokens=30, ends=frozenset({end}))

    assert stopped.wait() == Finished("stop", len(stopped.tokens), stopped.told[-1].seconds)
    assert stopped.tokens == free.tokens[: free.tokens.index(end) + 1]
    assert free.text.startswith(stopped.text)


def test_more_rows_than_fit_wait_their_turn_by_priority(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases(most_rows=1)
    bases.load_base("base", tiny_models["base"])
    shared: queue.Queue[Any] = queue.Queue()
    running = ask(bases, "base", tokens=100)
    running.next()
    ask(bases, "base", tokens=3, priority=5, events=shared)
    ask(bases, "base", tokens=4, priority=1, events=shared)

    ends = []
    while len(ends) < 2:
        event = shared.get(timeout=60)
        ends += [event.tokens] if isinstance(event, Finished) else []

    assert ends == [4, 3]


def test_ending_a_lane_fails_its_rows_with_a_sentence(bases: Any) -> None:
    one = ask(bases, "base", tokens=400)
    one.next()

    bases.find("base").lane.stop()

    end = one.wait()
    assert isinstance(end, Failed) and isinstance(end.error, NotReady)
    with pytest.raises(RatchetError, match="put the base 'base' out"):
        bases.find("base").lane.call(lambda: None)
    late = ask(bases, "base")
    assert isinstance(late.wait(), Failed)
    assert not any(isinstance(event, Delta) for event in late.told)
