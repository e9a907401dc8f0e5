"""The JSON routes of results: every number of a study, an exclusion and back, refusals as sentences."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from studio.api import adjudications, results
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The routes over a study of three imported votes by two people."""
    studio = Studio(settings=Settings.from_env({}, home=tmp_path / "home"))
    file = tmp_path / "votes.jsonl"
    line = '{{"prompt": "{}", "models": ["x", "y"], "answers": ["p", "q"], "annotator": "{}", "choice": "{}"}}\n'
    file.write_text(line.format("one", "ann", "a") + line.format("two", "ann", "a") + line.format("one", "bob", "b"))
    studio.import_votes(file, "trial")
    app = FastAPI()
    add_error_answers(app)
    for subject in (results, adjudications):
        app.include_router(subject.router(studio))
    with TestClient(app) as opened:
        yield opened


def test_every_number_of_a_study_can_be_asked_for(client: TestClient) -> None:
    assert {"name": "trial", "votes": 3, "judgeable": False} in client.get("/api/results").json()["studies"]
    (pair,) = client.get("/api/results/board?study=trial").json()["pairs"]
    assert (pair["wins_a"], pair["wins_b"], pair["prompts"]) == (2, 1, 2)
    agreed = client.get("/api/results/agreement?study=trial").json()
    assert [one["prompt"] for one in agreed["disputed"]] == ["one"]
    people = client.get("/api/results/annotators?study=trial").json()["annotators"]
    assert [(one["annotator"], one["votes"]) for one in people] == [("ann", 2), ("bob", 1)]
    parts = client.get("/api/results/splits?study=trial&by=annotator").json()["parts"]
    assert [part["name"] for part in parts] == ["ann", "bob"]
    policies = client.get("/api/results/policies?study=trial&ties=keep").json()["policies"]
    assert [one["policy"] for one in policies] == ["each", "majority", "unanimous", "weighted"]


def test_an_annotator_is_excluded_and_included(client: TestClient) -> None:
    change = {"kind": "annotator", "value": "bob", "reason": "a trial"}

    assert client.post("/api/results/exclusions?study=trial", json=change).json()["excluded"] is True
    board = client.get("/api/results/board?study=trial").json()
    assert (board["pairs"][0]["wins_b"], board["excluded"][0]["reason"]) == (0, "a trial")

    client.post("/api/results/exclusions?study=trial", json={**change, "count": True})
    board = client.get("/api/results/board?study=trial").json()
    assert (board["pairs"][0]["wins_b"], board["excluded"]) == (1, [])


def test_what_cannot_be_done_is_said(client: TestClient) -> None:
    assert client.get("/api/results/board?study=none").status_code == 404
    assert client.get("/api/results/splits?study=trial&by=mood").status_code == 422
    assert client.get("/api/results/policies?study=trial&ties=maybe").status_code == 422
    refused = client.post("/api/results/exclusions?study=trial", json={"kind": "annotator", "value": "bob"})
    assert "Say why" in refused.json()["error"]["sentence"]


def test_criteria_have_means_and_agreement_and_days_are_listed(client: TestClient) -> None:
    assert client.get("/api/results/criteria?study=trial").json() == {"criteria": []}
    assert client.get("/api/results/agreement?study=trial&criterion=mood").status_code == 404
    people = client.get("/api/results/annotators?study=trial").json()
    assert [(one["value"], one["votes"], one["people"]) for one in people["sources"]] == [("import", 3, 2)]
    assert sum(one["votes"] for one in people["days"]) == 3


def test_a_dispute_is_looked_at_decided_and_taken_back(client: TestClient) -> None:
    address = "/api/results/adjudications"
    (waiting,) = client.get(f"{address}?study=trial").json()["waiting"]
    item = client.get(f"{address}/{waiting['comparison']}?study=trial").json()
    assert [one["annotator"] for one in item["votes"]] == ["ann", "bob"]
    assert not any(f'"{name}"' in json.dumps(item) for name in ("x", "y"))

    decision = {"comparison": waiting["comparison"], "choice": "tie", "reason": "both are right",
                "shown": [one["sha256"] for one in item["sides"]]}  # fmt: skip
    assert client.post(f"{address}?study=trial", json={**decision, "shown": ["", ""]}).status_code == 409
    assert client.post(f"{address}?study=trial", json=decision).json()["decided"] is True
    listed = client.get(f"{address}?study=trial").json()
    (decided,) = listed["decided"]
    assert (listed["undecided"], listed["waiting"]) == (0, [])
    assert (decided["decided"]["said"], decided["decided"]["reason"]) == ("tie", "both are right")
    board = client.get("/api/results/board?study=trial").json()
    assert board["adjudicated"] == {"comparisons": 1, "against_majority": 1}
    assert (board["pairs"][0]["wins_a"], board["pairs"][0]["ties"]) == (2, 0)

    undone = client.post(f"{address}/undo?study=trial", json={"comparison": waiting["comparison"]})
    assert undone.json()["decided"] is False
    assert client.get(f"{address}?study=trial").json()["undecided"] == 1
    again = client.post(f"{address}/undo?study=trial", json={"comparison": waiting["comparison"]})
    assert again.status_code == 404
