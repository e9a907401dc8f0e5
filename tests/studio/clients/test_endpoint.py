"""Endpoint models against a real HTTP server of this test that speaks OpenAI's protocol, well or badly."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from storage.endpoint_keys import KEPT, keep
from storage.errors import BadInput, NotReady, RatchetError, Refused
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from storage.usage import Spent, totals
from studio.clients.engine import Answer, Engine, SamplingParams
from tests.event_loop import run_alone
from tests.studio.clients.scripted import GOOD, Server, chunk, serving

pytestmark = pytest.mark.heavy

HELLO = [{"role": "user", "content": "Hello"}]
PARAMS = SamplingParams(max_tokens=9, temperature=0.5, top_p=0.9, seed=4)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


Ask = Callable[..., Answer]


@pytest.fixture
def model(store: Store, server: Server) -> Model:
    return add_model(store, "remote", "endpoint", url=server.url, remote_name="big-1", key_env="BIG_KEY")


@pytest.fixture
def ask(store: Store, model: Model) -> Ask:
    engine = Engine(store.home, environ={"BIG_KEY": "s3cret"})
    return lambda: engine.complete(model, store, HELLO, PARAMS)


def test_an_endpoint_is_asked_by_its_own_name_with_its_key(server: Server, ask: Ask) -> None:
    server.says(*GOOD)

    answer = ask()

    path, headers, body = server.asked[0]
    assert (path, headers["authorization"]) == ("/v1/chat/completions", "Bearer s3cret")
    assert body == {
        "model": "big-1", "messages": HELLO, "stream": True, "stream_options": {"include_usage": True},
        "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 4,
    }  # fmt: skip
    assert (answer.text, answer.tokens, answer.finish_reason) == ("Good day 😀", 7, "stop")


def test_its_stamp_says_what_is_known_and_never_the_key(server: Server, ask: Ask) -> None:
    server.says(*GOOD)

    stamp = ask().stamp

    assert stamp == {
        "base": "remote",
        "base_sha256": None,
        "adapter": None,
        "adapter_sha256": None,
        "template_sha256": None,
        "params": {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9},
        "seed": 4,
        "engine": server.url,
        "remote_name": "big-1",
        "fingerprint": "fp-1",
    }
    assert "s3cret" not in json.dumps(stamp)


def test_the_engine_of_the_home_is_not_started_for_it(server: Server, ask: Ask, store: Store) -> None:
    server.says(*GOOD)

    ask()

    assert not store.home.engine_lock.exists()


def test_an_event_loop_gets_the_same(server: Server, store: Store, model: Model) -> None:
    server.says(status=503)
    server.says(*GOOD)
    engine = Engine(store.home, environ={"BIG_KEY": "s3cret"})

    async def read() -> list[str]:
        return [delta.text async for delta in engine.astream(model, store, HELLO, PARAMS)]

    assert run_alone(read()) == ["Good ", "day 😀", ""]


def test_a_busy_server_is_asked_again(server: Server, ask: Ask) -> None:
    server.says('{"error": {"message": "slow down"}}', status=429, **{"retry-after": "0"})
    server.says("oops", status=500)
    server.says(*GOOD)

    assert ask().text == "Good day 😀"
    assert len(server.asked) == 3


def test_a_server_that_stays_busy_is_given_up_with_its_words(server: Server, ask: Ask) -> None:
    for _ in range(4):
        server.says('{"error": {"message": "slow\\n down"}}', status=429, **{"retry-after": "0"})

    with pytest.raises(NotReady, match=r'^"remote" answered: slow down$'):
        ask()

    assert len(server.asked) == 4


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, '{"error": {"message": "wrong key"}}', Refused, "wrong key"),
        (400, '{"error": "no such field"}', BadInput, "no such field"),
        (404, "<html>" + "x" * 5000, RatchetError, "<html>xx"),
        (302, "", RatchetError, "no reason, status 302"),
    ],
)
def test_a_refusal_is_not_asked_again(
    server: Server, ask: Ask, status: int, body: str, error: type[Exception], words: str
) -> None:
    server.says(body, status=status, location="http://127.0.0.1:9/")

    with pytest.raises(error) as caught:
        ask()

    assert words in str(caught.value)
    assert len(str(caught.value)) < 400
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((chunk("Good "),), "broke off before its end"),
        (("data: {not json\n\n",), "is not JSON"),
        ((chunk("Good "), 'data: {"error": {"message": "out of memory"}}\n\n'), "out of memory"),
        (('data: {"choices": "none"}\n\n',), "is no piece of an answer"),
        (('data: {"choices": [{"delta": ["Good"]}]}\n\n',), "is no piece of an answer"),
        (("data: " + "x" * 9_000_000,), "one of its lines does not end"),
    ],
)
def test_a_stream_that_goes_wrong_is_no_answer(server: Server, ask: Ask, parts: tuple[str, ...], words: str) -> None:
    server.says(*parts)

    with pytest.raises(RatchetError, match=words):
        ask()


def test_nobody_there_is_a_sentence(store: Store) -> None:
    model = add_model(store, "nobody", "endpoint", url="http://127.0.0.1:9/v1", remote_name="x")

    with pytest.raises(NotReady, match=r'"nobody" cannot be reached'):
        Engine(store.home, environ={}).complete(model, store, HELLO, PARAMS)


def test_a_key_that_is_not_set_is_named_before_anything_is_asked(server: Server, store: Store, model: Model) -> None:
    with pytest.raises(BadInput, match="set the environment variable BIG_KEY"):
        Engine(store.home, environ={}).complete(model, store, HELLO, PARAMS)

    assert server.asked == []


def test_a_key_that_the_home_keeps_is_sent_and_its_absence_told(server: Server, store: Store) -> None:
    model = add_model(store, "kept", "endpoint", url=server.url, remote_name="big-1", key_env=KEPT)
    engine = Engine(store.home, environ={KEPT: "not this"})
    with pytest.raises(BadInput, match="give it with `ratchet endpoint-key kept`"):
        engine.complete(model, store, HELLO, PARAMS)
    keep(store, model.id, "s3cret")
    server.says(*GOOD)

    engine.complete(model, store, HELLO, PARAMS)

    ((_, headers, _),) = server.asked
    assert headers["authorization"] == "Bearer s3cret"


def test_a_date_may_say_when_to_ask_again(server: Server, ask: Ask) -> None:
    server.says(status=503, retry_after=format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True))
    server.says(*GOOD)

    assert ask().text == "Good day 😀"


def test_a_server_is_given_the_time_that_it_asks_for(server: Server, ask: Ask) -> None:
    server.says(status=429, retry_after="0.3")
    server.says(*GOOD)
    began = time.monotonic()

    ask()

    assert time.monotonic() - began >= 0.3


def test_a_connection_that_is_cut_before_any_text_is_asked_again(server: Server, ask: Ask) -> None:
    server.says(chunk(""), whole=False)
    server.says(*GOOD)

    assert ask().text == "Good day 😀"
    assert len(server.asked) == 2


def test_one_that_is_cut_after_text_was_shown_is_told(server: Server, ask: Ask) -> None:
    server.says(chunk("Good "), whole=False)

    with pytest.raises(NotReady, match=r'"remote" cannot be reached or has hung up'):
        ask()

    assert len(server.asked) == 1


@pytest.fixture
def hasty(store: Store, server: Server) -> Model:
    """A model whose server may be silent for a quarter of a second."""
    return add_model(store, "hasty", "endpoint", url=server.url, remote_name="m", timeout=0.25)


SILENT = {
    "before it answers": (5.0, *GOOD),
    "between two pieces": (chunk("Good "), 5.0, *GOOD),
    "in all but comments": (chunk("Good "), *[part for _ in range(50) for part in (": still here\n\n", 0.1)], *GOOD),
}


@pytest.mark.parametrize("parts", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("way", ["threads", "event loop"])
def test_a_server_that_falls_silent_is_not_waited_for_longer_than_agreed(
    server: Server, store: Store, hasty: Model, parts: tuple[Any, ...], way: str
) -> None:
    server.says(*parts)
    engine = Engine(store.home, environ={})

    async def read() -> list[str]:
        return [delta.text async for delta in engine.astream(hasty, store, HELLO, PARAMS)]

    began = time.monotonic()
    with pytest.raises(NotReady, match=r'"hasty" has not answered in time'):
        engine.complete(hasty, store, HELLO, PARAMS) if way == "threads" else run_alone(read())

    assert time.monotonic() - began < 4  # the server would have gone on for five seconds
    assert len(server.asked) == 1


def test_slow_but_steady_is_waited_for(server: Server, store: Store) -> None:
    model = add_model(store, "steady", "endpoint", url=server.url, remote_name="m", timeout=1.0)
    server.says(*[part for _ in range(4) for part in (chunk("on "), 0.4)], chunk(None, "stop"))

    assert Engine(store.home, environ={}).complete(model, store, HELLO, PARAMS).text == "on on on on "


def test_signs_that_are_cut_apart_are_put_together_and_what_is_none_is_marked(server: Server, ask: Ask) -> None:
    family = 'data: {"choices": [{"delta": {"content": "👩‍👩‍👧 \u2028 \x85 東"}}]}\n\n'.encode()
    broken = b'data: {"choices": [{"delta": {"content": "\xff!"}}]}\r\n\r\n'
    server.says(*[bytes([byte]) for byte in family], broken, chunk(None, "stop"))

    assert ask().text == "👩‍👩‍👧 \u2028 \x85 東\ufffd!"


def test_a_server_that_sends_everything_at_once_is_understood(server: Server, ask: Ask) -> None:
    whole = {"choices": [{"message": {"content": "Good day"}, "finish_reason": "stop"}],
             "usage": {"prompt_tokens": 3, "completion_tokens": 2}}  # fmt: skip
    server.says(json.dumps(whole, indent=1), content_type="application/json")

    answer = ask()

    assert (answer.text, answer.tokens, answer.finish_reason) == ("Good day", 2, "stop")


@pytest.mark.parametrize("body", ["not json", "[]", '{"choices": []}'])
def test_one_that_sends_something_else_is_no_answer(server: Server, ask: Ask, body: str) -> None:
    server.says(body, content_type="application/json")

    if body == "not json":
        with pytest.raises(RatchetError, match="is not JSON"):
            ask()
    else:
        assert ask().text == ""


@pytest.mark.parametrize(
    ("complaint", "field", "instead"),
    [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens",
         "max_completion_tokens"),
        ("extra fields not permitted: stream_options", "stream_options", None),
        ("seed is not supported", "seed", None),
    ],
)  # fmt: skip
def test_a_field_that_a_server_does_not_know_is_said_in_its_words(
    server: Server, ask: Ask, complaint: str, field: str, instead: str | None
) -> None:
    server.says(json.dumps({"error": {"message": complaint}}), status=400)
    server.says(*GOOD)

    answer = ask()

    first, second = (body for _, _, body in server.asked)
    assert field in first and field not in second
    assert instead is None or second[instead] == first[field]
    assert answer.stamp["seed"] == (None if field == "seed" else 4)


def test_settings_that_decide_an_answer_are_never_left_out(server: Server, ask: Ask) -> None:
    server.says('{"error": {"message": "temperature is not supported with this model"}}', status=400)

    with pytest.raises(BadInput, match="temperature is not supported"):
        ask()

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("dialect", "sent"),
    [
        ("openai", {"top_p": 1.0}),
        ("vllm", {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}),
        ("llama.cpp", {"top_p": 1.0, "top_k": 0, "min_p": 0.0}),
        ("ollama", {"top_p": 1.0}),
        ("tgi", {}),
    ],
)
def test_each_kind_of_server_is_told_to_draw_from_the_models_own_distribution(
    server: Server, store: Store, dialect: str, sent: dict[str, Any]
) -> None:
    model = add_model(store, "remote", "endpoint", url=server.url, remote_name="m", dialect=dialect)
    server.says(*GOOD)

    Engine(store.home, environ={}).complete(model, store, HELLO, replace(PARAMS, top_p=1.0))

    ((_, _, body),) = server.asked
    common = {"model", "messages", "stream", "stream_options", "max_tokens", "temperature", "seed"}
    assert {key: value for key, value in body.items() if key not in common} == sent


@pytest.mark.parametrize("way", ["threads", "event loop"])
def test_no_more_questions_are_on_their_way_than_agreed(server: Server, store: Store, way: str) -> None:
    model = add_model(store, "remote", "endpoint", url=server.url, remote_name="m", at_once=2)
    for _ in range(6):
        server.says(chunk("Good "), 0.1, *GOOD)
    engine = Engine(store.home, environ={})

    async def read() -> str:
        return "".join([delta.text async for delta in engine.astream(model, store, HELLO, PARAMS)])

    def ask_once() -> None:
        said.append(engine.complete(model, store, HELLO, PARAMS).text if way == "threads" else run_alone(read()))
        store.close()

    said: list[str] = []
    threads = [threading.Thread(target=ask_once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert said == ["Good Good day 😀"] * 6
    assert server.most_at_once == 2


def test_what_is_made_ahead_leaves_room_for_somebody_who_waits(server: Server, store: Store) -> None:
    model = add_model(store, "remote", "endpoint", url=server.url, remote_name="m", at_once=2)
    for _ in range(4):
        server.says(chunk("Good "), 0.1, *GOOD)
    engine = Engine(store.home, environ={})

    def ask_ahead() -> None:
        engine.complete(model, store, HELLO, PARAMS, priority=2)
        store.close()

    threads = [threading.Thread(target=ask_ahead) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.most_at_once == 1
    streams = [engine.stream(model, store, HELLO, PARAMS, priority) for priority in (2, 0)]

    assert [next(stream).text for stream in streams] == ["Good ", "Good "]
    for stream in streams:
        stream.close()


def test_a_slot_comes_back_however_an_answer_ends(server: Server, store: Store) -> None:
    model = add_model(store, "remote", "endpoint", url=server.url, remote_name="m", at_once=1)
    server.says("no", status=400)
    server.says(chunk("Good "), 0.05, *GOOD)
    server.says(*GOOD)
    engine = Engine(store.home, environ={})

    with pytest.raises(BadInput):
        engine.complete(model, store, HELLO, PARAMS)
    stream = engine.stream(model, store, HELLO, PARAMS)
    next(stream)
    stream.close()

    assert engine.complete(model, store, HELLO, PARAMS).text == "Good day 😀"


def _spent(store: Store, model: Model) -> Spent:
    return totals(store)[model.id]._replace(seconds=0.0)


def test_questions_answers_and_retries_are_counted(server: Server, store: Store, model: Model, ask: Ask) -> None:
    server.says(*GOOD)
    server.says(status=500)
    server.says(*GOOD)

    ask()
    ask()

    assert _spent(store, model) == Spent(requests=2, retries=1, prompt_tokens=10, completion_tokens=14)


def test_where_a_server_does_not_count_it_is_estimated_and_said(
    server: Server, store: Store, model: Model, ask: Ask
) -> None:
    server.says(chunk("Good "), chunk("day"), chunk(None, "stop"))

    ask()

    assert _spent(store, model) == Spent(requests=1, estimated=1, prompt_tokens=1, completion_tokens=2)


def test_failures_are_counted_and_a_refused_question_costs_no_tokens(
    server: Server, store: Store, model: Model, ask: Ask
) -> None:
    server.says("no", status=400)
    server.says(chunk("Good "), whole=False)

    for _ in range(2):
        with pytest.raises(RatchetError):
            ask()

    assert _spent(store, model) == Spent(requests=2, failures=2, estimated=1, prompt_tokens=1, completion_tokens=1)


def test_an_answer_that_nobody_wants_any_more_is_no_failure(server: Server, store: Store, model: Model) -> None:
    server.says(chunk("Good "), 0.05, *GOOD)

    stream = Engine(store.home, environ={"BIG_KEY": "k"}).stream(model, store, HELLO, PARAMS)
    next(stream)
    stream.close()

    assert _spent(store, model) == Spent(requests=1, estimated=1, prompt_tokens=1, completion_tokens=1)


def test_health_says_in_a_sentence_whether_a_server_can_be_asked(server: Server, store: Store) -> None:
    engine = Engine(store.home, environ={})
    models = {
        name: add_model(store, name, "endpoint", url=server.url, remote_name=remote, dialect=dialect)
        for name, remote, dialect in (("there", "m", "vllm"), ("absent", "x", "openai"), ("any", "x", "llama.cpp"))
    }
    models["locked"] = add_model(store, "locked", "endpoint", url=server.url, remote_name="m", key_env="NO_KEY")
    models["gone"] = add_model(store, "gone", "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")
    server.lists = {"/health": {}, "/v1/models": {"data": [{"id": "m"}]}}

    said = {name: engine.backend(store, model).health()[:2] for name, model in models.items()}

    assert said == {
        "there": (True, "vLLM answers as m."),
        "absent": (False, '"absent" lists no model "x"; it lists m.'),
        "any": (True, "llama.cpp answers as x."),
        "locked": (
            False,
            'The model "locked" needs a key: set the environment variable NO_KEY and start Ratchet again.',
        ),
        "gone": (False, '"gone" cannot be reached at http://127.0.0.1:9/v1/models (ConnectError).'),
    }  # fmt: skip


def test_only_a_server_that_can_is_asked_to_load_an_adapter(server: Server, store: Store) -> None:
    model = add_model(store, "remote", "endpoint", url=server.url, remote_name="m", dialect="ollama")

    with pytest.raises(BadInput, match="Ollama, which cannot load adapters while it runs"):
        Engine(store.home, environ={}).backend(store, model).load_adapter("a", "/a", "b")

    assert server.asked == []


def test_a_vllm_that_was_not_told_to_load_adapters_is_explained(server: Server, store: Store) -> None:
    model = add_model(store, "remote", "endpoint", url=server.url, remote_name="m", dialect="vllm")
    server.lists = {"/v1/models": {"data": []}}
    server.says('{"detail": "Not Found"}', status=404)

    with pytest.raises(NotReady, match="Start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"):
        Engine(store.home, environ={}).backend(store, model).load_adapter("a", "/a", "b")
