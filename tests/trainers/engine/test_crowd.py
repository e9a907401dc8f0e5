"""Sixteen askers of four adapters at once, while adapters come and go and one asker in five hangs up."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine import tiny
from tests.trainers.engine.asking import ask, generated
from trainers.engine.row import Finished

pytestmark = pytest.mark.torch

ASKERS = 16
ANSWERS = 5
TOKENS = 30
PROMPTS = ("Hi", "one two three four five six seven eight", "What is the capital of France?", "東京 😀")


def test_every_stream_is_what_its_adapter_says_alone(
    make_bases: Callable[..., Any], tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    base = tiny_models["base"]
    folders = {f"x{seed}": tiny.save_adapter(tmp_path / f"x{seed}", base, 10 + seed) for seed in range(4)}
    bases = make_bases()
    bases.load_base("base", base)
    for name, folder in folders.items():
        bases.load_adapter(name, folder, "base")
    names = [*folders, "base"]
    expected: dict[tuple[str, str], list[int]] = {}
    wrong: list[str] = []
    done = threading.Event()

    def asker(number: int) -> None:
        for turn in range(ANSWERS):
            name, prompt = names[(number + turn) % 5], PROMPTS[(number * 3 + turn) % 4]
            asked = ask(bases, name, prompt, tokens=TOKENS)
            if (number + turn) % 5 == 3:
                asked.next()
                asked.row.cancel()
            end = asked.wait()
            if not isinstance(end, Finished):
                wrong.append(f"{name} failed: {end}")
            elif asked.tokens != expected[name, prompt][: len(asked.tokens)]:
                wrong.append(f"{name} said something else")
            elif end.reason == "length" and end.tokens != TOKENS:
                wrong.append(f"{name} ended early")

    def changer() -> None:
        while not done.is_set():
            bases.load_adapter("guest", tiny_models["b"], "base")
            bases.unload_adapter("guest")

    for name in names:
        for prompt in PROMPTS:
            ids = bases.find("base").lane.base.template.tokens([{"role": "user", "content": prompt}])
            expected[name, prompt] = generated(base, folders.get(name), ids, TOKENS)
    threads = [threading.Thread(target=asker, args=(number,)) for number in range(ASKERS)]
    changing = threading.Thread(target=changer)
    changing.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    changing.join()

    assert wrong == []
    assert not bases.busy()
    assert [line.name for line in bases.listed()] == ["base", *folders]
    for _ in range(2):  # the first turn of the lane that sees an adapter retired also detaches it, at its end
        bases.find("base").lane.call(lambda: None)
    assert sorted(bases.find("base").lane.adapters.mixable) == sorted(bases.find(name).adapter.key for name in folders)
