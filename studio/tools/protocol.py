"""The Model Context Protocol, as much of it as a server needs that has tools and keeps nothing between two messages.

Written by hand: the official package brings eleven others (among them cryptography and two clients of HTTP), for a
handful of messages of which none is remembered. Its client is what the tests ask with. Both forms of the protocol are
spoken: the one that begins with `initialize` (2024-11-05 to 2025-11-25), and that of 2026-07-28, in which each request
carries its version and `server/discover` says what there is (https://modelcontextprotocol.io/specification).
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from storage.errors import NotFound
from studio.tools.toolbox import Said

Json = dict[str, Any]
HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
MISMATCH, NO_VERSION = -32020, -32022
# The status of a modern error over HTTP; an error of the older form is an ordinary answer.
STATUS: Mapping[int, int] = {PARSE_ERROR: 400, INVALID_REQUEST: 400, INVALID_PARAMS: 400, NO_METHOD: 404,
                             MISMATCH: 400, NO_VERSION: 400}  # fmt: skip
_META = "io.modelcontextprotocol/"
_ABOUT = (
    "Tools of Ratchet, in which people improve a language model round by round: datasets, comparisons and votes, "
    "trainings, rounds and the gate through which a model becomes champion. Begin with `rounds` and `datasets`."
)


class Tools(Protocol):
    """What the tools are."""

    def listed(self) -> list[Json]:
        """All tools."""

    def call(self, name: str, arguments: Mapping[str, Any]) -> Said:
        """Run one; raises NotFound."""


class Reply(NamedTuple):
    """What goes back, and the HTTP status; None: nothing goes back."""

    message: Json | None
    status: int = 200


def reply_to(text: str | bytes, tools: Tools, headers: Mapping[str, str] | None = None) -> Reply:
    """Answer one message. `headers`: of the request, where it came by HTTP, with small names."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Reply(_error(None, PARSE_ERROR, "This is no JSON."), 400)
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        return Reply(_error(None, INVALID_REQUEST, "This is no single message of JSON-RPC 2.0."), 400)
    if "id" not in message:
        return Reply(None, 202)
    number = message["id"]
    if isinstance(number, bool) or not isinstance(number, str | int):
        return Reply(_error(None, INVALID_REQUEST, "The id of a request is a text or a whole number."), 400)
    params = message.get("params", {})
    if not isinstance(params, dict):
        return Reply(_error(number, INVALID_PARAMS, "The params of a request are an object."), 400)
    return _answered(message["method"], number, params, tools, headers)


def _answered(method: str, number: str | int, params: Json, tools: Tools, headers: Mapping[str, str] | None) -> Reply:
    version = _version(params)
    wrong = _wrong(method, params, version, headers) if version is not None else None
    if wrong is not None:
        return Reply({"jsonrpc": "2.0", "id": number, "error": wrong}, STATUS[wrong["code"]])
    try:
        result = _result(method, params, tools)
    except _Refused as error:
        status = STATUS.get(error.code, 200) if version is not None else 200
        return Reply(_error(number, error.code, str(error)), status)
    if version is not None:
        result = {**result, "resultType": "complete", "_meta": {f"{_META}serverInfo": _myself()}}
    return Reply({"jsonrpc": "2.0", "id": number, "result": result})


def _version(params: Json) -> Any:
    """The version that a modern request names; None for one of the older form."""
    meta = params.get("_meta")
    return meta.get(f"{_META}protocolVersion") if isinstance(meta, dict) else None


def _wrong(method: str, params: Json, version: Any, headers: Mapping[str, str] | None) -> Json | None:
    """What is wrong with the envelope of a modern request, as an error."""
    if headers is not None:
        told = (headers.get("mcp-protocol-version"), headers.get("mcp-method"))
        if told != (version, method) or (method == "tools/call" and headers.get("mcp-name") != params.get("name")):
            return {"code": MISMATCH, "message": "The headers of the request do not say what its body says."}
    if version != MODERN:
        supported = {"supported": [MODERN], "requested": str(version)[:40]}
        return {"code": NO_VERSION, "message": "Unsupported protocol version", "data": supported}
    return None


class _Refused(Exception):
    """A request that has no result."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def _result(method: str, params: Json, tools: Tools) -> Json:
    if method == "initialize":
        asked = params.get("protocolVersion")
        return {"protocolVersion": asked if asked in HANDSHAKE else HANDSHAKE[-1], "serverInfo": _myself(),
                "capabilities": {"tools": {}}, "instructions": _ABOUT}  # fmt: skip
    if method == "server/discover":
        return {"supportedVersions": [MODERN], "capabilities": {"tools": {}}, "instructions": _ABOUT, **_fresh()}
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": tools.listed(), **_fresh()}
    if method == "tools/call":
        return _called(params, tools)
    raise _Refused(NO_METHOD, f'There is no method "{method[:80]}" here.')


def _called(params: Json, tools: Tools) -> Json:
    name, arguments = params.get("name"), params.get("arguments") or {}
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise _Refused(INVALID_PARAMS, "A call names a tool, and its arguments are an object.")
    try:
        said = tools.call(name, arguments)
    except NotFound as error:
        raise _Refused(INVALID_PARAMS, str(error)) from error
    text = {"type": "text", "text": said.text}
    return {"content": [text], "structuredContent": said.data, "isError": said.failed}


def _fresh() -> Json:
    """Whoever asks again gets it anew."""
    return {"ttlMs": 0, "cacheScope": "private"}


def _myself() -> Json:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return {"name": "ratchet", "version": version("ratchet-studio")}
    except PackageNotFoundError:  # a checkout that was never installed
        return {"name": "ratchet", "version": "0"}


def _error(number: str | int | None, code: int, sentence: str) -> Json:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": sentence}}
