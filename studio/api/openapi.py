"""/api/openapi.json: our own routes for programs and those who write them, with who may call each.

FastAPI knows paths, parameters and bodies. What it does not know is added: a sentence for each route, the role that it
needs (the same table that is asked before every call), how one shows who one is, and that every refusal has one shape.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.routing import compile_path

from studio.api import described, described_data
from studio.api.allowed import BY_KEY, action_for
from studio.curation.filters import NAMES
from studio.people.roles import ROLES
from studio.studio import Studio

Json = dict[str, Any]

SENTENCES: Mapping[str, str] = {**described.SENTENCES, **described_data.SENTENCES}
_FASTAPIS = frozenset({"HTTPValidationError", "ValidationError"})  # its own shape of refusals, which is not ours
_METHODS = ("get", "put", "post", "patch", "delete")
_ABOUT = (
    "The JSON routes that Ratchet's own pages and commands use. Programs show a key (`ratchet keys add NAME --scope "
    "ROLE`) as `Authorization: Bearer rk_…`; browsers hold the cookie of a session. On a machine of one's own without "
    'accounts neither is needed, except under /v1. A refusal is always `{"error": {"kind": …, "sentence": …}}`.'
)
_REFUSALS = {
    "400": "The request cannot be understood.",
    "401": "Nobody has signed in, and no key was shown.",
    "403": "The role does not hold this action, or a rule of safety stands against it.",
    "404": "What was named does not exist.",
    "405": "This address does not know the method.",
    "409": "Somebody or something else changed it first, or the name is taken.",
    "413": "The body is too large.",
    "422": "A value cannot be used as it is.",
    "429": "It was tried too often in too short a time.",
    "503": "It will work later: something is starting, loading or running.",
}
_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["kind"],
            "properties": {
                "kind": {"type": "string", "description": "A word for programs."},
                "sentence": {"type": "string", "description": "What went wrong and the way out, for people."},
            },
        }
    },
}
_UPLOADS = frozenset({"PUT /api/data/upload", "PUT /api/models/upload"})
_BYTES = {"type": "string", "format": "binary"}
_ROWS = "/api/data/datasets/{name}/rows"
_FILTERED = frozenset({f"GET {_ROWS}", f"GET {_ROWS}/{{row}}/neighbours"})  # they read the filters of the table
# What is not JSON: the type of the body by route.
_BODIES: Mapping[str, str] = {
    "GET /api/compare/stream/{comparison}": "text/event-stream",
    "POST /api/data/suggest": "text/event-stream",
    "GET /api/data/exports/files/{file}": "application/octet-stream",
    "GET /api/data/datasets/{name}/export": "application/octet-stream",
    "GET /api/data/rejected/{file}": "application/x-ndjson",
    "POST /api/demo/{link}/answer": "text/event-stream",
    "POST /api/models/{model}/chat": "text/event-stream",
    "GET /api/models/{model}/card": "text/plain",
}


def router(studio: Studio) -> APIRouter:
    """The route of the description."""
    routes = APIRouter(prefix="/api", tags=["about"])

    @routes.get("/openapi.json")
    def openapi(request: Request) -> Json:
        return {**description(request.app), "servers": [{"url": studio.settings.root_path or "/"}]}

    return routes


def description(app: FastAPI) -> Json:
    """The whole description; made at the first asking, then kept by the application."""
    from importlib.metadata import PackageNotFoundError, version

    known = app.openapi_schema
    if known and known.get("x-ratchet"):
        return known
    made = dict(app.openapi())
    try:
        number = version("ratchet-studio")
    except PackageNotFoundError:  # a checkout that was never installed
        number = "0"
    made["info"] = {"title": "Ratchet", "version": number, "description": _ABOUT}
    made["x-ratchet"] = True
    components = made.setdefault("components", {})
    schemas = {name: one for name, one in components.get("schemas", {}).items() if name not in _FASTAPIS}
    components["schemas"] = {**schemas, "Error": _ERROR}
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key that `ratchet keys add` made."},
        "session": {"type": "apiKey", "in": "cookie", "name": "ratchet_session", "description": "A browser's session; "
                    "the port stands behind the name."},
    }  # fmt: skip
    for name, operation in operations(made):
        _complete(name, operation)
    app.openapi_schema = made
    return made


def operations(said: Json) -> Iterator[tuple[str, Json]]:
    """Each route as "METHOD /path" with its description."""
    for path, methods in sorted(said["paths"].items()):
        for method in _METHODS:
            if method in methods:
                yield f"{method.upper()} {path}", methods[method]


def methods_at(app: FastAPI, path: str) -> list[str]:
    """The methods that an address of ours knows; none where nothing is there."""
    paths = description(app)["paths"]
    found = [methods for known, methods in paths.items() if compile_path(known)[0].match(path)]
    return [one.upper() for one in _METHODS if any(one in methods for methods in found)]


def _complete(name: str, operation: Json) -> None:
    """Add what FastAPI does not know of a route."""
    if name in _UPLOADS:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": _BYTES}}}
    if name in _FILTERED:
        operation.setdefault("parameters", []).extend(
            {"name": one, "in": "query", "required": False, "schema": {"type": "string"}} for one in NAMES
        )
    sentence = SENTENCES.get(name) or operation.get("description") or ""
    operation["summary"] = sentence.rstrip(".") or operation["summary"]
    operation["description"] = f"{sentence} {who_may(name)}".strip()
    operation["x-roles"] = roles_of(name)
    operation["security"] = _security(name)
    answers = operation["responses"]
    if name in _BODIES:
        answers["200"]["content"] = {_BODIES[name]: {}}
    if name.startswith("POST /v1/"):
        answers["200"]["content"]["text/event-stream"] = {}
    answers.pop("422", None)
    schema = {"$ref": "#/components/schemas/Error"}
    for status, words in _REFUSALS.items():
        answers[status] = {"description": words, "content": {"application/json": {"schema": schema}}}
    answers["500"] = {"description": "A bug; the sentence holds its number in the log.",
                      "content": {"application/json": {"schema": schema}}}  # fmt: skip


def roles_of(name: str) -> list[str]:
    """The roles that may call a route; all of them where it is open."""
    method, _, path = name.partition(" ")
    if name in BY_KEY:
        return []
    action = action_for(method, path)
    return [role for role, actions in ROLES.items() if action is None or action in actions]


def who_may(name: str) -> str:
    """The same in words."""
    method, _, path = name.partition(" ")
    if name in BY_KEY:
        return "Needs a key, of the champion or of a role."
    if action_for(method, path) is None:
        return "Open to everybody."
    roles = roles_of(name)
    return "For everybody who has signed in." if len(roles) == len(ROLES) else f"For {', '.join(roles)}."


def _security(name: str) -> list[Json]:
    method, _, path = name.partition(" ")
    if name in BY_KEY:
        return [{"key": []}]
    return [] if action_for(method, path) is None else [{"key": []}, {"session": []}]
