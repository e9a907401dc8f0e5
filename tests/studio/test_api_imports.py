"""The routes of files in, asked as the page asks them."""

import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from studio.api import imports
from studio.api.errors import add_error_answers
from studio.curation import editing
from studio.curation.importing import import_files
from studio.curation.listing import list_all, show
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.curation.small_hub import TOKEN, SmallHub

pytestmark = pytest.mark.heavy

Json = dict[str, Any]
PAIR = b'{"prompt": "1+1?", "completion": "2"}\n'


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder that was allowed."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "pairs.jsonl").write_bytes(PAIR)
    return shelf


@pytest.fixture
def studio(home: Home, shelf: Path) -> Studio:
    return Studio(settings=Settings.from_env({"RATCHET_ANNOTATOR": "ada"}, home=home.path, allow_folder=[shelf]))


@pytest.fixture
def client(studio: Studio) -> Iterator[TestClient]:
    app = FastAPI()
    add_error_answers(app)
    app.include_router(imports.router(studio))
    with TestClient(app) as opened:
        yield opened


def _upload(client: TestClient, name: str, content: bytes) -> str:
    return str(client.put("/api/data/upload", params={"name": name}, content=content).json()["id"])


def _ended(client: TestClient, answer: Any) -> Json:
    """Wait for a task that a route began."""
    deadline = time.monotonic() + 60
    while (task := client.get(f"/api/data/tasks/{answer.json()['task']}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return dict(task)


def _imported(client: TestClient, *files: Json) -> Json:
    return _ended(client, client.post("/api/data/import", json={"files": list(files)}))


def _look(client: TestClient, upload: str, **wish: Any) -> Json:
    return dict(client.post(f"/api/data/uploads/{upload}/look", json=wish).json())


def test_a_file_goes_in_through_upload_task_and_report(client: TestClient, studio: Studio) -> None:
    content = (
        PAIR + b'{"prompt": "2+2?", "completion": 4}\n{"prompt": "x", "completion": [{"role": "cook"}]}\n{broken\n'
    )
    upload = _upload(client, "chats.jsonl", content)

    task = _imported(client, {"upload": upload, "dataset": "rows"})

    assert task["error"] is None
    report = task["result"]["files"][0]
    assert (task["status"], task["kind"], report["read"], report["imported"]) == ("done", "import", 4, 2)
    assert report["says"] == "a prompt and a completion in each row"
    assert [(fault["line"], fault["column"], fault["value"]) for fault in report["errors"]] == [
        (3, "completion[0].role", "cook"), (4, 2, "{broken"),
    ]  # fmt: skip
    rejected = client.get(f"/api/data/rejected/{Path(report['rejected_file']).name}").text.splitlines()
    assert [json.loads(line)["_error"]["line"] for line in rejected] == [3, 4]
    assert list(studio.home.uploads.iterdir()) == []


def test_each_file_has_its_own_settings(client: TestClient, studio: Studio) -> None:
    russian = _upload(client, "a.csv", "prompt,completion\nКак дела?,Хорошо\n".encode("cp1251"))
    german = _upload(client, "b.csv", b"frage,antwort\n1+1?,2\n")
    lines = _upload(client, "c.txt", b"One.\nTwo.\n")

    task = _imported(
        client,
        {"upload": russian, "dataset": "rows", "encoding": "cp1251"},
        {"upload": german, "dataset": "rows", "mapping": {"frage": "prompt", "antwort": "answer"}},
        {"upload": lines, "dataset": "lines"},
    )

    assert [report["imported"] for report in task["result"]["files"]] == [1, 1, 2]
    said = [row.content["messages"][0]["content"] for row in show(studio.store, "rows").rows]
    assert said == ["Как дела?", "1+1?"]
    assert [(item.dataset.name, item.dataset.kind) for item in list_all(studio.store).datasets] == [
        ("rows", "sft"), ("lines", "text"),
    ]  # fmt: skip


def test_one_file_that_does_not_fit_lets_the_others_in(client: TestClient, studio: Studio) -> None:
    text, pair = _upload(client, "a.txt", b"One.\n"), _upload(client, "b.jsonl", PAIR)

    task = _imported(client, {"upload": text, "dataset": "rows"}, {"upload": pair, "dataset": "rows"})

    good, bad = task["result"]["files"]
    assert (good["imported"], bad["imported"], bad["ok"]) == (1, 0, False)
    assert bad["sentence"].startswith('Dataset "rows" holds text rows and "b.jsonl" has sft rows')
    assert list(studio.home.uploads.iterdir()) == []


def test_a_mapping_is_offered_for_the_next_file_with_these_columns(client: TestClient) -> None:
    mapping = {"frage": "prompt", "antwort": "answer"}
    first = _upload(client, "a.csv", b"frage,antwort\n1+1?,2\n")
    before = _look(client, first)
    _imported(client, {"upload": first, "dataset": "german", "mapping": mapping})

    after = _look(client, _upload(client, "b.csv", b"antwort,frage\n4,2+2?\n"))

    assert (before["kind"], before["columns"], before["remembered"]) == (None, ["frage", "antwort"], None)
    assert (after["kind"], after["remembered"]["mapping"], after["remembered"]["dataset"]) == (None, mapping, "german")


def test_a_look_shows_rows_in_another_encoding(client: TestClient) -> None:
    upload = _upload(client, "a.csv", "prompt,completion\nКак дела?,Хорошо\n".encode("cp1251"))

    seen = _look(client, upload, encoding="cp1252")

    assert seen["encoding"] == "cp1252" and "cp1251" in seen["encodings"]
    assert seen["samples"][0]["before"][0] == {"name": "prompt", "text": "Êàê äåëà?"}
    wrong = client.post(f"/api/data/uploads/{upload}/look", json={"encoding": "klingon"})
    assert (wrong.status_code, '"klingon" is no encoding' in wrong.json()["error"]["sentence"]) == (422, True)


def test_an_archive_is_looked_at_and_imported_file_by_file(client: TestClient, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.jsonl", PAIR)
        archive.writestr("b.csv", "question,answer\nWhy?,Because.\n")
    upload = _upload(client, "two.zip", (tmp_path / "two.zip").read_bytes())

    seen = _look(client, upload)
    task = _imported(client, {"upload": upload, "dataset": "rows"})

    assert (seen["files"], seen["format"], seen["kind"]) == (["a.jsonl", "b.csv"], "jsonl", "sft")
    assert [(report["file"], report["imported"]) for report in task["result"]["files"]] == [
        ("a.jsonl", 1),
        ("b.csv", 1),
    ]


def test_files_of_an_allowed_folder_are_listed_chosen_and_imported(client: TestClient, shelf: Path) -> None:
    (shelf / "deep").mkdir()
    names = client.get("/api/data/folders").json()
    listed = client.post("/api/data/folders/0/list", json={"path": ""}).json()
    chosen = client.post("/api/data/folders/0/choose", json={"paths": ["pairs.jsonl"]}).json()["uploads"]

    task = _imported(client, {"upload": chosen[0]["id"], "dataset": "rows"})

    assert names == {"folders": ["shelf"]}
    assert [entry["name"] for entry in listed["folders"]] == ["deep"]
    assert [(entry["name"], entry["size"]) for entry in listed["files"]] == [("pairs.jsonl", len(PAIR))]
    assert task["result"]["files"][0]["imported"] == 1
    assert (shelf / "pairs.jsonl").read_bytes() == PAIR


@pytest.mark.parametrize("path", ["../outside.jsonl", "/etc/passwd", "no.jsonl"])
def test_a_path_beside_the_folder_is_not_there(client: TestClient, path: str) -> None:
    answer = client.post("/api/data/folders/0/choose", json={"paths": [path]})

    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "not-found")


def test_an_import_is_taken_back_once_and_only_while_it_is_the_newest(client: TestClient, studio: Studio) -> None:
    first = _imported(client, {"upload": _upload(client, "a.jsonl", PAIR), "dataset": "rows"})["result"]["files"][0]
    path = studio.home.path / "more.jsonl"
    path.write_text('{"prompt": "2+2?", "completion": "4"}\n')
    import_files(studio.store, [path], "rows")
    address = f"/api/data/datasets/rows/imports/{first['batch']}/undo"

    late = client.post(address)
    editing.undo(studio.store, "rows")
    undone = client.post(address)
    again = client.post(address)

    assert (late.status_code, "was changed since this import" in late.json()["error"]["sentence"]) == (409, True)
    assert undone.json() == {"label": "imported 1 row from a.jsonl"}
    assert (again.status_code, again.json()["error"]["sentence"]) == (409, "This import was taken back already.")
    assert show(studio.store, "rows").total == 0


def test_an_empty_upload_and_one_that_is_gone_are_said(client: TestClient) -> None:
    empty = client.put("/api/data/upload", params={"name": "a.jsonl"}, content=b"")
    gone = client.post("/api/data/import", json={"files": [{"upload": "0" * 26, "dataset": "rows"}]})
    none = client.post("/api/data/import", json={"files": []})

    assert (empty.status_code, empty.json()["error"]["sentence"]) == (422, '"a.jsonl" is empty.')
    assert (gone.status_code, gone.json()["error"]["kind"]) == (404, "not-found")
    assert (none.status_code, none.json()["error"]["sentence"]) == (422, "Choose at least one file to import.")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    """A Hub with one private dataset; the tasks ask it with the token of this machine."""
    folder = tmp_path / "on-the-hub"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "train.jsonl").write_bytes(PAIR + b'{"prompt": "2+2?", "completion": "4"}\n')
    (folder / "data" / "test.jsonl").write_bytes(PAIR)
    served = SmallHub(folder, "owner/sums")
    for name, value in {"HF_ENDPOINT": served.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    yield served
    served.close()


def test_rows_come_from_the_hub_through_a_look_and_a_fetch(client: TestClient, studio: Studio, hub: SmallHub) -> None:
    seen = _ended(client, client.post("/api/data/hub/look", json={"id": "owner/sums"}))["result"]["hub"]
    wanted = {"id": "owner/sums", "config": seen["config"], "split": "train", "limit": 1}
    fetched = _ended(client, client.post("/api/data/hub/fetch", json=wanted))
    upload = fetched["result"]["upload"]

    task = _imported(client, {"upload": upload["id"], "dataset": "sums"})

    assert (seen["configs"], [split["name"] for split in seen["splits"]]) == (["default"], ["train", "test"])
    assert [column["name"] for column in seen["columns"]] == ["prompt", "completion"]
    assert (upload["name"], fetched["kind"]) == ("owner-sums-train.jsonl", "hub-fetch")
    assert task["result"]["files"][0]["imported"] == 1
    assert list(studio.home.uploads.iterdir()) == []


def test_a_dataset_that_the_hub_does_not_have_is_one_sentence(client: TestClient, hub: SmallHub) -> None:
    task = _ended(client, client.post("/api/data/hub/look", json={"id": "owner/other"}))

    assert (task["status"], task["error"]["sentence"]) == (
        "failed",
        'The Hub has no dataset "owner/other", or it is private; check the name, or log in with `hf auth login`.',
    )


def test_a_dataset_that_wants_to_run_code_is_refused(client: TestClient, hub: SmallHub, tmp_path: Path) -> None:
    (hub.folder / "sums.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")

    task = _ended(client, client.post("/api/data/hub/look", json={"id": "owner/sums"}))

    assert task["status"] == "failed"
    assert "scripts are no longer supported" in task["error"]["sentence"]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("wanted", ["", "../etc", "a b", "owner/name/more", "https://example.org/x", "/srv/data", "."])
def test_a_hub_id_is_never_a_path_or_an_address(client: TestClient, wanted: str) -> None:
    answer = client.post("/api/data/hub/look", json={"id": wanted})

    assert (answer.status_code, answer.json()["error"]["kind"]) == (422, "bad-input")


@pytest.mark.parametrize("file", ["rejected-x.jsonl", "..%2Fratchet.db", "ratchet.db"])
def test_only_files_of_rejected_rows_are_handed_out(client: TestClient, studio: Studio, file: str) -> None:
    assert studio.home.database.is_file()
    assert client.get(f"/api/data/rejected/{file}").status_code == 404
