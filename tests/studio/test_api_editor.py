"""The routes of the editor, asked as the editor asks them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from storage.models import add_model
from studio.api import editor
from studio.api.errors import add_error_answers
from studio.curation import comments
from studio.curation.importing import import_files
from studio.doorman import Doorman
from studio.settings import Settings
from studio.studio import Studio
from tests.talker import Talker

Json = dict[str, Any]


@pytest.fixture
def studio(home: Home) -> Studio:
    return Studio(settings=Settings.from_env({"RATCHET_ANNOTATOR": "ada"}, home=home.path))


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    app = FastAPI()
    add_error_answers(app)
    app.add_middleware(Doorman, studio=studio)
    app.include_router(editor.router(studio))
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def row(studio: Studio, tmp_path: Path) -> str:
    """The address of the second of five sums."""
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"{n}+1?", "completion": str(n + 1)}) + "\n" for n in range(5)))
    import_files(studio.store, [path], "sums")
    return "/api/data/datasets/sums/rows/1-2"


@pytest.fixture
def talker(studio: Studio) -> Iterator[Talker]:
    talker = Talker({"m": lambda messages, seed: f"said to {len(messages)} turns"})
    add_model(studio.store, "otter", "endpoint", url=talker.url, remote_name="m")
    yield talker
    talker.close()


def _chat(*turns: str) -> Json:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]}


def test_a_draft_comes_with_its_row_until_it_is_dropped(client: TestClient, row: str) -> None:
    seen = client.get(row).json()
    body = {"tab": "t1", "revision": seen["revision"], "content": _chat("1+1?", "half \ud83d"), "tags": ["new"]}
    raw = json.dumps(body)

    kept = client.put(f"{row}/draft", content=raw, headers={"Content-Type": "application/json"}).json()
    draft = client.get(row).json()["draft"]
    other = client.delete(f"{row}/draft", params={"tab": "t2"}).json()
    mine = client.delete(f"{row}/draft", params={"tab": "t1"}).json()

    assert seen["draft"] is None
    assert draft == {"revision": seen["revision"], "saved_at": kept["saved_at"], "content": body["content"],
                     "tags": ["new"]}  # fmt: skip
    assert (other, mine, client.get(row).json()["draft"]) == ({"dropped": False}, {"dropped": True}, None)


def test_the_row_that_is_not_written_yet_has_a_draft_too(client: TestClient, row: str) -> None:
    new = row.replace("1-2", "new")
    client.put(f"{new}/draft", json={"tab": "t", "content": _chat("a")})

    assert client.get(f"{new}/draft").json()["draft"]["content"] == _chat("a")


def test_a_status_is_set_with_its_reason_and_undone(client: TestClient, row: str) -> None:
    approved = client.post(f"{row}/status", json={"status": "approved"}).json()
    rejected = client.post(f"{row}/status", json={"status": "rejected", "reason": "Wrong"}).json()
    without = client.post(f"{row}/status", json={"status": "rejected"})
    odd = client.post(f"{row}/status", json={"status": "deleted"})
    history = client.get(f"{row}/history").json()["revisions"]

    assert (approved["status"], approved["reason"]) == ("approved", None)
    assert (rejected["status"], rejected["reason"]) == ("rejected", "Wrong")
    assert without.status_code == odd.status_code == 422
    assert [item["status"] for item in history] == ["draft", "approved", "rejected"]
    assert history[-1]["reason"] == "Wrong"


def test_a_change_of_tags_by_somebody_else_is_a_conflict_where_it_is_asked_for(client: TestClient, row: str) -> None:
    seen = client.get(row).json()
    client.put(row, json={"content": seen["content"], "tags": ["hers"], "revision": seen["revision"]})

    mine = {"content": seen["content"], "tags": ["his"], "revision": seen["revision"]}
    late = client.put(row, json={**mine, "change": seen["change"]})

    assert (late.status_code, late.json()["error"]["kind"]) == (409, "conflict")
    assert client.get(row).json()["tags"] == ["hers"]


@pytest.mark.parametrize(("asked", "around"), [
    ({}, ("1-1", "1-3", 1, 5)),
    ({"search": "2"}, (None, "1-3", 0, 2)),
    ({"search": "4"}, (None, None, None, 2)),
    ({"sort": "-number", "size": 25}, ("1-3", "1-1", 3, 5)),
])  # fmt: skip
def test_neighbours_are_those_that_the_filter_finds(
    client: TestClient, row: str, asked: Json, around: tuple[Any, ...]
) -> None:
    found = client.get(f"{row}/neighbours", params=asked).json()

    assert (found["previous"], found["next"], found["place"], found["total"]) == around


def test_comments_are_said_changed_and_removed(client: TestClient, studio: Studio, row: str) -> None:
    made = client.post(f"{row}/comments", json={"text": "Rihgt?"}).json()
    client.put(f"{row}/comments/{made['id']}", json={"text": "Right?"})
    theirs = comments.add(studio.store, "sums", "1-2", "Yes.", "bob")
    refused = client.delete(f"{row}/comments/{theirs.id}")
    listed = client.get(f"{row}/comments").json()["comments"]
    client.delete(f"{row}/comments/{made['id']}")
    left = client.get(f"{row}/comments").json()["comments"]
    client.post(f"{row}/comments/{made['id']}/restore")

    assert [(item["author"], item["text"], item["mine"]) for item in listed] == [
        ("ada", "Right?", True), ("bob", "Yes.", False),
    ]  # fmt: skip
    assert refused.status_code == 403
    assert [item["text"] for item in left] == ["Yes."]
    assert len(client.get(f"{row}/comments").json()["comments"]) == 2


def _events(text: str) -> list[Json]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n\n") if line]


def test_what_a_model_drafts_comes_piece_by_piece(client: TestClient, talker: Talker) -> None:
    asked = {"model": "otter", "how": "draft", "content": _chat("1+1?", "3"), "part": "messages", "turn": 1}

    events = _events(client.post("/api/data/suggest", json=asked).text)

    assert events[0] == {"kind": "status", "phase": "starting"}
    assert "".join(event.get("text", "") for event in events) == "said to 1 turns"
    assert events[-1] == {"kind": "done", "finish_reason": "stop"}


def test_an_improvement_is_asked_with_the_answer_and_its_prompt(client: TestClient, talker: Talker) -> None:
    pair = {"prompt": _chat("1+1?")["messages"], "chosen": [{"role": "assistant", "content": "2"}],
            "rejected": [{"role": "assistant", "content": "3"}]}  # fmt: skip
    asked = {"model": "otter", "how": "improve", "content": pair, "part": "rejected", "turn": 0}

    client.post("/api/data/suggest", json=asked)

    said = talker.asked[-1]["messages"]
    assert [(turn["role"], turn["content"]) for turn in said[:2]] == [("user", "1+1?"), ("assistant", "3")]
    assert (len(said), said[2]["role"]) == (3, "user")


def test_a_model_that_fails_says_so_at_the_end_of_the_stream(client: TestClient, talker: Talker) -> None:
    talker.failing = True
    asked = {"model": "otter", "how": "draft", "content": _chat("1+1?", "3"), "part": "messages", "turn": 1}

    events = _events(client.post("/api/data/suggest", json=asked).text)

    assert (events[-1]["kind"], "out of order" in events[-1]["sentence"]) == ("error", True)


@pytest.mark.parametrize(("wish", "sentence"), [
    ({"turn": 0}, "Write the question first"),
    ({"turn": 7}, "There is no turn 8"),
    ({"part": "answers.3.messages"}, "is no part of an example"),
    ({"how": "improve", "content": _chat("1+1?", " ")}, "There is no answer to improve"),
])  # fmt: skip
def test_what_cannot_be_drafted_says_why(client: TestClient, talker: Talker, wish: Json, sentence: str) -> None:
    asked = {"model": "otter", "how": "draft", "content": _chat("1+1?", "3"), "part": "messages", "turn": 1, **wish}

    refused = client.post("/api/data/suggest", json=asked)

    assert refused.status_code == 422
    assert sentence in refused.json()["error"]["sentence"]
    assert talker.asked == []
