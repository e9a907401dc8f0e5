"""A dataset goes to the Hub in one commit with its card; whatever stands against it is one sentence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import DatasetCard

from storage.errors import BadInput, NotReady, Refused
from storage.home import Home
from storage.store import Store
from studio import task as running
from studio.clients.hub import Place
from studio.curation.export_hub import push
from studio.curation.export_sources import Source
from studio.curation.exporting import Stopped, Wish
from tests.hub import Hub
from tests.studio.curation.files import Write, imported
from tests.studio.training.project import conversation, prompts_of

ROWS = [conversation(asked[0]["content"], "answer") for asked in (*prompts_of("train", 4), *prompts_of("measure", 2))]
SUMS = Wish.of(Source("rows"), "messages")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    made = Hub()
    yield made
    made.close()


@pytest.fixture
def rows(store: Store, write: Write) -> Store:
    imported(store, write("sums | <b>.jsonl", [*ROWS, {"messages": [*ROWS[0]["messages"], *ROWS[0]["messages"]]}]))
    return store


def _left(home: Home) -> list[str]:
    return [path.name for path in home.exports.iterdir()]


def test_files_by_split_and_a_card_arrive_in_one_commit(rows: Store, hub: Hub) -> None:
    said = push(rows, SUMS, Place("me/sums", licence="cc-by-4.0", endpoint=hub.url))

    card = DatasetCard(hub.files["README.md"].decode())
    assert sorted(hub.files) == ["README.md", "data/test.parquet", "data/train.parquet"]
    assert (said["rows"], said["splits"], said["dropped"]) == (7, {"train": 5, "test": 2}, {})
    assert said["url"] == f"{hub.url}/datasets/me/sums"
    assert (hub.created[0]["name"], hub.created[0]["type"], hub.tokens) == ("sums", "dataset", {"Bearer hf_secret"})
    assert hub.created[0].get("visibility", "private" if hub.created[0].get("private") else "") == "private"
    assert (card.data.license, card.data.size_categories) == ("cc-by-4.0", "n<1K")
    assert _left(rows.home) == []


def test_what_was_sent_is_what_a_file_holds(rows: Store, hub: Hub, tmp_path: Path) -> None:
    push(rows, Wish.of(Source("rows"), "prompt-completion", "train"), Place("me/sums", endpoint=hub.url))
    (tmp_path / "train.parquet").write_bytes(hub.files["data/train.parquet"])

    report = imported(rows, tmp_path / "train.parquet", "again")

    assert (report.imported, sorted(hub.files)) == (4, ["README.md", "data/train.parquet"])
    assert "| more than one turn | 1 |" in hub.files["README.md"].decode()
    assert "| kept for measuring | 2 |" in hub.files["README.md"].decode()


def test_without_a_token_nothing_begins(rows: Store, hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))

    with pytest.raises(Refused, match="There is no token for the Hub: set HF_TOKEN or log in with `hf auth login`"):
        push(rows, SUMS, Place("me/sums", endpoint=hub.url))

    assert (hub.files, _left(rows.home)) == ({}, [])


def test_without_a_connection_one_sentence_says_so(rows: Store, hub: Hub) -> None:
    hub.close()

    with pytest.raises(NotReady, match="The Hub cannot be reached from here: try again when there is a connection"):
        push(rows, SUMS, Place("me/sums", endpoint=hub.url))

    assert _left(rows.home) == []


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [(401, Refused, "does not let this token write"), (500, NotReady, "The Hub answered with status 500")],
)
def test_what_the_hub_refuses_is_said(
    rows: Store, hub: Hub, status: int, error: type[Exception], sentence: str
) -> None:
    hub.status = status

    with pytest.raises(error, match=sentence):
        push(rows, SUMS, Place("me/sums", endpoint=hub.url))

    assert _left(rows.home) == []


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (Place("a/b/c"), '"a/b/c" is no name on the Hub'),
        (Place("me/sums", licence="Do What"), '"Do What" is no licence'),
    ],
)
def test_names_that_the_hub_does_not_take_are_refused(rows: Store, hub: Hub, place: Place, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        push(rows, SUMS, Place(place.repository, licence=place.licence, endpoint=hub.url))

    assert (hub.files, _left(rows.home)) == ({}, [])


def test_an_empty_export_is_not_sent_and_says_why(rows: Store, hub: Hub) -> None:
    said = push(rows, Wish.of(Source("rows"), "messages", "approved"), Place("me/sums", endpoint=hub.url))

    assert (said["rows"], said["sentence"], hub.created) == (0, "0 approved of 7; 7 are drafts.", [])


def test_a_stop_sends_nothing(rows: Store, hub: Hub) -> None:
    with pytest.raises(Stopped, match="nothing was sent to the Hub"):
        push(rows, SUMS, Place("me/sums", endpoint=hub.url), progress=lambda fraction, said: fraction >= 0.7)

    assert (hub.created, _left(rows.home)) == ([], [])


def test_a_push_is_a_task_with_progress(rows: Store, hub: Hub) -> None:
    payload = {
        "dataset": "rows",
        "format": "messages",
        "policies": [],
        "place": {"repository": "me/sums", "endpoint": hub.url},
    }
    task = running.tasks.add_task(rows, "hub-push", payload)

    code = running.run(rows, task.id)

    done = running.tasks.get_task(rows, task.id)
    assert (code, done.status, done.progress) == (0, "done", 1.0)
    assert json.loads(json.dumps(done.result))["splits"] == {"train": 5, "test": 2}
