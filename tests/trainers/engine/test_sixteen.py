"""Sixteen clients stream over HTTP from four adapters, while others come and go and one in five hangs up."""

import gc
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest
import uvicorn

from tests.trainers.engine import tiny
from tests.trainers.engine.asking import generated, user

pytestmark = pytest.mark.torch

CLIENTS, ANSWERS, TOKENS = 16, 2, 24
PROMPTS = ("Hi", "one two three four five six seven eight", "What is the capital of France?", "東京 😀")
NAMES = ("x0", "x1", "x2", "x3")
_BOUND = 120  # seconds for a hang, not a measurement
_SLACK = (
    40_000_000  # bytes that the allocator may keep; one leaked cache or adapter for each answer would be seen in gc
)


class Served(NamedTuple):
    """The engine's application over HTTP in this process, so that what it holds can be counted."""

    http: httpx.Client
    bases: Any

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        response = self.http.post(path, json=body)
        assert response.is_success, response.text
        told: dict[str, Any] = response.json()
        return told


class Streamed(NamedTuple):
    """What came of one stream; `reason` None where the client hung up."""

    text: str
    reason: str | None


@pytest.fixture
def served(make_bases: Callable[..., Any], tiny_models: dict[str, Path], tmp_path: Path) -> Iterator[Served]:
    from trainers.engine.routes import LastSeen, build_app

    bases = make_bases()
    with ThreadPoolExecutor(1, "loader") as loader, socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = build_app(bases, "token", LastSeen(), loader)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        limits = httpx.Limits(max_connections=2 * CLIENTS)
        with httpx.Client(base_url=address, headers={"Authorization": "Bearer token"}, timeout=_BOUND,
                          limits=limits, trust_env=False) as http:  # fmt: skip
            yield Served(http, bases)
        server.should_exit = True
        thread.join(_BOUND)


def stream(served: Served, name: str, prompt: str, hang_up: bool) -> Streamed:
    """Ask greedily; a client that hangs up does so at its second piece."""
    body = {"model": name, "messages": user(prompt), "max_tokens": TOKENS, "temperature": 0, "stream": True}
    parts: list[str] = []
    with served.http.stream("POST", "/v1/chat/completions", json=body) as response:
        for line in response.iter_lines():
            event = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
            assert "error" not in event, event
            for choice in event.get("choices", []):
                parts.append(choice["delta"].get("content") or "")
                if choice["finish_reason"]:
                    return Streamed("".join(parts), choice["finish_reason"])
            if hang_up and len(parts) > 2:
                return Streamed("".join(parts), None)
    raise AssertionError("the stream broke off before its end")


def tensors() -> int:
    """How many tensors live in this process."""
    import torch

    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())


def settled(served: Served) -> tuple[int, int, int]:
    """Tensors, bytes and descriptors once nothing is asked any more and the guests are gone."""
    deadline = time.monotonic() + _BOUND
    while served.bases.busy():
        assert time.monotonic() < deadline, "a row has stayed"
        time.sleep(0.02)
    lane = served.bases.find("base").lane
    for _ in range(2):  # the turn that sees an adapter retired detaches it at its end
        lane.call(lambda: None)
    for drop in (lane.prefixes.clear, lane.adapters.spare):  # bounded, but how many are kept now is chance
        lane.call(drop)
    me = psutil.Process()
    return tensors(), me.memory_info().rss, me.num_fds()


def crowd(served: Served, expected: dict[tuple[str, str], str], guests: dict[str, Path]) -> list[str]:
    """Everybody asks at once while guests come and go; what was wrong."""
    wrong: list[str] = []
    over = threading.Event()

    def client(number: int) -> None:
        for turn in range(ANSWERS):
            name, prompt = NAMES[(number + turn) % 4], PROMPTS[(number // 4 + turn) % 4]
            hang_up = (number + turn) % 5 == 3
            try:
                came = stream(served, name, prompt, hang_up)
            except (AssertionError, httpx.HTTPError) as error:
                wrong.append(f"{name}: {error!r}")
                continue
            whole = expected[name, prompt]
            if came.text != (whole[: len(came.text)] if hang_up else whole) or came.reason != (
                None if hang_up else "length"
            ):
                wrong.append(f"{name} said {came}, not {whole!r}")

    def change() -> None:
        while not over.is_set():
            for guest, folder in guests.items():
                served.post("/v1/load_lora_adapter", {"lora_name": guest, "lora_path": str(folder), "base": "base"})
            for guest in guests:
                served.post("/v1/unload_lora_adapter", {"lora_name": guest})

    changing = threading.Thread(target=change)
    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in (changing, *clients):
        thread.start()
    for thread in clients:
        thread.join(_BOUND)
        if thread.is_alive():
            wrong.append("a stream hangs")
    over.set()
    changing.join(_BOUND)
    return wrong


def test_every_stream_is_what_its_adapter_says_alone_and_memory_returns(
    served: Served, tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    base = tiny_models["base"]
    served.post("/v1/load_base", {"name": "base", "path": str(base)})
    loaded = served.bases.find("base").lane.base
    expected = {}
    for number, name in enumerate(NAMES):
        folder = tiny.save_adapter(tmp_path / name, base, 10 + number)
        served.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder), "base": "base"})
        for prompt in PROMPTS:
            ids = generated(base, folder, loaded.template.tokens(user(prompt)), TOKENS)
            whole = loaded.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            expected[name, prompt] = whole.rstrip("\ufffd")  # half a character at the limit is not told
    guests = {"plain": tiny_models["b"], "apart": tiny_models["dora"]}
    assert crowd(served, expected, guests) == []  # the first crowd fills what is kept for good
    before = settled(served)

    assert crowd(served, expected, guests) == []

    after = settled(served)
    assert after[0] <= before[0]
    assert after[1] - before[1] < _SLACK
    assert after[2] <= before[2]
    assert [line.name for line in served.bases.listed()] == ["base", *NAMES]
    assert len(set(expected.values())) > len(NAMES)  # the adapters do act
