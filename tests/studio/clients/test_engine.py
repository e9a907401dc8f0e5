"""The client against a real engine process on a tiny model."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage import canaries
from storage.errors import BadInput, Conflict, NotFound, NotReady, Refused
from storage.home import Home
from storage.models import add_model, get_model
from storage.specs.canaries import DATASET
from storage.store import Store
from studio.clients.connection import find, find_or_start
from studio.clients.engine import Engine, SamplingParams
from studio.rounds.asking_canaries import run
from studio.rounds.canaries import answerer_of
from studio.settings import Settings
from tests.event_loop import run_alone
from tests.studio.clients.conftest import Running
from tests.studio.training.project import add_dataset, prompt

pytestmark = pytest.mark.torch

HELLO = [{"role": "user", "content": "Hello"}]
GREEDY = SamplingParams(max_tokens=12, temperature=0.0, seed=3)
LONG = SamplingParams(max_tokens=50_000, temperature=0.0)  # minutes, unless it is cancelled


def test_an_answer_comes_with_the_stamp_of_what_made_it(running: Running) -> None:
    answer = running.engine.complete(running.a, running.store, HELLO, GREEDY)

    listed = {line["id"]: line for line in running.engine.connect().get("/v1/models")["data"]}
    assert answer.stamp == {
        "base": "tiny",
        "base_sha256": listed["tiny"]["sha256"],
        "adapter": "a",
        "adapter_sha256": listed["a"]["sha256"],
        "template_sha256": listed["a"]["template_sha256"],
        "params": {"max_tokens": 12, "temperature": 0.0, "top_p": 1.0},
        "seed": 3,
        "engine": "ratchet",
        "dtype": "float32",
    }
    assert (answer.tokens, answer.finish_reason, answer.seconds > 0) == (12, "length", True)


def test_a_base_has_no_adapter_in_its_stamp_and_a_seed_is_drawn(running: Running) -> None:
    answer = running.engine.complete(running.base, running.store, HELLO, SamplingParams(max_tokens=2))

    assert (answer.stamp["adapter"], answer.stamp["adapter_sha256"]) == (None, None)
    assert isinstance(answer.stamp["seed"], int)


def test_hashes_are_those_that_adding_a_model_computes(running: Running) -> None:
    from studio.training.folders import inspect_adapter, inspect_base

    stamp = running.engine.complete(running.b, running.store, HELLO, GREEDY).stamp

    base, adapter = inspect_base(Path(running.base.path or "")), inspect_adapter(Path(running.b.path or ""))
    assert (stamp["base_sha256"], stamp["template_sha256"]) == (base.sha256, base.template_sha256)
    assert stamp["adapter_sha256"] == adapter.sha256


def test_the_pieces_of_a_stream_are_the_whole_answer(running: Running) -> None:
    deltas = list(running.engine.stream(running.a, running.store, HELLO, GREEDY))

    last = deltas[-1].answer
    assert last is not None
    assert "".join(delta.text for delta in deltas) == last.text
    assert last.text == running.engine.complete(running.a, running.store, HELLO, GREEDY).text


def test_a_seed_makes_an_answer_again(running: Running) -> None:
    params = SamplingParams(max_tokens=30, temperature=1.0, seed=11)

    texts = {running.engine.complete(running.a, running.store, HELLO, params).text for _ in range(2)}

    assert len(texts) == 1


def test_models_answer_side_by_side_as_each_does_alone(running: Running) -> None:
    models = (running.base, running.a, running.b, running.base)
    lone = [running.engine.complete(model, running.store, HELLO, GREEDY).text for model in models]
    together: dict[int, str] = {}

    def answer(at: int) -> None:
        together[at] = running.engine.complete(models[at], running.store, HELLO, GREEDY).text

    threads = [threading.Thread(target=answer, args=(at,)) for at in range(len(models))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [together[at] for at in range(len(models))] == lone
    assert len(set(lone)) == 3


def test_closing_a_stream_cancels_the_row_and_the_engine_falls_quiet(running: Running) -> None:
    stream = running.engine.stream(running.base, running.store, HELLO, LONG)
    next(stream)

    stream.close()

    # The engine refuses to put out a base that answers; it does so once the row is gone.
    _wait_until_unloaded(running)


def test_an_event_loop_streams_and_cancels_as_well(running: Running) -> None:
    async def read() -> tuple[str, str]:
        stream = running.engine.astream(running.a, running.store, HELLO, LONG)
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
        whole = ""
        async for delta in running.engine.astream(running.a, running.store, HELLO, GREEDY):
            whole += delta.text
            if delta.answer:
                return whole, delta.answer.text
        raise AssertionError

    pieces, text = run_alone(read())

    assert pieces == text
    _wait_until_unloaded(running)


def _wait_until_unloaded(running: Running) -> None:
    connection = running.engine.connect()
    for _ in range(200):
        try:
            connection.post("/v1/unload_base", {"name": "tiny"})
            return
        except Conflict:
            time.sleep(0.05)
    raise AssertionError("the engine went on answering for nobody")


def test_a_caller_that_hangs_up_on_a_whole_answer_cancels_it_too(running: Running) -> None:
    connection = running.engine.ensure(running.store, running.base)
    body = {"model": "tiny", "messages": HELLO, "max_tokens": 50_000, "temperature": 0}

    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{connection.url}/v1/chat/completions", json=body, headers=connection.headers, timeout=0.2)

    _wait_until_unloaded(running)


def test_the_openai_shape_without_stream(running: Running) -> None:
    connection = running.engine.ensure(running.store, running.base)
    body = {"model": "tiny", "messages": HELLO, "max_tokens": 5, "temperature": 0, "seed": 1}

    answer = connection.post("/v1/chat/completions", body)

    prompt = connection.post("/tokenize", {"model": "tiny", "messages": HELLO})["count"]
    assert answer["object"] == "chat.completion"
    assert [(choice["index"], choice["finish_reason"]) for choice in answer["choices"]] == [(0, "length")]
    assert answer["usage"] == {"prompt_tokens": prompt, "completion_tokens": 5, "total_tokens": prompt + 5}
    assert answer["ratchet"]["stamp"]["seed"] == 1


def test_the_openai_shape_of_a_stream(running: Running) -> None:
    connection = running.engine.ensure(running.store, running.base)
    body = {"model": "tiny", "messages": HELLO, "max_tokens": 4, "temperature": 0, "stream": True}

    response = httpx.post(f"{connection.url}/v1/chat/completions", json=body, headers=connection.headers)

    lines = [line[6:] for line in response.text.split("\n\n") if line]
    events = [json.loads(line) for line in lines[:-1]]
    assert (response.headers["content-type"], lines[-1]) == ("text/event-stream; charset=utf-8", "[DONE]")
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert len({event["id"] for event in events}) == 1
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["length"]
    assert set(events[-1]["ratchet"]) == {"stamp", "tokens", "seconds"}


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic abc"])
def test_without_the_token_nothing_is_answered(running: Running, token: str) -> None:
    url = running.engine.connect().url

    answers = [
        httpx.get(f"{url}/v1/models", headers={"Authorization": token}),
        httpx.post(f"{url}/v1/chat/completions", headers={"Authorization": token}, json={}),
        httpx.get(f"{url}/nothing", headers={"Authorization": token}),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].json()["error"]["code"] == "invalid_api_key"


def test_health_is_open_and_says_on_what_it_computes_and_why(running: Running) -> None:
    said = httpx.get(f"{running.engine.connect().url}/health").json()

    assert (said["status"], said["dtype"], said["threads"]) == ("ok", "float32", 2)
    assert "float32 as asked" in said["device_reason"]
    assert running.engine.health() == said


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"model": "nobody", "messages": HELLO}, 404, "'nobody' is not loaded"),
        ({"model": "tiny", "messages": []}, 400, "messages"),
        ({"model": "tiny", "messages": HELLO, "temperature": -1}, 400, "temperature"),
        ({"model": "tiny", "messages": HELLO, "n": 2}, 400, "n:"),
        ({"model": "tiny", "messages": [{"content": "x"}]}, 400, "no role"),
        ({"model": "tiny", "messages": [{"role": "user", "content": 5}]}, 400, "content of message 1"),
        ({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "image_url"),
        ({"model": "tiny", "messages": [{"role": "user", "content": "one " * 70_000}]}, 400, "shorten it"),
    ],
)
def test_a_wrong_request_is_refused_with_a_sentence(
    running: Running, body: dict[str, Any], status: int, words: str
) -> None:
    connection = running.engine.ensure(running.store, running.base)

    answer = httpx.post(f"{connection.url}/v1/chat/completions", json=body, headers=connection.headers)

    assert answer.status_code == status
    assert words in answer.json()["error"]["message"]


def test_text_parts_are_joined_as_openai_sends_them(running: Running) -> None:
    connection = running.engine.ensure(running.store, running.base)
    parts = [{"role": "user", "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]}]

    bodies = [{"model": "tiny", "messages": messages} for messages in (parts, HELLO)]

    assert connection.post("/tokenize", bodies[0]) == connection.post("/tokenize", bodies[1])


def test_tokens_and_rendering(running: Running) -> None:
    talk = [*HELLO, {"role": "assistant", "content": "Good morning."}]

    rendered = running.engine.render(running.base, running.store, talk)

    start, end = rendered.spans[0]
    assert rendered.text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nGood morning.<|im_end|>\n"
    assert rendered.text[start:end] == "Good morning.<|im_end|>"
    assert len(running.engine.tokenize(running.base, running.store, text="one two three")) == 3


def test_a_model_that_is_not_there_is_told_by_its_folder(running: Running, tmp_path: Path) -> None:
    gone = add_model(running.store, "gone", "base", path=str(tmp_path / "gone"))

    with pytest.raises(NotFound, match="There is no folder"):
        running.engine.complete(gone, running.store, HELLO, GREEDY)


def test_an_adapter_of_another_base_is_refused(running: Running, tmp_path: Path) -> None:
    from tests.trainers.engine import tiny

    other = tiny.save_base(tmp_path / "wide", hidden=64)
    folder = tiny.save_adapter(tmp_path / "foreign", other, 1)
    model = add_model(running.store, "foreign", "adapter", base_id=running.base.id, path=str(folder))

    with pytest.raises(BadInput, match="has size 96 there and 128 in the adapter"):
        running.engine.complete(model, running.store, HELLO, GREEDY)

    assert running.engine.complete(running.a, running.store, HELLO, GREEDY).tokens == 12


def test_weights_that_are_only_a_pickle_are_refused(running: Running, tmp_path: Path) -> None:
    folder = tmp_path / "pickle"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    model = add_model(running.store, "pickle", "base", path=str(folder))

    with pytest.raises(Refused, match="only as a pickle"):
        running.engine.complete(model, running.store, HELLO, GREEDY)


def test_files_that_changed_since_they_were_added_are_not_asked(running: Running) -> None:
    stale = add_model(
        running.store, "stale", "adapter", base_id=running.base.id, path=running.a.path, adapter_sha256="0" * 64
    )

    with pytest.raises(Conflict, match="no longer those that were added"):
        running.engine.complete(stale, running.store, HELLO, GREEDY)


def test_what_was_put_out_just_after_it_was_looked_at_is_loaded_again(running: Running) -> None:
    before = running.engine.complete(running.a, running.store, HELLO, GREEDY)
    connection = running.engine.ensure(running.store, running.a)
    assert connection is not None
    connection.post("/v1/unload_lora_adapter", {"lora_name": "a"})

    again = running.engine.complete(running.a, running.store, HELLO, GREEDY)

    assert (again.text, again.stamp) == (before.text, before.stamp)


def test_without_leave_to_start_an_engine_a_sentence_says_so(tmp_path: Path) -> None:
    store = Store.open(Home(tmp_path / "home"))
    model = add_model(store, "m", "base", path="/nowhere")

    with pytest.raises(NotReady, match="No engine runs for"):
        Engine(store.home, start=False).complete(model, store, HELLO, GREEDY)

    assert not store.home.engine_file.exists()


def test_many_who_want_an_engine_at_once_get_the_same_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(find_or_start(home).url)) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4 and len(set(found)) == 1
    _end(home)


def _end(home: Home) -> None:
    import os
    import signal

    from storage.home import read_json

    said = read_json(home.engine_file) or {}
    os.kill(said["pid"], signal.SIGTERM)
    for _ in range(200):
        if find(home) is None:
            return
        time.sleep(0.05)
    raise AssertionError("the engine did not end")


def test_a_model_answers_a_canary_with_the_same_words_again_and_says_which_weights_did(running: Running) -> None:
    store, settings = running.store, Settings.from_env({}, home=running.home.path)
    add_dataset(store, DATASET, "prompts", [{"prompt": prompt("Sing!")}])

    first = run(store, settings, ["a"])
    said = canaries.answers_of(store, answerer_of(store, get_model(store, "a")))
    again = run(store, settings, ["a"], again=True)
    told = canaries.answers_of(store, answerer_of(store, get_model(store, "a")))

    assert [*first, *again] == [("a", 1, 1, None)] * 2
    assert [one.text for one in told.values()] == [one.text for one in said.values()]
    assert [(one.stamp["adapter"], one.stamp["dtype"]) for one in told.values()] == [("a", "float32")]
