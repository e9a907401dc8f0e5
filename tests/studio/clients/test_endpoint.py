"""Endpoint models against a real HTTP server of this test that speaks OpenAI's protocol, well or badly."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from storage.errors import BadInput, NotReady, RatchetError, Refused
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from studio.clients.engine import Answer, Engine, SamplingParams
from tests.event_loop import run_alone

pytestmark = pytest.mark.heavy

HELLO = [{"role": "user", "content": "Hello"}]
PARAMS = SamplingParams(max_tokens=9, temperature=0.5, top_p=0.9, seed=4)


def chunk(text: str | None = None, reason: str | None = None, **more: Any) -> str:
    delta = {"content": text} if text is not None else {}
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}) + "\n\n"


GOOD = (
    ": a comment\n\n",
    chunk(""),
    chunk("Good "),
    chunk("day 😀", system_fingerprint="fp-1"),
    chunk(None, "stop"),
    'data: {"choices": [], "usage": {"completion_tokens": 7}}\n\n',
    "data: [DONE]\n\n",
)


class Server:
    """Answers each request with the next of its replies: (status, headers, parts)."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, dict[str, str], tuple[str, ...]]] = []
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, headers, parts = server.replies.pop(0)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for part in parts:
                    self.wfile.write(part.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def says(self, *parts: str, status: int = 200, **headers: str) -> None:
        self.replies.append((status, headers, parts))


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


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
