"""Other programs talk to the champion as they talk to OpenAI, over HTTP, on a studio that is really served."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storage.home import Home
from storage.store import Store
from studio.people import keys
from studio.people.roles import Actor
from tests.browser.conftest import Served, start_studio, stop_studio

pytestmark = pytest.mark.torch

OWNER = Actor("you", "admin")
ASKED = {
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 24,
    "temperature": 0,
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with engine and worker."""
    folder = tmp_path_factory.mktemp("openai")
    studio = start_studio(folder / "home", folder / "studio.log")
    yield studio
    stop_studio(studio)


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[httpx.Client]:
    """A program with a key for the champion."""
    token = keys.make(Store.open(Home(Path(served.home))), OWNER, "program").token
    with httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
        yield client


def test_an_answer_comes_whole_with_what_made_it(client: httpx.Client) -> None:
    said = client.post("/v1/chat/completions", json={"model": "champion", **ASKED}).json()

    assert (said["object"], said["model"]) == ("chat.completion", "champion")
    assert "Paris" in said["choices"][0]["message"]["content"]
    assert said["choices"][0]["finish_reason"] == "stop"
    assert said["usage"]["completion_tokens"] > 0
    assert said["ratchet"]["stamp"]["base"] == "starter"


def test_a_stream_gives_the_same_words_piece_by_piece(client: httpx.Client) -> None:
    whole = client.post("/v1/chat/completions", json=ASKED).json()["choices"][0]["message"]["content"]

    body = client.post(
        "/v1/chat/completions", json={**ASKED, "stream": True, "stream_options": {"include_usage": True}}
    )
    lines = [line.removeprefix("data: ") for line in body.text.split("\n\n") if line]
    events = [json.loads(line) for line in lines if line != "[DONE]"]

    assert lines[-1] == "[DONE]"
    pieces = [choice["delta"].get("content", "") for event in events for choice in event["choices"]]
    assert "".join(pieces) == whole
    assert len([piece for piece in pieces if piece]) > 1
    assert events[-1]["usage"]["completion_tokens"] > 0
    assert len({event["id"] for event in events}) == 1


def test_openais_own_client_library_talks_to_it(served: Served, client: httpx.Client) -> None:
    openai = pytest.importorskip("openai", reason="the OpenAI client library is not installed (extra: servers)")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    own = openai.OpenAI(base_url=f"{served.url}/v1", api_key=token)

    said = own.chat.completions.create(model="champion", **ASKED)
    stream = own.chat.completions.create(model="champion", stream=True, **ASKED)
    streamed = "".join(part.choices[0].delta.content or "" for part in stream if part.choices)

    assert [model.id for model in own.models.list()] == ["champion"]
    assert "Paris" in (said.choices[0].message.content or "")
    assert streamed == said.choices[0].message.content
    with pytest.raises(openai.PermissionDeniedError, match='for the model "champion" alone'):
        own.chat.completions.create(model="starter", **ASKED)
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="rk_wrong").models.list()
