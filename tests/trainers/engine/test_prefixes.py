"""The next turn of a chat reads only what is new, and says what it says alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.errors import RatchetError
from tests.trainers.engine import tiny
from tests.trainers.engine.asking import Asked, ask, generated
from trainers.engine.row import Failed

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]
LONG = "What is the capital of France? " * 12


class Chat:
    """A conversation with one model, asked greedily turn by turn."""

    def __init__(self, bases: Any, model: str, first: str) -> None:
        self.bases, self.model = bases, model
        self.base = bases.find(model).lane.base
        self.messages = [{"role": "user", "content": first}]

    @property
    def prompt(self) -> list[int]:
        ids: list[int] = self.base.template.tokens(self.messages)
        return ids

    def turn(self, tokens: int = 20, **more: Any) -> Asked:
        return ask(self.bases, self.model, prompt=self.prompt, tokens=tokens, **more)

    def go_on(self, asked: Asked, question: str) -> None:
        self.messages = [*self.messages, {"role": "assistant", "content": asked.text},
                         {"role": "user", "content": question}]  # fmt: skip


@contextmanager
def reading(lane: Any) -> Iterator[list[int]]:
    """The tokens of prompts in each pass of a lane's base."""
    read: list[int] = []

    def note(_: Any, inputs: Any) -> None:
        if inputs[0].shape[0] == 1 and inputs[0].shape[1] > 1:
            read.append(inputs[0].shape[1])

    handle = lane.base.model.get_input_embeddings().register_forward_pre_hook(note)
    try:
        yield read
    finally:
        handle.remove()


@pytest.fixture
def bases(make_bases: Make, tiny_models: Models) -> Any:
    """The tiny base with adapters a, b and the DoRA one."""
    held = make_bases()
    held.load_base("base", tiny_models["base"])
    for name in ("a", "b", "dora"):
        held.load_adapter(name, tiny_models[name], "base")
    return held


def alone(models: Models, name: str, prompt: list[int], tokens: int = 20) -> list[int]:
    return generated(models["base"], None if name == "base" else models[name], prompt, tokens)


def test_chats_with_base_and_adapters_at_once_say_in_every_turn_what_they_say_alone(
    bases: Any, tiny_models: Models
) -> None:
    lane = bases.find("base").lane
    chats = [Chat(bases, name, LONG + name[:1] * at) for at, name in enumerate(("base", "a", "b", "dora", "base", "a"))]
    for question in ("And of Italy?", "one two three", "東京 😀", "Good morning!"):
        with reading(lane) as read:
            asked = [chat.turn() for chat in chats]
            for one in asked:
                one.wait()
        expected = [alone(tiny_models, chat.model, chat.prompt) for chat in chats]
        assert [one.tokens for one in asked] == expected
        if len(chats[0].messages) > 1:  # of each turn what the one before had not read
            assert sum(read) < sum(len(chat.prompt) for chat in chats) / 2
        for chat, one in zip(chats, asked, strict=True):
            chat.go_on(one, question)


def test_a_turn_reads_what_the_turn_before_had_not_read(bases: Any) -> None:
    lane = bases.find("base").lane
    chat = Chat(bases, "a", LONG)
    before = chat.prompt
    chat.go_on(asked_whole(chat), "And of Italy?")

    with reading(lane) as read:
        asked_whole(chat)

    assert chat.prompt[: len(before)] == before
    assert read == [len(chat.prompt) - len(before)]


def asked_whole(chat: Chat, **more: Any) -> Asked:
    one = chat.turn(**more)
    one.wait()
    return one


def test_two_branches_of_a_chat_do_not_disturb_what_both_begin_with(bases: Any, tiny_models: Models) -> None:
    first = Chat(bases, "a", LONG)
    asked_whole(first, tokens=60)
    branches = [Chat(bases, "a", LONG + tail) for tail in ("one two three", "Good morning!", "東京")]

    with reading(bases.find("base").lane) as read:
        asked = [chat.turn(tokens=40) for chat in (*branches, first)]
        for one in asked:
            one.wait()

    assert sum(read) < len(first.prompt)
    expected = [alone(tiny_models, "a", chat.prompt, 40) for chat in (*branches, first)]
    assert [one.tokens for one in asked] == expected


