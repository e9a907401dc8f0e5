"""A demo on a studio that is really served: the champion answers strangers, by the engine, and stopping frees it."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storage import demo_talk
from storage.home import Home
from storage.store import Store
from studio.demos import making
from studio.people.roles import Actor
from tests.browser.conftest import Served, start_studio, stop_studio

pytestmark = [pytest.mark.torch, pytest.mark.slow]

OWNER = Actor("you", "admin")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio with engine and worker."""
    folder = tmp_path_factory.mktemp("demo")
    studio = start_studio(folder / "home", folder / "studio.log")
    yield studio
    stop_studio(studio)


def test_the_champion_answers_and_goes_on_from_what_was_stopped(served: Served) -> None:
    store = Store.open(Home(Path(served.home)))
    made = making.make(store, OWNER, "fair", (), {"temperature": 0, "max_tokens": 200, "comparing": "wish"})
    address = f"/api{made.path}/answer"
    with httpx.Client(base_url=served.url, timeout=120) as client:
        client.get(f"/api{made.path}")
        body = client.post(address, json={"text": "What is the capital of France?"}).text
        events = [json.loads(line.removeprefix("data: ")) for line in body.split("\n\n") if line]
        with client.stream("POST", address, json={"text": "Tell me about the weather in Spain."}) as answer:
            lines = (json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line)
            begin, piece = next(lines), next(lines)
        follow = client.post(address, json={"text": "What is the capital of Italy?", "parent": begin["answers"][0]})

    assert "Paris" in "".join(event.get("text", "") for event in events if event.get("side") == 0)
    assert {event["kind"] for event in events} == {"begin", "text", "end"}
    stopped = demo_talk.answer(store, made.demo.id, begin["answers"][0])
    assert stopped is not None
    assert stopped.finish in ("stopped", "stop")  # a small model may have been quicker than we were
    assert stopped.text.startswith(piece["text"])
    assert '"kind": "end"' in follow.text
    said = demo_talk.answer(store, made.demo.id, events[0]["answers"][0])
    assert said is not None
    assert (said.model_name, said.stamp["base"]) == ("starter", "starter")
