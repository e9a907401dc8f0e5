"""The JSON routes of /models: the tree, one model, its card, a chat as a stream, a study of two."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from storage.models import add_model, get_model, set_gone
from storage.store import Store
from studio.api import jobs as job_routes
from studio.api import model_tree
from studio.api import models as model_routes
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.training.project import add_dataset, first_day, prompt
from tests.talker import Talker


@pytest.fixture
def talker() -> Iterator[Talker]:
    """Somebody who repeats what was asked, in two words more."""
    one = Talker({"o": lambda messages, seed: f"You said {messages[-1]['content']}"})
    yield one
    one.close()


@pytest.fixture
def web(store: Store, home: Home, talker: Talker) -> Iterator[TestClient]:
    """The routes of a home on its first day, with two endpoints. Its worker's lock is held."""
    first_day(store)
    add_dataset(store, "questions", "prompts", [{"prompt": prompt("p")}])
    for name in ("otter", "walrus"):
        add_model(store, name, "endpoint", url=talker.url, remote_name="o")
    studio = Studio(settings=Settings.from_env({}, home=home.path))
    app = FastAPI()
    add_error_answers(app)
    for routes in (job_routes, model_routes, model_tree):
        app.include_router(routes.router(studio))
    with home.worker_lock.open("w") as lock, TestClient(app) as client:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield client


def _said(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]


def _talk(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **more}


def test_the_tree_comes_with_the_prompts_that_are_usually_asked(web: TestClient) -> None:
    found = web.get("/api/models/tree").json()

    assert [model["name"] for model in found["models"]] == ["starter", "otter", "walrus"]
    assert found["prompts"] == "questions"
    assert [model["loaded"] for model in found["models"]] == [False] * 3, "no engine runs"


def test_one_model_is_told_by_name_or_id_and_routes_beside_it_stay(web: TestClient, store: Store) -> None:
    by_name = web.get("/api/models/starter").json()
    by_id = web.get(f"/api/models/{get_model(store, 'starter').id}").json()

    assert by_name == by_id
    assert (by_name["kind"], by_name["champion"], by_name["hashes"]["base"]) == ("base", True, "base-hash")
    assert by_name["bytes"] > 0
    assert web.get("/api/models/dialects").json()["dialects"]
    assert web.get("/api/models/nobody").status_code == 404


def test_the_card_is_plain_text_and_its_absence_a_sentence(web: TestClient, store: Store) -> None:
    missing = web.get("/api/models/starter/card")
    (Path(get_model(store, "starter").path or "") / "README.md").write_text("# <script>", encoding="utf-8")
    card = web.get("/api/models/starter/card")

    assert (missing.status_code, missing.json()["error"]["kind"]) == (404, "not-found")
    assert (card.text, card.headers["content-type"]) == ("# <script>", "text/plain; charset=utf-8")


def test_a_chat_comes_in_pieces_and_ends_with_what_made_it(web: TestClient, talker: Talker) -> None:
    answer = web.post("/api/models/otter/chat", json=_talk("hello there", system="Be kind.", temperature=0.5, seed=7))

    events = _said(answer)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "".join(event["add"] for event in events[:-1]) == "You said hello there"
    assert len(events) > 2
    assert (events[-1]["kind"], events[-1]["text"]) == ("done", "You said hello there")
    assert events[-1]["stamp"]["seed"] == 7
    (asked,) = talker.asked
    assert asked["messages"] == [
        {"role": "system", "content": "Be kind."}, {"role": "user", "content": "hello there"},
    ]  # fmt: skip
    assert asked["temperature"] == 0.5


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"messages": []}, 422, "messages"),
        ({"messages": [{"role": "system", "content": "x"}]}, 422, "role"),
        (_talk("x", temperature=9), 422, "temperature"),
        (_talk("x", max_tokens=0), 422, "max_tokens"),
    ],
)
def test_a_chat_that_cannot_be_is_refused(web: TestClient, body: Any, status: int, sentence: str) -> None:
    answer = web.post("/api/models/otter/chat", json=body)

    assert answer.status_code == status
    assert sentence in answer.json()["error"]["sentence"]


def test_whoever_cannot_answer_says_why_with_a_status(web: TestClient, store: Store, talker: Talker) -> None:
    add_model(store, "judge", "reward", path="/nowhere")
    set_gone(store, get_model(store, "walrus"))
    talker.failing = True

    answers = {name: web.post(f"/api/models/{name}/chat", json=_talk("x")) for name in ("judge", "walrus", "otter")}

    assert {name: answer.status_code for name, answer in answers.items()} == {"judge": 403, "walrus": 403, "otter": 422}
    assert "judges answers and gives none" in answers["judge"].json()["error"]["sentence"]
    assert "were deleted" in answers["walrus"].json()["error"]["sentence"]
    assert "out of order" in answers["otter"].json()["error"]["sentence"]


def test_two_models_get_a_study_and_the_same_one_again(web: TestClient) -> None:
    first = web.post("/api/models/otter/compare", json={"other": "walrus"}).json()
    second = web.post("/api/models/walrus/compare", json={"other": "otter", "prompts": "questions"}).json()

    assert first == {"study": "otter-vs-walrus", "made": True}
    assert second == {"study": "otter-vs-walrus", "made": False}


def test_who_asked_for_a_training_is_kept_with_the_job(web: TestClient, store: Store) -> None:
    started = web.post("/api/jobs", json={"method": "sft", "base": "starter", "dataset": "facts", "author": "spoof"})

    assert started.status_code == 200
    request = store.value("select request from jobs")
    assert json.loads(request)["author"] == Settings.annotator