def test_what_one_adapter_has_read_is_nothing_to_another(bases: Any, tiny_models: Models) -> None:
    asked_whole(Chat(bases, "a", LONG))
    other = Chat(bases, "b", LONG)

    with reading(bases.find("base").lane) as read:
        one = asked_whole(other)

    assert read == [len(other.prompt)]
    assert one.tokens == alone(tiny_models, "b", other.prompt)


def test_an_adapter_that_is_loaded_anew_reads_anew(bases: Any, tiny_models: Models) -> None:
    lane = bases.find("base").lane
    chat = Chat(bases, "a", LONG)
    asked_whole(chat)
    kept = lane.prefixes.tokens
    bases.unload_adapter("a")
    lane.call(lambda: None)
    gone = lane.call(lambda: lane.prefixes.tokens)
    bases.load_adapter("a", tiny_models["b"], "base")

    with reading(lane) as read:
        one = asked_whole(chat)

    assert (kept, gone, read) == (len(chat.prompt), 0, [len(chat.prompt)])
    assert one.tokens == alone(tiny_models, "b", chat.prompt)


@pytest.mark.parametrize("settings", [{"exact": True}, {"priority": 1}, {"priority": 2}])
def test_exact_rows_and_those_that_nobody_waits_for_neither_give_nor_take(settings: Any, bases: Any) -> None:
    lane = bases.find("base").lane
    chat = Chat(bases, "base", LONG)
    with reading(lane) as read:
        asked_whole(chat, **settings)
        asked_whole(chat)
        again = asked_whole(chat, **settings)

    per_row = [len(chat.prompt)] if settings.get("exact") else pieces(len(chat.prompt), 128)
    assert read == [*per_row, len(chat.prompt), *per_row]
    assert again.tokens


def pieces(tokens: int, most: int) -> list[int]:
    """How a prompt is read in pieces."""
    return [min(most, tokens - start) for start in range(0, tokens, most)]


def test_what_is_kept_is_bounded_and_the_oldest_goes(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])
    lane = bases.find("base").lane
    chats = [Chat(bases, "base", f"{at} " + "one two three four five six " * 100) for at in range(12)]

    for chat in chats:
        asked_whole(chat, tokens=2)
    with reading(lane) as read:
        asked_whole(chats[-1], tokens=2)
        asked_whole(chats[0], tokens=2)

    from trainers.engine.prefixes import MOST_TOKENS

    assert MOST_TOKENS / 2 < lane.prefixes.tokens <= MOST_TOKENS < sum(len(chat.prompt) for chat in chats)
    assert sum(read) == len(chats[0].prompt)  # the newest reads one token, which is no piece


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("mistral", {"sliding_window": 16}),
        ("gemma3_text", {"sliding_window": 16, "sliding_window_pattern": 2}),
    ],
)
def test_sliding_windows_hold_in_the_next_turn(
    kind: str, options: dict[str, Any], make_bases: Make, tmp_path: Path
) -> None:
    base = tiny.save_base(tmp_path / kind, kind=kind, **options)
    bases = make_bases()
    bases.load_base(kind, base)
    chat = Chat(bases, kind, LONG)

    for question in ("And of Italy?", "one two three"):
        one = asked_whole(chat)
        assert one.tokens == generated(base, None, chat.prompt, 20)
        chat.go_on(one, question)
    assert bases.find(kind).lane.prefixes.tokens


def test_after_a_failed_pass_nothing_is_kept_and_answers_are_right(bases: Any, tiny_models: Models) -> None:
    lane = bases.find("base").lane
    chat = Chat(bases, "a", LONG)
    asked_whole(chat)
    handle = lane.base.model.model.layers[1].mlp.register_forward_pre_hook(_raise)
    end = chat.turn().wait()
    handle.remove()

    assert isinstance(end, Failed) and isinstance(end.error, RatchetError)
    assert lane.prefixes.tokens == 0
    assert asked_whole(chat).tokens == alone(tiny_models, "a", chat.prompt)


def _raise(*_: Any) -> None:
    raise RuntimeError("the kernel broke")
