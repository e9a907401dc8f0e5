"""The routes of the table, asked as the page asks them: pages, bulk changes, views, versions, erasing."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import tasks
from storage.home import Home
from storage.rows_training import Task
from studio.api import data, editor, rows, versions, views
from studio.api.errors import add_error_answers
from studio.curation.importing import import_files
from studio.doorman import Doorman
from studio.settings import Settings
from studio.studio import Studio

pytestmark = pytest.mark.heavy

Json = dict[str, Any]
SUMS = "/api/data/datasets/sums"


@pytest.fixture
def studio(home: Home) -> Studio:
    return Studio(settings=Settings.from_env({"RATCHET_ANNOTATOR": "ada"}, home=home.path))


@pytest.fixture
def client(studio: Studio, tmp_path: Path) -> Iterator[TestClient]:
    """The routes over a dataset of thirty sums."""
    app = FastAPI()
    add_error_answers(app)
    app.add_middleware(Doorman, studio=studio)
    for module in (rows, views, versions, editor, data):
        app.include_router(module.router(studio))
    path = tmp_path / "sums.jsonl"
    lines = [{"prompt": f"{n}+1?", "completion": str(n + 1), "tags": ["low"] if n < 10 else []} for n in range(30)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    import_files(studio.store, [path], "sums")
    with TestClient(app) as opened:
        yield opened


def _ids(client: TestClient, **query: str) -> list[str]:
    return [row["id"] for row in client.get(f"{SUMS}/rows", params=query).json()["rows"]]


def test_a_page_shows_what_matches_and_says_how_many_there_are(client: TestClient) -> None:
    page = client.get(f"{SUMS}/rows?tag=low&sort=-number&size=4&page=3").json()

    kept = ("total", "exact", "all", "page", "pages", "task", "undo")
    assert {key: page[key] for key in kept} == {
        "total": 10, "exact": True, "all": 30, "page": 3, "pages": 3, "task": None,
        "undo": "imported 30 rows from sums.jsonl",
    }  # fmt: skip
    assert [row["number"] for row in page["rows"]] == [2, 1]
    row = page["rows"][1]
    assert {key: row[key] for key in ("status", "reason", "tags", "chars", "tokens", "author")} == {
        "status": "draft", "reason": None, "tags": ["low"], "chars": 5, "tokens": None, "author": "me",
    }  # fmt: skip
    assert row["split"] in ("train", "measure")


def test_what_can_be_filtered_by_is_what_is_there(client: TestClient) -> None:
    client.post(f"{SUMS}/bulk", json={"action": "tag", "tags": ["<b>"], "ids": _ids(client)[:1]})

    facets = client.get(f"{SUMS}/facets").json()

    assert [facet["id"] for facet in facets["tags"]] == ["<b>", "low"]
    assert [facet["id"] for facet in facets["authors"]] == ["ada", "me"]
    assert [facet["label"].split(",")[0] for facet in facets["sources"]] == ["sums.jsonl"]
    by_source = client.get(f"{SUMS}/rows", params={"source": facets["sources"][0]["id"], "author": "ada"}).json()
    assert by_source["total"] == 1


def test_an_undo_of_one_change_is_refused_once_another_came_after_it(client: TestClient) -> None:
    first = client.post(f"{SUMS}/bulk", json={"action": "approve", "filters": {"tag": "low"}}).json()
    second = client.post(f"{SUMS}/bulk", json={"action": "delete", "ids": _ids(client)[:1]}).json()

    refused = client.post(f"{SUMS}/undo", json={"batch": first["batch"]})
    undone = client.post(f"{SUMS}/undo", json={"batch": second["batch"]})

    assert (first["changed"], refused.status_code, undone.json()["label"]) == (10, 409, "moved example 1 to the trash")
    assert "“moved example 1 to the trash” came after it" in refused.json()["error"]["sentence"]
    changes = client.get(f"{SUMS}/changes").json()["changes"]
    assert [(change["label"], change["state"]) for change in changes] == [
        ("moved example 1 to the trash", "undone"), ("approved 10 examples", "published"),
        ("imported 30 rows from sums.jsonl", "published"),
    ]  # fmt: skip


@pytest.fixture
def many(studio: Studio, tmp_path: Path) -> str:
    """A dataset of 2,100 texts; its address."""
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f'{{"text": "Text {n}"}}\n' for n in range(2100)))
    import_files(studio.store, [path], "many")
    return "/api/data/datasets/many"


def _ended(studio: Studio, task_id: str) -> Task:
    deadline = time.monotonic() + 300  # a task runs at the lowest priority
    while (task := tasks.get_task(studio.store, task_id)).status in ("queued", "running"):
        assert time.monotonic() < deadline, task
        time.sleep(0.05)
    return task


def test_a_large_change_runs_as_a_task(client: TestClient, studio: Studio, many: str) -> None:
    begun = client.post(f"{many}/bulk", json={"action": "approve", "filters": {}}).json()
    shown = client.get(f"{many}/rows").json()["task"]

    task = _ended(studio, begun["task"])

    assert (task.status, task.result) == (
        "done", {"action": "approve", "changed": 2100, "unchanged": 0, "left_out": 0,
                 "label": "approved 2,100 examples", "batch": (task.result or {}).get("batch")},
    )  # fmt: skip
    assert shown == begun["task"]
    assert client.get(f"{many}/rows?status=approved").json()["total"] == 2100


def test_a_large_change_that_is_cancelled_changes_nothing(client: TestClient, studio: Studio, many: str) -> None:
    begun = client.post(f"{many}/bulk", json={"action": "delete", "filters": {}}).json()
    tasks.cancel(studio.store, begun["task"])

    task = _ended(studio, begun["task"])

    page = client.get(f"{many}/rows").json()
    assert (task.status, page["total"], page["undo"]) == ("stopped", 2100, "imported 2,100 rows from many.jsonl")


def test_views_are_each_persons_own_and_open_to_no_error(client: TestClient, studio: Studio) -> None:
    state = {"search": "1", "filters": {"status": "draft", "tag": ["low"]}, "sort": "-chars", "size": 50, "other": 1}
    made = client.post(f"{SUMS}/views", json={"name": " Low  ones ", "state": state}).json()
    again = client.post(f"{SUMS}/views", json={"name": "Low ones", "state": state})
    broken = client.post(f"{SUMS}/views", json={"name": "Broken", "state": {"filters": {"chars": "x"}}})
    client.patch(f"{SUMS}/views/{made['id']}", json={"name": "Few"})

    found = client.get(f"{SUMS}/views").json()["views"]

    assert (again.status_code, broken.status_code) == (409, 422)
    del state["other"]
    assert [(view["name"], view["state"]) for view in found] == [("Few", state)]
    studio.store.execute("update views set author = 'grace'")
    assert client.get(f"{SUMS}/views").json()["views"] == []
    assert client.delete(f"{SUMS}/views/{made['id']}").status_code == 404


def test_a_deleted_dataset_comes_back_with_its_rows_and_makes_room_for_another(client: TestClient) -> None:
    renamed = client.patch(SUMS, json={"name": "adds", "description": " Sums of two. "}).json()
    gone = client.delete("/api/data/datasets/adds").json()
    names = [item["name"] for item in client.get("/api/data/datasets").json()["datasets"]]
    deleted = client.get("/api/data/deleted").json()["datasets"]
    client.post("/api/data/datasets", json={"name": "adds"})
    back = client.post(f"/api/data/deleted/{gone['id']}/restore").json()

    assert (renamed["name"], renamed["description"]) == ("adds", "Sums of two.")
    assert (names, [(item["name"], item["rows"]) for item in deleted]) == ([], [("adds", 30)])
    assert back == {"name": "adds-2"}
    assert client.get("/api/data/datasets/adds-2/rows").json()["total"] == 30
    assert client.get("/api/data/deleted").json()["datasets"] == []


def test_versions_are_named_compared_restored_and_forked(client: TestClient) -> None:
    first = client.post(f"{SUMS}/versions", json={"name": "before"}).json()
    same = client.post(f"{SUMS}/versions", json={}).json()
    ids = _ids(client)
    client.post(f"{SUMS}/bulk", json={"action": "delete", "ids": ids[:1]})
    client.post(f"{SUMS}/bulk", json={"action": "approve", "ids": ids[1:2]})
    row = client.get(f"{SUMS}/rows/{ids[2]}").json()
    row["content"]["messages"][1]["content"] = "three"
    client.put(f"{SUMS}/rows/{ids[2]}", json={"content": row["content"]})
    client.post(f"{SUMS}/versions", json={})

    compared = client.get(f"{SUMS}/versions/1/compare?with=2").json()
    removed = client.get(f"{SUMS}/versions/1/compare?with=2&kind=removed").json()
    restored = client.post(f"{SUMS}/versions/1/restore").json()
    forked = client.post(f"{SUMS}/versions/2/fork", json={"name": "fork"}).json()

    assert (first["version"], first["rows"], first["known"], same["version"], same["known"]) == (1, 30, False, 1, True)
    assert {key: compared[key] for key in ("added", "removed", "changed", "relabelled", "unchanged")} == {
        "added": 0, "removed": 1, "changed": 1, "relabelled": 1, "unchanged": 27,
    }  # fmt: skip
    assert [(row["kind"], row["number"], row["before"], row["after"]) for row in compared["rows"]] == [
        ("removed", 1, "user: 0+1?\nassistant: 1", None),
        ("relabelled", 2, "draft; tags: low", "approved; tags: low"),
        ("changed", 3, "user: 2+1?\nassistant: 3", "user: 2+1?\nassistant: three"),
    ]
    assert [row["number"] for row in removed["rows"]] == [1]
    assert (restored["changed"], forked) == (3, {"version": 2, "dataset": "fork", "rows": 29})
    listed = client.get(f"{SUMS}/versions").json()["versions"]
    assert [(one["number"], one["name"], one["rows"], one["jobs"]) for one in listed] == [
        (1, "before", 30, []), (2, None, 29, []),
    ]  # fmt: skip
    assert client.get(f"{SUMS}/rows").json()["undo"] == "restored version 1"


def test_a_large_dataset_is_frozen_restored_and_forked_by_tasks(
    client: TestClient, studio: Studio, tmp_path: Path
) -> None:
    path = tmp_path / "large.jsonl"
    path.write_text("".join(f'{{"text": "Text {n}"}}\n' for n in range(20_001)))
    import_files(studio.store, [path], "large")
    large = "/api/data/datasets/large"

    frozen = _ended(studio, client.post(f"{large}/versions", json={"name": "all"}).json()["task"])
    client.post(f"{large}/bulk", json={"action": "delete", "filters": {"search": "Text 7"}})
    restored = _ended(studio, client.post(f"{large}/versions/1/restore").json()["task"])
    forked = _ended(studio, client.post(f"{large}/versions/1/fork", json={"name": "fork"}).json()["task"])
    taken = client.post(f"{large}/versions/1/fork", json={"name": "fork"})

    assert [(task.status, (task.result or {})["say"]) for task in (frozen, restored, forked)] == [
        ("done", "frozen"), ("done", "restored"), ("done", "forked"),
    ]  # fmt: skip
    assert ((frozen.result or {})["rows"], (frozen.result or {})["name"]) == (20_001, "all")
    assert ((restored.result or {})["changed"], (forked.result or {})["dataset"]) == (1, "fork")
    assert client.get("/api/data/datasets/fork/rows").json()["total"] == 20_001
    assert taken.status_code == 409


def test_erasing_wants_the_word_and_leaves_nothing(client: TestClient, studio: Studio) -> None:
    client.post(f"{SUMS}/versions", json={})
    ids = _ids(client)
    reach = client.post(f"{SUMS}/erase/reach", json={"ids": ids[:2]}).json()
    refused = client.post(f"{SUMS}/erase", json={"ids": ids[:2], "confirm": "yes"})
    before = client.get(f"{SUMS}/rows").json()["total"]

    client.post(f"{SUMS}/erase", json={"ids": ids[:2], "confirm": " Erase "})
    masked = client.post(f"{SUMS}/erase", json={"ids": ids[2:3], "confirm": "erase", "text": "2+1"}).json()

    assert (reach["rows"], reach["versions"], reach["models"], reach["runs"]) == (2, [1], [], 0)
    assert (refused.status_code, before, client.get(f"{SUMS}/rows").json()["total"]) == (422, 30, 28)
    assert masked["rows"] == 1
    texts = studio.store.value("select group_concat(content) from revisions")
    assert [passage in texts for passage in ('"0+1?"', '"1+1?"', '"2+1', "[erased]", '"3+1?"')] == [
        False, False, False, True, True,
    ]  # fmt: skip
    assert client.get(f"{SUMS}/versions").json()["versions"][0]["rows"] == 28
