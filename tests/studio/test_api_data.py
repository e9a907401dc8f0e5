"""The routes of /data, asked as the page asks them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from studio.api import data, editor, imports
from studio.api import rows as row_routes
from studio.api.errors import add_error_answers
from studio.curation.importing import import_files
from studio.doorman import Doorman
from studio.settings import Settings
from studio.studio import Studio

Json = dict[str, Any]


@pytest.fixture
def studio(home: Home) -> Studio:
    return Studio(settings=Settings.from_env({"RATCHET_ANNOTATOR": "ada"}, home=home.path))


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    app = FastAPI()
    add_error_answers(app)
    app.add_middleware(Doorman, studio=studio)
    app.include_router(row_routes.router(studio))
    app.include_router(data.router(studio))
    app.include_router(editor.router(studio))
    app.include_router(imports.router(studio))
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def rows(studio: Studio, tmp_path: Path) -> str:
    """A dataset of sixty sums; answers its address."""
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"{n}+1?", "completion": str(n + 1)}) + "\n" for n in range(60)))
    import_files(studio.store, [path], "sums")
    return "/api/data/datasets/sums/rows"


def _chat(question: str, answer: str) -> Json:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def _imported(client: TestClient, name: str, content: bytes, **wish: Any) -> Json:
    """Upload a file, import it and wait; the task."""
    upload = client.put("/api/data/upload", params={"name": name}, content=content).json()["id"]
    begun = client.post("/api/data/import", json={"uploads": [upload], "dataset": "rows", **wish})
    deadline = time.monotonic() + 60
    while (task := client.get(f"/api/data/tasks/{begun.json()['task']}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return dict(task)


def test_a_page_has_25_short_rows_and_says_what_undo_would_do(client: TestClient, rows: str) -> None:
    first = client.get(rows).json()
    last = client.get(rows, params={"page": 3}).json()

    assert (len(first["rows"]), first["total"], first["all"], first["page"], first["pages"]) == (25, 60, 60, 1, 3)
    assert (first["kind"], first["undo"], first["redo"]) == ("sft", "imported 60 rows from sums.jsonl", None)
    assert first["rows"][0]["lines"] == [
        {"label": "user", "segments": [["0+1?", False]]}, {"label": "assistant", "segments": [["1", False]]},
    ]  # fmt: skip
    assert [row["number"] for row in last["rows"]] == list(range(51, 61))


def test_a_page_past_the_end_is_the_last_one_and_a_row_is_found_on_its_page(client: TestClient, rows: str) -> None:
    past = client.get(rows, params={"page": 99}).json()
    wanted = past["rows"][-1]["id"]

    assert past["page"] == 3
    assert client.get(rows, params={"at": wanted}).json()["page"] == 3


def test_a_search_counts_marks_and_names_all(client: TestClient, rows: str) -> None:
    found = client.get(rows, params={"search": "59"}).json()

    assert (found["total"], found["all"]) == (2, 60)
    assert found["rows"][0]["lines"][1]["segments"] == [["59", True]]


def test_a_row_is_saved_once_per_revision(client: TestClient, rows: str) -> None:
    row = client.get(f"{rows}/{client.get(rows).json()['rows'][0]['id']}").json()
    change = {"content": _chat("0+1?", "one"), "tags": ["words"], "revision": row["revision"]}

    saved = client.put(f"{rows}/{row['id']}", json=change)
    late = client.put(f"{rows}/{row['id']}", json={**change, "content": _chat("0+1?", "uno")})

    assert (saved.status_code, saved.json()["tags"], saved.json()["author"]) == (200, ["words"], "ada")
    assert (late.status_code, late.json()["error"]["kind"]) == (409, "conflict")
    assert client.get(f"{rows}/{row['id']}").json()["content"]["messages"][1]["content"] == "one"


def test_add_copy_delete_undo_and_redo(client: TestClient, rows: str) -> None:
    base = rows.removesuffix("/rows")
    added = client.post(rows, json={"content": _chat("a", "b"), "tags": ["new"]}).json()
    copied = client.post(f"{rows}/{added['id']}/duplicate").json()
    client.delete(f"{rows}/{added['id']}")

    undone = client.post(f"{base}/undo").json()
    redone = client.post(f"{base}/redo").json()

    assert (added["number"], copied["number"], copied["tags"]) == (61, 62, ["new"])
    assert (undone["label"], undone["examples"], undone["undo"], undone["redo"]) == (
        "deleted example 61", [added["id"]], "duplicated example 61", "deleted example 61",
    )  # fmt: skip
    assert redone["redo"] is None
    assert client.get(f"{rows}/{added['id']}").status_code == 404
    assert client.get(rows).json()["total"] == 61


def test_history_tells_who_did_what(client: TestClient, rows: str) -> None:
    row = client.get(rows).json()["rows"][0]["id"]
    client.put(f"{rows}/{row}", json={"content": _chat("0+1?", "one")})

    said = client.get(f"{rows}/{row}/history").json()["revisions"]

    assert [(item["kind"], item["author"]) for item in said] == [("import", "me"), ("edit", "ada")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"messages": []}, "The list of messages is empty."),
        (_chat("a", " "), "Turn 2: The assistant message is empty."),
    ],
)
def test_a_row_that_cannot_be_saved_says_why(client: TestClient, rows: str, content: Json, sentence: str) -> None:
    answer = client.post(rows, json={"content": content})

    assert (answer.status_code, answer.json()["error"]["sentence"]) == (422, sentence)
    assert client.get(rows).json()["total"] == 60


def test_a_dataset_is_made_by_hand(client: TestClient) -> None:
    made = client.post("/api/data/datasets", json={"name": "mine", "kind": "text"})
    client.post("/api/data/datasets/mine/rows", json={"content": {"text": "one"}})

    assert made.json()["kind"] == "text"
    listed = client.get("/api/data/datasets").json()
    assert [(item["name"], item["rows"]) for item in listed["datasets"]] == [("mine", 1)]
    assert client.post("/api/data/datasets", json={"name": "mine"}).status_code == 409
    assert client.post("/api/data/datasets", json={"name": "a b"}).status_code == 422


def test_half_a_character_reaches_the_page_and_comes_back(client: TestClient) -> None:
    _imported(client, "a.jsonl", b'{"prompt": "half \\ud83d", "completion": "<img src=x onerror=alert(1)>"}\n')
    base = "/api/data/datasets/rows/rows"

    row = client.get(f"{base}/{client.get(base).json()['rows'][0]['id']}").json()
    body = json.dumps({"content": row["content"], "tags": ["seen"], "revision": row["revision"]})
    saved = client.put(f"{base}/{row['id']}", content=body, headers={"Content-Type": "application/json"})

    assert row["content"]["messages"][0]["content"] == "half \ud83d"
    assert saved.json()["content"] == row["content"]
