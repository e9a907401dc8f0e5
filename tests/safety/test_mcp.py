"""/mcp opens to keys of roles alone, and each sees and calls what its role may."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from studio.people import keys
from tests.safety.conftest import HERE, OWNER, House

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
