"""The routes about checks, as a page uses them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from studio.api import checks, data, imports, rows
from studio.api.errors import add_error_answers
from studio.settings import Settings
from studio.studio import Studio
from tests.studio.curation.checks.test_running import chat, filled, ids

pytestmark = pytest.mark.heavy


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(settings=Settings.from_env({}, home=tmp_path / "home"))


@pytest.fixture
def web(studio: Studio) -> Iterator[TestClient]:
    app = FastAPI()
    add_error_answers(app)
    for module in (checks, rows, data, imports):
        app.include_router(module.router(studio))
    with TestClient(app) as opened:
        yield opened


def ended(web: TestClient, task: str) -> Any:
    while (seen := web.get(f"/api/data/tasks/{task}").json())["status"] in ("queued", "running"):
        time.sleep(0.05)
    return seen


def test_a_dataset_is_checked_looked_at_mended_and_undone(studio: Studio, web: TestClient) -> None:
    dataset = filled(studio.store, [chat("Hi", "Write to a@b.de"), chat("Hi you", "")])
    first, _ = ids(studio.store, dataset)

    started = web.post("/api/data/datasets/rows/check", json={}).json()
    assert ended(web, started["task"])["status"] == "done"
    seen = web.get("/api/data/datasets/rows/findings").json()
    row = web.get(f"/api/data/datasets/rows/rows/{first}/findings").json()["findings"]
    mended = web.post("/api/data/datasets/rows/mend/personal-data").json()
    ended(web, mended["task"])
    again = web.get("/api/data/datasets/rows/findings").json()
    refused = web.post("/api/data/datasets/rows/mend/empty")
    undone = web.post("/api/data/datasets/rows/undo").json()

    assert [(item["check"], item["count"], item["mendable"]) for item in seen["findings"]] == [
        ("empty", 1, False), ("personal-data", 1, True),
    ]  # fmt: skip
    assert (seen["task"], seen["unchecked"], seen["rows"]) == (None, 0, 2)
    assert [(item["check"], item["places"]) for item in row] == [
        ("personal-data", [{"path": "messages[1].content", "start": 9, "end": 15, "what": "EMAIL"}])
    ]
    assert (mended["mended"], mended["left"], again["unchecked"]) == (1, 0, 0)
    assert [item["check"] for item in again["findings"]] == ["empty"]
    assert (refused.status_code, "no safe mend" in refused.text) == (422, True)
    assert undone["label"] == mended["label"]


def test_a_row_is_mended_alone(studio: Studio, web: TestClient) -> None:
    dataset = filled(studio.store, [chat("Hi", "a@b.de"), chat("Hi you", "c@d.fr")])
    studio.check("rows")

    mended = web.post(f"/api/data/datasets/rows/rows/{ids(studio.store, dataset)[0]}/mend/personal-data").json()

    ended(web, mended["task"])
    assert mended["mended"] == 1
    assert studio.show("rows")["rows"][0]["messages"][1]["content"] == "[EMAIL]"
    assert studio.show("rows")["rows"][1]["messages"][1]["content"] == "c@d.fr"


def test_a_mend_of_many_rows_is_a_task(studio: Studio, web: TestClient) -> None:
    filled(studio.store, [chat(f"Hi {number}", f"user{number}@b.de") for number in range(2001)])
    studio.check("rows")

    started = web.post("/api/data/datasets/rows/mend/personal-data").json()
    done = ended(web, started["task"])

    assert (started["kind"], done["status"], done["result"]["mended"]) == ("mend", "done", 2001)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("datasets/nowhere/check", {}, 404),
        ("datasets/rows/check", {"model": "nobody"}, 404),
        ("datasets/rows/check", {"against": "nowhere"}, 404),
        ("datasets/rows/check", {"most_tokens": 0}, 422),
        ("datasets/rows/mend/nonsense", {}, 404),
        ("datasets/rows/tokens", {"model": "nobody"}, 404),
    ],
)
def test_wrong_wishes_are_sentences(
    studio: Studio, web: TestClient, path: str, body: dict[str, Any], status: int
) -> None:
    filled(studio.store, [chat("Hi", "Hello")])

    assert web.post(f"/api/data/{path}", json=body).status_code == status


@pytest.mark.torch
def test_tokens_are_counted_by_a_task_and_filter_rows(studio: Studio, web: TestClient) -> None:
    from storage.examples import page
    from storage.queries import Query

    dataset = filled(studio.store, [chat("Hi", "Hello"), chat("Hi", "a very long answer " * 30)])
    studio.models()  # a new home gets its starter model

    counted = ended(web, web.post("/api/data/datasets/rows/tokens", json={"model": "starter"}).json()["task"])
    (tokenizer,) = web.get("/api/data/tokenizers").json()["tokenizers"]
    bars = web.get(f"/api/data/datasets/rows/tokens/{tokenizer['sha256']}").json()["bars"]
    found = page(studio.store, dataset.id, Query(tokens=(60, None), tokenizer=tokenizer["sha256"]))
    told = studio.check("rows", model="starter", most_tokens=60)

    assert (counted["status"], counted["result"]["counted"]) == ("done", 2)
    assert sum(bar["rows"] for bar in bars) == 2
    assert [example.id for example in found.examples] == ids(studio.store, dataset)[1:]
    (long,) = [item for item in told["findings"] if item["check"] == "too-long"]
    assert (long["examples"], long["measured"]) == (
        ids(studio.store, dataset)[1:],
        {"model": "starter", "most_tokens": 60},
    )


@pytest.mark.torch
def test_what_the_model_sees(studio: Studio, web: TestClient) -> None:
    studio.models()

    seen = web.post("/api/data/render", json={"model": "starter", "content": chat("Hi", "Hello there")}).json()

    (part,) = seen["parts"]
    assert "".join(text for _, text, trained in part["tokens"] if trained) == " Hello there<|end|>"
    assert "".join(text for _, text, _ in part["tokens"]) == "<|user|> Hi<|end|><|assistant|> Hello there<|end|>"


@pytest.mark.torch
def test_rows_that_the_template_refuses(studio: Studio) -> None:
    call = {"type": "function", "function": {"name": "add", "arguments": {}}}
    tools = {"messages": [{"role": "user", "content": "1+1?"},
                          {"role": "assistant", "content": "", "tool_calls": [call]},
                          {"role": "tool", "content": "2"}, {"role": "assistant", "content": "2"}]}  # fmt: skip
    dataset = filled(studio.ready, [chat("Hi", "Hello"), tools])

    told = studio.check("rows", model="starter")

    assert {item["check"]: item["examples"] for item in told["findings"]} == {
        "refused-by-template": ids(studio.store, dataset)[1:]
    }
