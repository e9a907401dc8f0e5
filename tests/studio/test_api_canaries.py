"""The JSON routes of canaries: the table, two models side by side, expectations, votes, and refusals as sentences."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.models import add_model
from studio.api import canaries
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.rounds.canary_kit import answer_all


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The routes over two models that have answered."""
    studio = Studio(settings=Settings.from_env({}, home=tmp_path / "home"))
    for name in ("old", "new"):
        add_model(studio.store, name, "base", path="/x", base_sha256=name)
    answer_all(studio.store, "old")
    answer_all(studio.store, "new", {3: "Rome."})
    app = FastAPI()
    add_error_answers(app)
    app.include_router(canaries.router(studio))
    with TestClient(app) as opened:
        yield opened


def test_the_table_and_one_cell_can_be_asked_for(client: TestClient) -> None:
    told = client.get("/api/canaries").json()

    assert (told["own"], told["champion"], told["task"]) == (False, "old", None)
    assert [one["model"] for one in told["models"]] == ["old", "new"]
    assert told["models"][1]["cells"][2]["same"] is False
    cell = client.get("/api/canaries/answer", params={"model": "new", "number": 3}).json()
    assert (cell["text"], cell["stamp"]) == ("Rome.", {"seed": 0})
    assert client.get("/api/canaries/answer", params={"model": "new", "number": 99}).status_code == 404


def test_expectations_are_added_lifted_and_brought_back(client: TestClient) -> None:
    assert client.post("/api/canaries/begin", json={"of": "starter"}).json() == {"prompts": 8, "of": "starter"}
    made = client.post("/api/canaries/expectations", json={"canary": "3", "kind": "exact", "value": "Rome."}).json()
    address = f"/api/canaries/expectations/{made['id']}"

    assert made["says"] == 'is exactly "Rome."'
    assert client.patch(address, json={"lifted": True}).json()["lifted"] is True
    assert client.patch(address, json={"lifted": False}).json()["lifted"] is False
    cell = client.get("/api/canaries").json()["models"][1]["cells"][2]
    assert (cell["state"], cell["failed"]) == ("failed", ['contains "Paris"'])


def test_a_vote_is_stored_counted_and_taken_back(client: TestClient) -> None:
    row = client.get("/api/canaries/changes?after=new").json()["rows"][2]
    vote = {"prompt_sha256": row["prompt_sha256"], "before": row["before"]["sha256"], "after": row["after"]["sha256"]}

    said = client.post("/api/canaries/votes", json={**vote, "id": "vote-0001", "choice": "worse"}).json()
    again = client.post("/api/canaries/votes", json={**vote, "id": "vote-0001", "choice": "worse"}).json()
    counted = client.get("/api/canaries/changes?after=new&before=old").json()["rows"][2]
    client.post("/api/canaries/votes", json={**vote, "id": "vote-0002", "choice": None})
    left = client.get("/api/canaries/changes?after=new").json()["rows"][2]

    assert (said["stored"], again["stored"]) == (True, False)
    assert (counted["votes"], counted["mine"]) == ({"better": 0, "worse": 1, "same": 0}, "worse")
    assert (left["votes"]["worse"], left["mine"]) == (0, None)


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("run", {}, 422, "models"),
        ("run", {"models": ["nobody"]}, 404, "There is no model"),
        ("begin", {"of": "thin air"}, 422, "starter"),
        ("expectations", {"canary": "3", "kind": "regex", "value": "("}, 422, "cannot be read"),
        ("expectations", {"canary": "3", "kind": "json-schema", "value": {"$ref": "http://x/y"}}, 422, "own parts"),
        ("expectations", {"canary": "no such", "kind": "exact", "value": "a"}, 404, "no canary"),
        ("votes", {"id": "vote-0001", "prompt_sha256": "a" * 64, "before": "b" * 64, "after": "c" * 64,
                   "choice": "worse"}, 404, "have changed"),
        ("votes", {"id": "vote-0001", "prompt_sha256": "x", "before": "b" * 64, "after": "c" * 64, "choice": "worse"},
         422, "prompt_sha256"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(
    client: TestClient, path: str, body: dict[str, object], status: int, sentence: str
) -> None:
    answer = client.post(f"/api/canaries/{path}", json=body)

    assert answer.status_code == status
    assert sentence in answer.json()["error"]["sentence"]
