"""What belongs to one person is not another's: votes, comments, drafts, views; whoever writes is who signed in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage import comparisons, leases, models, votes
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


@pytest.fixture
def closed(studio: Studio) -> str:
    """A study in which ann alone takes part; the id of its comparison."""
    made = [models.get_model(studio.store, row["id"]) for row in studio.store.rows("select id from models limit 2")]
    study = comparisons.create_study(studio.store, "anns-own", made, None, {"people": ["ann"]})
    contestants = [(model.id, model.name) for model in made]
    new = comparisons.NewComparison(project.prompt("what only ann is asked"), contestants, texts=["three", "four"])
    return comparisons.add_comparison(studio.store, study, new).id


def test_who_does_not_take_part_in_a_study_reads_and_changes_nothing_of_it(
    studio: Studio, people: dict[str, TestClient], closed: str
) -> None:
    offered = people["ann"].get("/api/compare/next?study=anns-own").json()["pairs"]
    assert [pair["comparison"] for pair in offered] == [closed]
    shown = [side["sha256"] for side in offered[0]["sides"]]
    about = {"study": "anns-own", "comparison": closed}
    asked = {
        "vote": {**about, "id": "vote-of-bob", "choice": "left", "shown": shown},
        "undo": {**about, "id": "undo-of-bob"},
        "continue": {**about, "id": "going-of-bob", "mode": "both", "prompt": "And then?"},
        "prompt": {"study": "anns-own", "prompt": "May I?"},
        "keep": {**about, "side": 0, "dataset": "kept"},
    }

    looked = people["bob"].get("/api/compare/next?study=anns-own").json()
    refused = {path: people["bob"].post(f"/api/compare/{path}", json=body) for path, body in asked.items()}
    refused["stream"] = people["bob"].get(f"/api/compare/stream/{closed}")

    assert (looked["pairs"], looked["closed_to_me"] is not None) == ([], True)
    assert {path: answer.status_code for path, answer in refused.items()} == dict.fromkeys(refused, 403)
    assert [path for path, answer in refused.items() if "ann is asked" in answer.text or "three" in answer.text] == []
    assert studio.store.value("select count(*) from votes") == 0
    assert studio.store.value("select count(*) from comparisons") == 2
    assert people["bob"].get("/api/compare/mine?study=anns-own").json()["votes"] == []
    assert people["bob"].get("/api/compare/guidelines?study=anns-own").status_code == 403
    assert "anns-own" not in people["bob"].get("/api/compare/studies").text
    assert people["bob"].get("/api/compare/next").json()["study"] == "first-look"


def test_a_comparison_is_no_part_of_another_study(people: dict[str, TestClient], closed: str) -> None:
    asked = {"study": "first-look", "comparison": closed, "id": "in-the-wrong-one", "mode": "both", "prompt": "?",
             "choice": "tie", "shown": []}  # fmt: skip

    answers = {path: people["ann"].post(f"/api/compare/{path}", json=asked) for path in ("vote", "undo", "continue")}

    assert [answer.status_code in (404, 409) for answer in answers.values()] == [True] * 3
    assert [path for path, answer in answers.items() if "three" in answer.text] == []


def test_a_second_look_is_its_persons_alone(studio: Studio, people: dict[str, TestClient]) -> None:
    cast(people["ann"], "vote-of-ann")
    comparison = studio.store.value("select comparison_id from votes")
    study = comparisons.get_study(studio.store, "first-look")
    alias = "0123456789abcdefghjkmnpqrs"
    lease = leases.Lease(comparison, "ann", study.id, leases.SECOND, alias, 1.0, 9e9)
    leases.take(studio.store, lease)
    shown = [answer.sha256 for answer in comparisons.answers_of(studio.store, comparison)]
    about = {"study": "first-look", "comparison": alias}

    answers = [
        people["bob"].post("/api/compare/vote", json={**about, "id": "look-of-bob", "choice": "tie", "shown": shown}),
        people["bob"].post("/api/compare/undo", json={**about, "id": "undo-of-bob"}),
        people["bob"].get(f"/api/compare/stream/{alias}"),
        people["cy"].post("/api/compare/keep", json={**about, "side": 0, "dataset": "kept"}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert studio.store.value("select count(*) from second_looks") == 0
    assert [row["id"] for row in studio.store.rows("select id from votes")] == ["vote-of-ann"]


def test_my_votes_are_mine(people: dict[str, TestClient], studio: Studio) -> None:
    cast(people["ann"], "vote-of-ann")

    mine = {name: people[name].get("/api/compare/mine?study=first-look").json()["votes"] for name in ("ann", "bob")}

    assert ([vote["vote"] for vote in mine["ann"]], mine["bob"]) == (["vote-of-ann"], [])
    assert people["bob"].get("/api/compare/mine?study=first-look&before=vote-of-ann").json()["votes"] == []


def test_a_curator_adjudicates_and_runs_studies_and_a_trainer_looks_on(
    studio: Studio, people: dict[str, TestClient]
) -> None:
    comparison = studio.store.value("select id from comparisons")
    gold = {"comparison": comparison, "expected": {"choice": "a"}, "note": "plain to see"}

    refused = people["ann"].post("/api/studies/first-look/gold", json=gold)
    made = people["cy"].post("/api/studies/first-look/gold", json=gold)
    seen = people["ann"].get("/api/studies/first-look/gold")

    assert (refused.status_code, made.status_code, seen.status_code) == (403, 200, 403)
    assert made.json()["author"] == "cy"
    assert people["ann"].get("/api/results/adjudications?study=first-look").status_code == 403
    assert people["cy"].get("/api/results/adjudications?study=first-look").status_code == 200
