"""The JSON routes and verbs about whole datasets answered: begun, shown, stopped, undone, each with its sentence."""

import json
import time
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.batches import open_batch, publish
from storage.datasets import create_dataset
from storage.examples import Draft, add_examples
from storage.home import Home
from storage.models import add_model
from storage.prompts import as_messages
from storage.store import Store
from studio.api import answerings as routes
from studio.api.errors import add_error_answers
from studio.cli import main
from studio.settings import Settings
from studio.studio import Studio
from tests.talker import Talker

pytestmark = pytest.mark.heavy


@pytest.fixture
def talker(store: Store) -> Iterator[Talker]:
    """A model behind real HTTP, and three prompts."""
    talker = Talker({"o": lambda messages, seed: "yes"})
    add_model(store, "nimble-otter", "endpoint", url=talker.url, remote_name="o")
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": as_messages(f"{n}?")}, f"{n}") for n in range(3)])
    publish(store, batch)
    yield talker
    talker.close()


def test_the_routes_begin_tell_and_undo(talker: Talker, store: Store, home: Home) -> None:
    app = FastAPI()
    add_error_answers(app)
    app.include_router(routes.router(Studio(settings=Settings.from_env({}, home=home.path))))
    web = TestClient(app)
    asked = {"dataset": "questions", "models": ["nimble-otter"], "into": "answered", "seed": 4, "count": 2}

    begun = web.post("/api/answerings", json=asked)
    told = begun.json()
    deadline = time.monotonic() + 120
    while told["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
        told = web.get(f"/api/answerings/{begun.json()['answering']}").json()

    assert (begun.status_code, begun.json()["working"], begun.json()["params"]["count"]) == (200, True, 2)
    assert (told["state"], told["made"], told["answered"], told["result"]["rows"]) == ("done", "answered", 2, 2)
    assert web.post(f"/api/answerings/{told['answering']}/stop").status_code == 409
    assert web.post("/api/answerings/answered/undo").json()["state"] == "undone"
    listed = web.get("/api/answerings", params={"dataset": "questions"}).json()["answerings"]
    assert [(one["into"], one["state"]) for one in listed] == [("answered", "undone")]
    assert web.post("/api/answerings", json={**asked, "models": []}).status_code == 422
    assert web.get("/api/answerings/nothing").status_code == 404


def test_the_verbs_wait_tell_and_undo(talker: Talker, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> tuple[int, str]:
        code = main([*words, "--home", str(home.path)])
        return code, capsys.readouterr().out

    code, said = run("answer", "questions", "--model", "nimble-otter", "--into", "answered", "--wait", "--json")
    told = json.loads(said)
    listed = run("answerings")
    undone = run("answerings", "answered", "--undo")
    unnamed = run("answerings", "--stop")

    assert (code, told["state"], told["answered"], told["failed"]) == (0, "done", 3, 0)
    assert listed[0] == 0
    assert "3 of 3" in listed[1]
    assert (undone[0], undone[1].splitlines()[0]) == (0, '3 of 3 answers into "answered": undone')
    assert unnamed[0] == 2


def test_a_study_tells_in_the_list_how_far_it_is_ahead(
    talker: Talker, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "twins", "--create", "--models", "nimble-otter,nimble-otter", "--prompts", "questions",
                 "--n", "3", "--home", str(home.path)]) == 0  # fmt: skip
    capsys.readouterr()

    assert main(["studies", "--home", str(home.path), "--json"]) == 0

    found = {one["name"]: one["ahead"] for one in json.loads(capsys.readouterr().out)["studies"]}
    assert found["twins"] == {
        "ready": 0, "waiting": 3, "answering": 0, "failed": 0, "per_minute": 0.0, "eta_seconds": None,
    }  # fmt: skip
