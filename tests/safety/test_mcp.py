"""/mcp opens to keys of roles alone, and each sees, calls and does what its role may."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from storage import exclusions
from storage.comparisons import get_study
from storage.store import Store
from studio.app import build_app
from studio.people import keys
from studio.rounds.promoting import promote
from studio.settings import Settings
from studio.studio import Studio
from studio.training.launching import launch
from studio.training.request import Request
from tests.safety.conftest import HERE, OWNER, House
from tests.studio.training.project import first_day, prompts_of, run_to_the_end, vote

pytestmark = pytest.mark.heavy
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def _ask(house: House, token: str | None, message: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = TestClient(house.app, base_url=HERE)
    return client.post("/mcp", json=message, headers=headers)


def _call(tool: str, /, **arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def _names(answer: Any) -> set[str]:
    return {tool["name"] for tool in answer.json()["result"]["tools"]}


def test_without_a_key_it_is_shut_to_everybody(house: House, signed: dict[str, TestClient]) -> None:
    for client in signed.values():
        assert client.post("/mcp", json=LIST).status_code == 401
        assert client.get("/mcp").status_code == 401


def test_the_key_of_the_champion_does_not_open_it(house: House) -> None:
    token = keys.make(house.studio.store, OWNER, "website mcp").token

    answer = _ask(house, token, LIST)

    assert (answer.status_code, answer.json()["error"]["kind"]) == (403, "forbidden")


def test_each_role_sees_its_own_tools(house: House) -> None:
    seen = {role: _names(_ask(house, keys.make(house.studio.store, OWNER, f"mcp {role}", role).token, LIST))
            for role in ("annotator", "curator", "trainer", "admin")}  # fmt: skip

    assert seen["annotator"] == set()
    assert {"freeze", "compare"} < seen["curator"]
    assert not {"train", "promote", "delete-model"} & seen["curator"]
    assert {"train", "promote", "delete-model", "rounds"} < seen["trainer"]
    assert not {"freeze", "compare"} & seen["trainer"]
    assert seen["admin"] == seen["curator"] | seen["trainer"]


def test_a_tool_that_is_not_seen_cannot_be_called(house: House) -> None:
    token = keys.make(house.studio.store, OWNER, "curious", "curator").token

    for name in ("promote", "import", "backup", "keys", "people", "serve"):
        assert _ask(house, token, _call(name)).json()["error"]["code"] == -32602


def test_no_path_of_the_machine_can_be_named(house: House) -> None:
    token = keys.make(house.studio.store, OWNER, "prying", "admin").token

    said = _ask(house, token, _call("generate", model=["starter"], prompts="/etc/passwd")).json()["result"]

    assert (said["isError"], said["structuredContent"]["error"]["sentence"]) == (True, '"generate" takes no prompts.')


def test_a_tool_does_its_work(house: House) -> None:
    token = keys.make(house.studio.store, OWNER, "namer", "admin").token

    said = _ask(house, token, _call("freeze", name="starter")).json()["result"]

    assert said["isError"] is False
    assert said["structuredContent"]["version"] == 1


def test_there_is_no_stream(house: House) -> None:
    token = keys.make(house.studio.store, OWNER, "listener", "admin").token
    client = TestClient(house.app, base_url=HERE)
    answer = client.get("/mcp", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.fixture
def noisy(store: Store) -> House:
    """A studio whose champion learnt from the votes of "noisy" in "first-look"."""
    study = first_day(store)
    for asked in prompts_of("train", 10):
        vote(store, study, asked, "a", "noisy")
    studio = Studio(settings=Settings.from_env({}, home=store.home.path))
    run_to_the_end(store, launch(store, studio.settings, Request("dpo", "starter", study="first-look", name="heir")))
    promote(store, OWNER, "heir", "For the test.", overrule=True)
    return House(studio, build_app(studio))


def test_a_key_does_nothing_through_a_tool_that_its_role_may_not(noisy: House) -> None:
    token = keys.make(noisy.studio.store, OWNER, "again", "trainer").token

    said = _ask(noisy, token, _call("retrain", study="first-look", annotator="noisy", reason="Noise.")).json()["result"]

    assert said["isError"] is True
    assert said["structuredContent"]["error"] == {
        "kind": "forbidden",
        "sentence": "key:again is here as trainer and may not run studies; that needs the role curator or admin.",
    }
    assert exclusions.standing(noisy.studio.store, get_study(noisy.studio.store, "first-look").id) == []
