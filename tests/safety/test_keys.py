"""Keys for programs: they open what their scope says, nothing else opens there, and they are stored nowhere."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage.errors import BadInput, Conflict, Forbidden, NotFound
from studio.people import keys
from tests.safety.conftest import HERE, OWNER, House

pytestmark = pytest.mark.heavy

BY_KEY = [("GET", "/v1/models"), ("POST", "/v1/chat/completions")]
QUESTION = {"messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def program(house: House) -> TestClient:
    """A program without cookies."""
    return TestClient(house.app, base_url=HERE, follow_redirects=False)


def _with(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_no_key_no_answer_also_for_those_who_have_signed_in(
    house: House, signed: dict[str, TestClient], program: TestClient
) -> None:
    for method, path in BY_KEY:
        for client in (program, *signed.values()):
            answer = client.request(method, path, json=QUESTION if method == "POST" else None)
            assert (answer.status_code, answer.json()["error"]["kind"]) == (401, "sign-in"), path
        assert program.request(method, path, json=QUESTION, headers=_with("rk_wrong")).status_code == 401


def test_the_key_of_the_champion_opens_the_champion_and_nothing_else(house: House, program: TestClient) -> None:
    token = keys.make(house.studio.store, OWNER, "a website").token

    said = program.get("/v1/models", headers=_with(token)).json()

    assert [line["id"] for line in said["data"]] == ["champion"]
    for path in ("/api/rounds", "/api/models", "/", "/data", "/gradio_api/startup-events", "/people"):
        assert program.get(path, headers=_with(token)).status_code == 403, path
    other = program.post("/v1/chat/completions", headers=_with(token), json={**QUESTION, "model": "starter"})
    assert (other.status_code, other.json()["error"]["code"]) == (403, "forbidden")
    assert 'for the model "champion" alone' in other.json()["error"]["message"]


def test_the_key_of_a_role_does_what_the_role_may_and_opens_no_page(house: House, program: TestClient) -> None:
    curator = keys.make(house.studio.store, OWNER, "nightly import", "curator").token
    annotator = keys.make(house.studio.store, OWNER, "a judge", "annotator").token

    assert program.get("/api/rounds", headers=_with(curator)).status_code == 200
    assert program.post("/api/rounds/promote", headers=_with(curator), json={}).status_code == 403
    assert program.get("/api/rounds", headers=_with(annotator)).status_code == 403
    assert program.get("/data", headers=_with(curator)).status_code == 403
    named = [line["id"] for line in program.get("/v1/models", headers=_with(curator)).json()["data"]]
    assert named == ["champion", "starter"]


def test_a_revoked_key_opens_nothing_from_then_on(house: House, program: TestClient) -> None:
    token = keys.make(house.studio.store, OWNER, "gone soon").token
    assert program.get("/v1/models", headers=_with(token)).status_code == 200

    keys.revoke(house.studio.store, OWNER, "gone soon")

    assert program.get("/v1/models", headers=_with(token)).status_code == 401
    with pytest.raises(NotFound):
        keys.revoke(house.studio.store, OWNER, "gone soon")
    assert keys.make(house.studio.store, OWNER, "gone soon").key.revoked_at is None


def test_a_key_is_stored_nowhere_and_its_use_is_noted(house: House, program: TestClient) -> None:
    token = keys.make(house.studio.store, OWNER, "secret").token
    program.get("/v1/models", headers=_with(token))

    (line,) = [one for one in keys.listed(house.studio.store, OWNER) if one["name"] == "secret"]

    assert line["used_at"] is not None
    assert set(line) == {"name", "scope", "created_by", "created_at", "used_at", "revoked_at"}
    files = list(Path(house.studio.home.path).glob("ratchet.db*"))
    assert not [path for path in files if token.encode() in path.read_bytes()]


def test_keys_are_made_by_administrators_with_a_name_and_a_known_scope(house: House) -> None:
    store = house.studio.store
    keys.make(store, OWNER, "twice")

    with pytest.raises(Conflict, match='a key named "twice" already'):
        keys.make(store, OWNER, "twice")
    with pytest.raises(BadInput, match="A key's name"):
        keys.make(store, OWNER, "  ")
    with pytest.raises(BadInput, match='not for "root"'):
        keys.make(store, OWNER, "x", "root")
    with pytest.raises(Forbidden):
        keys.make(store, type(OWNER)("cy", "curator"), "x")


def test_what_the_protocol_has_and_we_have_not_is_told_in_a_sentence(house: House, program: TestClient) -> None:
    token = keys.make(house.studio.store, OWNER, "asks elsewhere").token

    embeddings = program.post("/v1/embeddings", headers=_with(token), json={})
    traced = program.request("TRACE", "/v1/models", headers=_with(token))

    assert (embeddings.status_code, embeddings.json()["error"]["sentence"]) == (
        404, "There is nothing at '/v1/embeddings'.",
    )  # fmt: skip
    assert (traced.status_code, traced.headers["allow"]) == (405, "GET")
    assert program.post("/v1/embeddings", json={}).status_code == 401


def test_a_wrong_question_is_told_in_a_sentence(house: House, program: TestClient) -> None:
    token = keys.make(house.studio.store, OWNER, "asks badly").token

    empty = program.post("/v1/chat/completions", headers=_with(token), json={"messages": []})
    trainer = keys.make(house.studio.store, OWNER, "asks for another", "trainer").token
    unknown = program.post("/v1/chat/completions", headers=_with(trainer), json={**QUESTION, "model": "no-such"})

    assert empty.status_code == 422
    assert "messages" in empty.json()["error"]["sentence"]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not-found")
