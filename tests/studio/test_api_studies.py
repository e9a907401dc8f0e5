"""The JSON routes of studies: one is made, changed with an undo, given guidelines and known answers, closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from studio.api import studies
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio

PAIR = '{{"prompt": "question {0}", "chosen": "good {0}", "rejected": "bad {0}"}}\n'


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """The routes over a home with three preferences."""
    studio = Studio(settings=Settings.from_env({}, home=tmp_path / "home"))
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(PAIR.format(number) for number in range(3)))
    studio.import_file(file, "pairs")
    app = FastAPI()
    add_error_answers(app)
    app.include_router(studies.router(studio))
    with TestClient(app) as opened:
        yield opened
    studio.store.close()


def _made(client: TestClient) -> None:
    asked = {"name": "old", "answers": "pairs", "settings": {"overlap": 2}, "guidelines": "Look at facts."}
    assert client.post("/api/studies", json=asked).status_code == 200


def test_a_study_is_made_and_listed(client: TestClient) -> None:
    _made(client)

    listed = client.get("/api/studies").json()
    found = next(one for one in listed["studies"] if one["name"] == "old")
    assert (found["filled"], found["wanted"], found["answers"], found["state"]) == (0, 6, "pairs", "open")
    assert listed["usual"]["overlap"] == 1
    shown = client.get("/api/studies/old").json()
    assert (shown["settings"]["overlap"], shown["guidelines"]["text"], shown["gold"]) == (2, "Look at facts.", 0)


def test_contestants_are_made_of_models_with_what_is_their_own(client: TestClient) -> None:
    asked = {
        "name": "prompts", "prompts": "starter-prompts",
        "contestants": [{"model": "starter"}, {"model": "starter", "system": "Be brief.", "temperature": 0.2}],
    }  # fmt: skip

    made = client.post("/api/studies", json=asked).json()

    assert [one["name"] for one in made["contestants"]] == ["starter", "starter T=0.2 +system"]
    assert made["contestants"][1]["sampling"]["temperature"] == 0.2
    wrong = client.post("/api/studies", json={**asked, "name": "x", "contestants": [{"model": "none"}, {"model": "y"}]})
    assert (wrong.status_code, "none" in wrong.json()["error"]["sentence"]) == (404, True)


def test_a_change_says_what_it_replaced(client: TestClient) -> None:
    _made(client)

    changed = client.patch("/api/studies/old", json={"overlap": 3, "strength": "optional"}).json()

    assert (changed["before"], changed["wanted"]) == ({"overlap": 2, "strength": "off"}, 9)
    assert client.patch("/api/studies/old", json=changed["before"]).json()["settings"]["overlap"] == 2
    assert client.patch("/api/studies/old", json={"overlap": 0}).status_code == 422


def test_a_study_is_closed_and_opened_again(client: TestClient) -> None:
    _made(client)

    assert client.post("/api/studies/old/close").json()["state"] == "closed"
    assert client.post("/api/studies/old/open").json()["state"] == "open"


def test_guidelines_are_read_version_by_version(client: TestClient) -> None:
    _made(client)
    assert client.post("/api/studies/old/guidelines", json={"text": "Look at tone."}).json()["number"] == 2

    judged = client.get("/api/compare/guidelines?study=old").json()["versions"]
    assert [(one["number"], one["text"]) for one in judged] == [(2, "Look at tone."), (1, "Look at facts.")]
    assert set(judged[0]) == {"number", "text", "created_at"}
    assert len(client.get("/api/studies/old/guidelines").json()["versions"]) == 2


def test_a_known_answer_is_told_and_taken_back(client: TestClient) -> None:
    _made(client)
    first = client.get("/api/studies/old/comparisons?search=question 1").json()["comparisons"][0]
    assert [one["text"] for one in first["answers"]] == ["good 1", "bad 1"]

    told = {"comparison": first["comparison"], "expected": {"choice": "a"}, "note": "plainly"}
    assert client.post("/api/studies/old/gold", json=told).status_code == 200
    assert [one["expected"] for one in client.get("/api/studies/old/gold").json()["gold"]] == [{"choice": "a"}]
    assert client.get("/api/studies/old/comparisons?search=question 1").json()["comparisons"][0]["expected"]

    assert client.delete(f"/api/studies/old/gold/{first['comparison']}").status_code == 200
    assert client.get("/api/studies/old/gold").json()["gold"] == []
    assert client.delete(f"/api/studies/old/gold/{first['comparison']}").status_code == 404


def test_what_choice_saved_is_honest_without_votes(client: TestClient) -> None:
    _made(client)

    found = client.get("/api/studies/old/choice").json()

    assert (found["votes"], found["until_verdicts"]) == (0, None)
    assert "nothing to compare" in found["sentence"]
