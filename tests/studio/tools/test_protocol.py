"""The protocol of the tools, message by message, in both of its forms."""

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest

from storage.errors import NotFound
from studio.tools.protocol import HANDSHAKE, reply_to
from studio.tools.stdio import serve
from studio.tools.toolbox import Said

MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Echo:
    """Two tools: one says what it was given, one fails."""

    def listed(self) -> list[dict[str, Any]]:
        return [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", "fail")]

    def call(self, name: str, arguments: Mapping[str, Any]) -> Said:
        if name not in ("echo", "fail"):
            raise NotFound(f'There is no tool "{name}" here.')
        return Said(dict(arguments), json.dumps(arguments), name == "fail")


def said(method: str, params: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    """Status and message of the answer to a request."""
    request = {"jsonrpc": "2.0", "id": 7, "method": method, **({} if params is None else {"params": params})}
    reply = reply_to(json.dumps(request), Echo(), headers)
    assert reply.message is not None
    assert (reply.message["jsonrpc"], reply.message["id"]) == ("2.0", 7)
    return reply.status, reply.message


@pytest.mark.parametrize("version", HANDSHAKE)
def test_a_client_gets_the_version_that_it_asks_for(version: str) -> None:
    _, answer = said("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "x"}})

    assert (answer["result"]["protocolVersion"], answer["result"]["capabilities"]) == (version, {"tools": {}})
    assert answer["result"]["serverInfo"]["name"] == "ratchet"


def test_an_unknown_version_is_answered_with_ours() -> None:
    assert said("initialize", {"protocolVersion": "2099-01-01"})[1]["result"]["protocolVersion"] == HANDSHAKE[-1]


def test_tools_are_listed_and_called() -> None:
    assert [tool["name"] for tool in said("tools/list")[1]["result"]["tools"]] == ["echo", "fail"]
    assert said("tools/call", {"name": "echo", "arguments": {"a": "ä"}})[1]["result"] == {
        "content": [{"type": "text", "text": '{"a": "\\u00e4"}'}], "structuredContent": {"a": "ä"}, "isError": False,
    }  # fmt: skip
    assert said("tools/call", {"name": "fail"})[1]["result"]["isError"] is True
    assert said("ping")[1]["result"] == {}


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("no/such", None, -32601),
        ("tools/call", {"name": "rm"}, -32602),
        ("tools/call", {"name": 3}, -32602),
        ("tools/call", {"name": "echo", "arguments": [1]}, -32602),
        ("tools/list", [1], -32602),
    ],
)
def test_what_cannot_be_done_is_an_error_of_the_protocol(method: str, params: Any, code: int) -> None:
    assert said(method, params)[1]["error"]["code"] == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", -32700),
        ("[" * 100_000, -32700),
        ("[]", -32600),
        ('[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
        ('{"id": 1, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
        ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        ("null", -32600),
    ],
)
def test_what_is_no_message_is_told_as_such(text: str, code: int) -> None:
    reply = reply_to(text, Echo())

    assert reply.message is not None
    assert (reply.status, reply.message["id"], reply.message["error"]["code"]) == (400, None, code)


def test_a_notification_is_taken_and_not_answered() -> None:
    assert reply_to('{"jsonrpc": "2.0", "method": "notifications/initialized"}', Echo()) == (None, 202)


def test_the_newer_form_says_what_there_is_and_answers_whole() -> None:
    headers = {"mcp-protocol-version": MODERN, "mcp-method": "server/discover"}
    status, answer = said("server/discover", {"_meta": ENVELOPE}, headers)

    assert (status, answer["result"]["supportedVersions"]) == (200, [MODERN])
    assert answer["result"]["resultType"] == "complete"
    assert answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "ratchet"


@pytest.mark.parametrize(
    ("method", "params", "headers", "status", "code"),
    [
        ("tools/list", {}, {"mcp-method": "tools/call"}, 400, -32020),
        ("tools/call", {"name": "echo"}, {"mcp-name": "fail"}, 400, -32020),
        ("no/such", {}, {}, 404, -32601),
    ],
)
def test_the_newer_form_refuses_by_status_too(
    method: str, params: dict[str, Any], headers: dict[str, str], status: int, code: int
) -> None:
    told = {"mcp-protocol-version": MODERN, "mcp-method": method, **headers}

    found, answer = said(method, {"_meta": ENVELOPE, **params}, told)

    assert (found, answer["error"]["code"]) == (status, code)


def test_a_version_to_come_is_told_what_is_spoken() -> None:
    meta = {**ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2030-01-01"}

    status, answer = said("tools/list", {"_meta": meta})

    assert (status, answer["error"]["code"], answer["error"]["data"]["supported"]) == (400, -32022, [MODERN])


def test_over_standard_output_stands_one_message_a_line() -> None:
    lines = [{"jsonrpc": "2.0", "id": n, "method": "tools/call", "params": {"name": "echo", "arguments": {"t": "a\nb"}}}
             for n in range(20)]  # fmt: skip
    out = StringIO()

    count = serve(Echo(), StringIO("".join(json.dumps(line) + "\n" for line in lines) + "\n"), out)

    assert count == 20
    assert sorted(json.loads(line)["id"] for line in out.getvalue().splitlines()) == list(range(20))
