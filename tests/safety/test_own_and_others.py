"""What belongs to one person is not another's: votes, comments, drafts, views; whoever writes is who signed in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage import comparisons, votes
from studio.app import build_app
from studio.feedback.study_settings import change_settings
from studio.people import accounts
from studio.settings import Settings
from studio.studio import Studio
from tests.safety.conftest import OWNER, PASSWORD, come_in
from tests.studio.training import project

pytestmark = pytest.mark.heavy

ROWS = "/api/data/datasets/facts/rows"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """Two annotators, two curators, one study with one pair, one dataset."""
    made = Studio(settings=Settings.from_env({}, home=tmp_path / "home"))
    study = project.first_day(made.store)
    contestants = [(model, "starter") for model in study.models]
    new = comparisons.NewComparison(project.prompt("asked"), contestants, texts=["one", "two"])
    comparisons.add_comparison(made.store, study, new)
    change_settings(made.store, study, {"overlap": 2})
    for name, role in (
        ("ada", "admin"),
        ("ann", "annotator"),
        ("bob", "annotator"),
        ("cy", "curator"),
        ("di", "curator"),
    ):
        accounts.add(made.store, OWNER, name, role, PASSWORD)
    return made


@pytest.fixture
def people(studio: Studio) -> Iterator[dict[str, TestClient]]:
    app = build_app(studio)
    clients = {name: come_in(app, name) for name in ("ann", "bob", "cy", "di")}
    yield clients
    for client in clients.values():
        client.close()


def cast(client: TestClient, vote_id: str, choice: str = "left", **more: str) -> int:
    pair = client.get("/api/compare/next").json()["pairs"][0]
    shown = [side["sha256"] for side in pair["sides"]]
    body = {"id": vote_id, "study": "first-look", "comparison": pair["comparison"], "choice": choice, "shown": shown}
    return client.post("/api/compare/vote", json={**body, **more}).status_code


def test_each_person_votes_under_the_own_name_whatever_is_sent(studio: Studio, people: dict[str, TestClient]) -> None:
    assert cast(people["ann"], "vote-of-ann", annotator="bob") == 200

    assert [row["annotator"] for row in studio.store.rows("select annotator from votes")] == ["ann"]


def test_anothers_vote_can_neither_be_undone_nor_overwritten(studio: Studio, people: dict[str, TestClient]) -> None:
    cast(people["ann"], "vote-of-ann")
    comparison = studio.store.value("select comparison_id from votes")

    undone = people["bob"].post(
        "/api/compare/undo", json={"id": "undo-of-bob", "study": "first-look", "comparison": comparison}
    )
    same_id = cast(people["bob"], "vote-of-ann", "right")

    assert undone.json()["undone"] is None
    assert same_id >= 400
    kept = votes.current_vote(studio.store, comparison, "ann")
    assert kept is not None and (kept.id, kept.choice in ("a", "b")) == ("vote-of-ann", True)
    assert votes.current_vote(studio.store, comparison, "bob") is None


def test_an_annotator_sees_no_votes_of_others(studio: Studio, people: dict[str, TestClient]) -> None:
    cast(people["ann"], "vote-of-ann")

    told = [people["bob"].get(f"/api/compare/{path}").text for path in ("next", "studies", "progress?study=first-look")]

    assert [text for text in told if "vote-of-ann" in text or '"ann"' in text] == []
    assert people["bob"].get("/api/compare/standings?study=first-look").status_code == 403


def test_a_comment_is_changed_and_removed_by_who_wrote_it(studio: Studio, people: dict[str, TestClient]) -> None:
    said = people["cy"].post(f"{ROWS}/1-1/comments", json={"text": "mine"}).json()
    place = f"{ROWS}/1-1/comments/{said['id']}"

    refused = [people["di"].put(place, json={"text": "yours"}).status_code, people["di"].delete(place).status_code]

    assert refused == [403, 403]
    assert [row["text"] for row in studio.store.rows("select text from comments")] == ["mine"]
    assert [row["author"] for row in studio.store.rows("select author from comments")] == ["cy"]


def test_unsaved_changes_and_views_are_each_persons_own(people: dict[str, TestClient]) -> None:
    content = project.conversation("q", "a")
    people["cy"].put(f"{ROWS}/1-1/draft", json={"tab": "t", "content": content, "tags": []})
    view = people["cy"].post("/api/data/datasets/facts/views", json={"name": "mine", "state": {}}).json()
    place = f"/api/data/datasets/facts/views/{view['id']}"

    assert people["cy"].get(f"{ROWS}/1-1/draft").json()["draft"] is not None
    assert people["di"].get(f"{ROWS}/1-1/draft").json()["draft"] is None
    assert people["di"].get("/api/data/datasets/facts/views").json() == {"views": []}
    assert [people["di"].patch(place, json={"name": "yours"}).status_code, people["di"].delete(place).status_code] == [
        404, 404,
    ]  # fmt: skip
    assert [one["name"] for one in people["cy"].get("/api/data/datasets/facts/views").json()["views"]] == ["mine"]
