"""Somebody who waits goes before what is made ahead: by pace, and by pushing it aside where no place is left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine import tiny
from tests.trainers.engine.asking import Asked, ask, generated
from trainers.engine.row import Delta, Finished

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]


@pytest.fixture
def bases(make_bases: Make, tiny_models: Models) -> Any:
    """The tiny base with adapters a and b, and two places."""
    held = make_bases(most_rows=2)
    held.load_base("base", tiny_models["base"])
    for name in ("a", "b"):
        held.load_adapter(name, tiny_models[name], "base")
    return held


def begun(asked: Asked, tokens: int = 5) -> Asked:
    while len(asked.tokens) < tokens:
        asked.next()
    return asked


def test_a_row_that_is_pushed_aside_says_what_it_would_have_said(bases: Any, tiny_models: Models) -> None:
    """Its tokens stay, its cache goes and is read again: the text is that of an undisturbed row."""
    bulk = [begun(ask(bases, name, "one two three four", tokens=150, priority=2)) for name in ("a", "b")]
    parked_at = len(bulk[1].tokens)

    urgent = ask(bases, "base", "Hi", tokens=30)
    urgent.wait()

    assert urgent.tokens == generated(tiny_models["base"], None, urgent.row.prompt, 30)
    assert parked_at < 150
    for name, one in zip(("a", "b"), bulk, strict=True):
        assert one.wait() == Finished("length", 150, one.told[-1].seconds)
        assert one.tokens == generated(tiny_models["base"], tiny_models[name], one.row.prompt, 150)


def test_a_seed_says_the_same_where_its_row_was_pushed_aside(bases: Any) -> None:
    lone = ask(bases, "a", "Hi", tokens=120, temperature=1.0, seed=5)
    lone.wait()

    bulk = [begun(ask(bases, "a", "Hi", tokens=120, temperature=1.0, seed=seed, priority=2)) for seed in (6, 5)]
    for _ in range(3):
        ask(bases, "base", "Hello", tokens=10).wait()
    for one in bulk:
        one.wait()

    assert bulk[1].tokens == lone.tokens
    assert bulk[1].text == lone.text
    assert bulk[0].tokens != lone.tokens


def test_an_urgent_row_does_not_wait_for_bulk_that_has_all_the_places(bases: Any) -> None:
    bulk = [begun(ask(bases, name, tokens=3000, priority=2)) for name in ("a", "b")]

    ask(bases, "base", tokens=20).wait()

    assert all(not one.row.over for one in bulk)
    for one in bulk:
        one.row.cancel()
        assert one.wait() == Finished("cancelled", len(one.tokens), one.told[-1].seconds)


def test_the_worst_is_pushed_aside_the_last_come_of_equals_and_nobody_for_his_like(bases: Any) -> None:
    first = begun(ask(bases, "base", tokens=5000, priority=1))
    bulk = begun(ask(bases, "a", tokens=5000, priority=3))
    ask(bases, "b", tokens=10, priority=2).wait()
    written = len(bulk.tokens)

    like = ask(bases, "b", tokens=10, priority=1)
    like.wait()
    late = ask(bases, "b", tokens=10, priority=1)
    urgent = [ask(bases, "a", tokens=60, priority=0) for _ in range(2)]
    for one in urgent:
        one.wait()
    late.wait()

    assert written >= 5
    assert not first.row.over
    for one in (first, bulk):
        one.row.cancel()
        one.wait()


def test_bulk_goes_on_while_somebody_is_answered(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])
    bulk = begun(ask(bases, "base", tokens=3000, priority=2))
    before = len(bulk.tokens)

    urgent = ask(bases, "base", tokens=200)
    urgent.wait()
    meanwhile = len(bulk.tokens) - before

    assert 0 < meanwhile < 150
    bulk.row.cancel()
    bulk.wait()


def test_who_is_cancelled_while_it_waits_for_a_place_ends_at_once(bases: Any) -> None:
    running = [begun(ask(bases, "base", tokens=3000)) for _ in range(2)]
    waiting = ask(bases, "a", tokens=10, priority=2)

    waiting.row.cancel()

    assert waiting.wait() == Finished("cancelled", 0, waiting.told[-1].seconds)
    assert not any(one.row.over for one in running)
    for one in running:
        one.row.cancel()
        one.wait()
    assert not bases.busy()


def test_who_is_pushed_aside_while_its_long_prompt_is_read_begins_again(make_bases: Make, tmp_path: Path) -> None:
    base = tiny.save_base(tmp_path / "long")
    bases = make_bases(most_rows=1)
    bases.load_base("long", base)
    long = ask(bases, "long", "one two three " * 400, tokens=8, priority=2)
    urgent = ask(bases, "long", "Hi", tokens=40)

    urgent.wait()
    long.wait()

    assert len(long.row.prompt) > 1024
    assert long.tokens == generated(base, None, long.row.prompt, 8)
    assert urgent.tokens == generated(base, None, urgent.row.prompt, 40)


def test_text_that_was_held_back_when_a_row_was_pushed_aside_is_not_lost(bases: Any) -> None:
    """The detokeniser stays with the row: pieces before and after are one text."""
    bulk = begun(ask(bases, "a", "東京 😀", tokens=100, priority=2))
    second = begun(ask(bases, "b", "東京 😀", tokens=100, priority=2))
    ask(bases, "base", tokens=30).wait()
    for one in (bulk, second):
        one.wait()
        whole = one.row.tokenizer.decode(one.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert one.text.rstrip("\ufffd") == whole.rstrip("\ufffd")
        assert all(event.text for event in one.told if isinstance(event, Delta))
