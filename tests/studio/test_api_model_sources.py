"""The JSON routes of mixtures, of adapters from the browser, and of the forms in which models leave."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import rounds
from storage.home import Home
from storage.models import get_model
from storage.store import Store
from storage.tasks import list_tasks
from studio.api import disk, model_sources, models
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.training.project import add_dataset, first_day, prompt, write_adapter
from tests.studio.training.test_mixing import adapter
from tests.studio.training.test_uploaded import zipped


@pytest.fixture
def web(store: Store, home: Home) -> Iterator[TestClient]:
    """The routes of a home with two adapters, in the order in which the studio includes them."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    adapter(store, "terse")
    adapter(store, "wide", r=16)
    app = FastAPI()
    add_error_answers(app)
    for routes in (disk, model_sources, models):
        app.include_router(routes.router(Studio(settings=Settings.from_env({}, home=home.path))))
    with TestClient(app) as client:
        yield client


def test_what_cannot_be_mixed_is_refused_before_a_task_is_made(web: TestClient, store: Store) -> None:
    answer = web.post("/api/models/mixing", json={"name": "both", "models": ["terse", "wide"], "how": "linear"})

    assert (answer.status_code, "needs adapters of one rank" in str(answer.json())) == (403, True)
    assert web.post("/api/models/mixing", json={"name": "x", "models": ["terse"]}).status_code == 422
    assert list_tasks(store) == []


def test_the_ways_are_told_with_what_each_does(web: TestClient) -> None:
    ways = web.get("/api/models/mixing/ways").json()["ways"]

    assert [(way["name"], way["thinned"]) for way in ways] == [
        ("linear", False), ("ties", True), ("dare_linear", True), ("dare_ties", True), ("cat", False),
    ]  # fmt: skip


def test_a_model_from_elsewhere_becomes_a_candidate(web: TestClient, store: Store) -> None:
    said = web.post("/api/models/terse/propose").json()

    assert said == {"model": "terse", "round": 1, "study": "round-1"}
    assert rounds.get_round(store, 1).model_id == get_model(store, "terse").id


def test_an_adapter_is_sent_and_added(web: TestClient, store: Store, tmp_path: Path) -> None:
    content = zipped(write_adapter(tmp_path / "tuned", "starter"), tmp_path / "z.zip")

    sent = web.put("/api/models/upload?name=tuned.zip", content=content).json()
    added = web.post("/api/models/uploaded", json={"uploads": [sent["id"]], "name": "mine"}).json()

    assert (sent["name"], added) == ("tuned.zip", {"name": "mine", "kind": "adapter"})
    assert get_model(store, "mine").base_id == get_model(store, "starter").id


def test_the_forms_say_what_is_ready_here(web: TestClient) -> None:
    forms = {form["name"]: form for form in web.get("/api/models/export-forms").json()["forms"]}

    assert list(forms) == ["adapter", "merged", "full", "trl", "ollama", "gguf"]
    assert (forms["gguf"]["ready"], forms["merged"]["ready"], forms["trl"]["adapters_only"]) == (False, True, True)


def test_a_licence_that_is_none_is_refused_before_a_task_is_made(web: TestClient, store: Store) -> None:
    to_hub = {"as": "adapter", "repository": "me/terse", "licence": "Do What"}

    for path, body in (("export", {"as": "merged", "licence": "Do What"}), ("export-to-hub", to_hub)):
        answer = web.post(f"/api/models/terse/{path}", json=body)
        assert (answer.status_code, "is no licence as the Hub names them" in str(answer.json())) == (422, True)
    assert list_tasks(store) == []
