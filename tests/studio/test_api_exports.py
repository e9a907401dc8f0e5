"""The JSON routes about files out: choices, previews, downloads, tasks, the Hub."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage.home import Home
from studio.api import exports, imports
from studio.api.errors import add_error_answers
from studio.curation.importing import import_files
from studio.settings import Settings
from studio.studio import Studio

WANTED = {"dataset": "sums", "format": "prompt-completion"}


@pytest.fixture
def studio(home: Home) -> Studio:
    return Studio(settings=Settings.from_env({}, home=home.path))


@pytest.fixture
def client(studio: Studio, tmp_path: Path) -> Iterator[TestClient]:
    """The routes over a dataset of sixty sums and one longer talk."""
    rows: list[dict[str, Any]] = [{"prompt": f"{n}+1?", "completion": str(n + 1)} for n in range(60)]
    talk = [{"role": role, "content": "x"} for role in ("user", "assistant", "user", "assistant")]
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"messages": talk}]))
    import_files(studio.store, [path], "sums")
    with _opened(studio) as opened:
        yield opened


def _opened(studio: Studio, at_once: int = exports.AT_ONCE) -> TestClient:
    app = FastAPI()
    add_error_answers(app)
    app.include_router(exports.router(studio, at_once))
    app.include_router(imports.router(studio))
    return TestClient(app)


def test_the_form_is_offered_what_fits_the_dataset(client: TestClient) -> None:
    offered = client.get("/api/data/datasets/sums/export-choices").json()

    names = [one["name"] for one in offered["formats"]]
    assert names == ["messages", "sharegpt", "alpaca", "prompt-completion", "csv", "parquet"]
    assert offered["formats"][3]["containers"] == ["jsonl", "json", "parquet", "csv"]
    assert [one["name"] for one in offered["policies"]] == [
        "not-rejected", "approved", "all", "no-errors", "train", "measure",
    ]  # fmt: skip
    assert (offered["versions"], offered["recent"]) == ([], [])


def test_a_preview_counts_and_shows_the_first_record(client: TestClient) -> None:
    seen = client.post("/api/data/exports/preview", json=WANTED).json()

    assert (seen["rows"], seen["total"], seen["dropped"], seen["exact"]) == (60, 61, {"more than one turn": 1}, True)
    assert json.loads(seen["first"]) == {"prompt": "0+1?", "completion": "1"}


def test_a_preview_of_nothing_says_why(client: TestClient) -> None:
    seen = client.post("/api/data/exports/preview", json={**WANTED, "policies": ["approved"]}).json()

    assert (seen["rows"], seen["first"]) == (0, None)
    assert seen["sentence"] == "0 approved of 61; 61 are drafts."


def test_a_small_export_is_a_file_at_once(client: TestClient, studio: Studio) -> None:
    report = client.post("/api/data/exports", json={**WANTED, "container": "csv"}).json()["report"]

    file = client.get(f"/api/data/exports/files/{Path(report['path']).name}")

    assert (report["rows"], report["dropped"]) == (60, {"more than one turn": 1})
    assert file.headers["content-disposition"] == 'attachment; filename="sums.csv"'
    assert len(file.content.splitlines()) == 61
    assert [path.name for path in studio.home.exports.iterdir()] == [Path(report["path"]).name]


def test_a_large_export_is_a_task_whose_file_waits(client: TestClient, studio: Studio) -> None:
    client = _opened(studio, at_once=10)
    begun = client.post("/api/data/exports", json=WANTED).json()["task"]
    deadline = time.monotonic() + 60
    while (task := client.get(f"/api/data/tasks/{begun}").json())["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    (recent,) = client.get("/api/data/datasets/sums/export-choices").json()["recent"]

    assert (task["status"], task["result"]["rows"]) == ("done", 60)
    assert (recent["task"], recent["rows"], recent["format"]) == (begun, 60, "prompt-completion")
    assert len(client.get(f"/api/data/exports/files/{recent['file']}").content.splitlines()) == 60


@pytest.mark.parametrize(
    ("format_", "name"), [("messages", "sums.jsonl"), ("csv", "sums.csv"), ("parquet", "sums.parquet")]
)
def test_a_download_leaves_nothing_behind(client: TestClient, studio: Studio, format_: str, name: str) -> None:
    answer = client.get("/api/data/datasets/sums/export", params={"format": format_})

    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["x-rows"] == ("60" if format_ == "csv" else "61")
    assert list(studio.home.exports.iterdir()) == []


@pytest.mark.parametrize("file", ["export-none.jsonl", "..%2Fratchet.db", "ratchet.db"])
def test_only_exports_are_handed_out(client: TestClient, file: str) -> None:
    assert client.get(f"/api/data/exports/files/{file}").status_code == 404


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"format": "xml"}, '"xml" is no export format; the formats are '),
        ({"policies": ["best"]}, '"best" is no policy; the policies are '),
        (
            {"policies": ["train", "measure"]},
            'The policies "train" and "measure" exclude each other; name one of them.',
        ),
        ({"format": "messages", "container": "csv"}, 'The format "messages" does not fit into a csv file; '),
        ({"policies": ["majority"]}, 'The policy "majority" is for the votes of a study; name one with --study.'),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(client: TestClient, wish: dict[str, Any], sentence: str) -> None:
    for path in ("exports", "exports/preview"):
        answer = client.post(f"/api/data/{path}", json={**WANTED, **wish})
        assert answer.status_code == 422
        assert answer.json()["error"]["sentence"].startswith(sentence)


def test_the_data_card_is_shown_before_it_is_sent(client: TestClient) -> None:
    card = client.post("/api/data/exports/card", json={**WANTED, "licence": "cc-by-4.0"}).json()["card"]

    assert "license: cc-by-4.0" in card
    assert "| sums.jsonl | 61 |" in card
    assert "Nobody has stated a licence" not in card
