"""What is asked exactly: in float32, in passes of its own, by one thread, whatever else is being answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.event_loop import run_alone
from tests.trainers.engine.asking import Asked, ask, generated, user
from trainers.engine.row import Row
from trainers.engine.sampling import Sampling

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]


def ask_exactly(bases: Any, model: str, tokens: int, temperature: float = 0.0, seed: int = 0) -> tuple[Asked, Any]:
    import queue

    target = bases.find(model, exact=True)
    base, events = target.lane.base, queue.Queue[Any]()
    row = Row(
        base.template.tokens(user("one two three")), Sampling(tokens, temperature, 1.0, seed),
        target.adapter.key if target.adapter else None, frozenset(), base.tokenizer, events.put, exact=True,
    )  # fmt: skip
    target.lane.submit(row)
    return Asked(row, events), target.lane


@contextmanager
def passes(lane: Any) -> Iterator[list[tuple[int, int]]]:
    """Rows and threads of every forward pass of a lane's model."""
    import torch

    seen: list[tuple[int, int]] = []

    def note(_: Any, __: Any, inputs: dict[str, Any]) -> None:
        seen.append((len(inputs["input_ids"]), torch.get_num_threads()))

    handle = lane.base.model.register_forward_pre_hook(note, with_kwargs=True)
    yield seen
    handle.remove()


def test_an_exact_row_shares_no_pass_and_is_computed_by_one_thread(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])
    bases.load_adapter("a", tiny_models["a"], "base")
    lone, lane = ask_exactly(bases, "a", 30)
    lone.wait()
    with passes(lane) as seen:
        others = [ask(bases, name, tokens=60) for name in ("base", "a")]
        again, _ = ask_exactly(bases, "a", 30)
        again.wait()
        for one in others:
            one.wait()

    assert again.tokens == lone.tokens == generated(tiny_models["base"], tiny_models["a"], again.row.prompt, 30)
    assert seen.count((1, 1)) == 30  # its prompt, with the first token, and a step for each of the others
    assert {rows for rows, threads in seen if threads == 2} <= {1, 2}
    assert (2, 1) not in seen


def test_a_base_in_a_short_format_answers_exactly_in_float32(make_bases: Make, tiny_models: Models) -> None:
    """Its twin in float32 says what float32 says; the seed holds as well."""
    bases = make_bases(dtype="bfloat16")
    bases.load_base("base", tiny_models["base"])
    bases.load_adapter("a", tiny_models["a"], "base")

    exact, lane = ask_exactly(bases, "a", 40)
    exact.wait()
    drawn = [ask_exactly(bases, "a", 30, 1.0, seed)[0] for seed in (3, 3, 4)]
    for one in drawn:
        one.wait()

    assert (lane.base.dtype, bases.find("a").lane.base.dtype) == ("float32", "bfloat16")
    assert exact.tokens == generated(tiny_models["base"], tiny_models["a"], exact.row.prompt, 40)
    assert drawn[0].tokens == drawn[1].tokens
    assert drawn[0].tokens != drawn[2].tokens


def test_the_stamp_of_an_exact_answer_says_so(make_bases: Make, tiny_models: Models) -> None:
    from trainers.engine.asks import Ask
    from trainers.engine.wire import ChatRequest

    bases = make_bases(dtype="bfloat16")
    bases.load_base("base", tiny_models["base"])

    async def said(exact: bool) -> dict[str, Any]:
        ask = await Ask.begin(bases, ChatRequest(model="base", messages=user("Hi"), max_tokens=3, exact=exact))
        async for _ in ask.events():
            pass
        return ask.stamp

    exact, usual = run_alone(said(True)), run_alone(said(False))

    assert (exact["exact"], exact["dtype"]) == (True, "float32")
    assert ("exact" in usual, usual["dtype"]) == (False, "bfloat16")
    assert exact["base_sha256"] == usual["base_sha256"]


def test_an_exact_row_is_never_pushed_aside(make_bases: Make, tiny_models: Models) -> None:
    """Reading again rounds otherwise than writing, so whoever comes waits for its end."""
    bases = make_bases(most_rows=1)
    bases.load_base("base", tiny_models["base"])
    exact, lane = ask_exactly(bases, "base", 120)
    exact.row.priority = 2
    exact.next()

    with passes(lane) as seen:
        urgent = ask(bases, "base", "Hi", tokens=10)
        urgent.wait()

    assert exact.row.over
    assert (1, 1) in seen
    assert urgent.tokens == generated(tiny_models["base"], None, urgent.row.prompt, 10)
