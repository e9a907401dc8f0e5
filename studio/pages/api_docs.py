"""The page /api-docs: every JSON route with who may call it, what it takes and what it answers, without any script.

Made from the same description as /api/openapi.json, so it cannot say anything else.
"""

import html
import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from studio.api.openapi import description, operations
from studio.pages.people import PlainPages
from studio.pages.shell import Page

Json = Mapping[str, Any]
DOCS = Page("/api-docs", "API", "Routes for programs", "What Ratchet's own pages use, for your programs.")
_REF = "#/components/schemas/"
_INTRODUCTION = """<section class="card stack" aria-labelledby="how"><h2 id="how">How to ask</h2>
<p>Make a key with <code>ratchet keys add NAME --scope curator</code> (it is shown once), and show it with each request.
The same description for machines is <a class="link" href="/api/openapi.json">/api/openapi.json</a>; an MCP client finds
the verbs of the command line as tools at <code>/mcp</code>.</p>
<pre class="mono small" tabindex="0">curl -H "Authorization: Bearer rk_…" http://127.0.0.1:7860/api/rounds</pre>
<p>A refusal is <code>{"error": {"kind": …, "sentence": …}}</code> with a fitting status: 401 nobody asked, 403 not
for this role, 404 not there, 409 somebody was first, 422 a value cannot be, 429 too often, 503 later.</p></section>"""


def router(pages: PlainPages) -> APIRouter:
    """The address of the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/api-docs")
    def docs(request: Request) -> HTMLResponse:
        body = _INTRODUCTION + listing(description(request.app))
        page = pages.framed(DOCS, body, request.state.actor, request.state.signed_in)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    return routes


def listing(said: Json) -> str:
    """All routes, by subject."""
    by_tag: dict[str, list[str]] = {}
    schemas = said["components"]["schemas"]
    for name, operation in operations(dict(said)):
        by_tag.setdefault((operation.get("tags") or ["other"])[0], []).append(_operation(name, operation, schemas))
    parts = [
        f'<section aria-labelledby="tag-{tag}"><h2 id="tag-{tag}">{html.escape(tag.capitalize())}</h2>{"".join(lines)}'
        "</section>"
        for tag, lines in sorted(by_tag.items())
    ]
    return f'<div class="stack-l">{"".join(parts)}</div>'


def _operation(name: str, operation: Json, schemas: Json) -> str:
    method, _, path = name.partition(" ")
    parts = [f"<p>{html.escape(operation['description'])}</p>", _parameters(operation.get("parameters") or [])]
    body = (operation.get("requestBody") or {}).get("content") or {}
    for kind, told in body.items():
        parts.append(_body(kind, told.get("schema") or {}, schemas))
    answers = ", ".join(operation["responses"]["200"].get("content") or {"application/json": None})
    parts.append(f'<p class="muted small">Answers with {html.escape(answers)}.</p>')
    return (
        f'<details class="route"><summary><span class="chip">{method}</span> <code>{html.escape(path)}</code> '
        f'<span class="muted">{html.escape(operation["summary"])}</span></summary>'
        f'<div class="stack-s">{"".join(parts)}</div></details>'
    )


def _parameters(found: list[Json]) -> str:
    return _table([(one["name"], one["in"], one.get("required", False), one.get("schema") or {}) for one in found])


def _body(kind: str, schema: Json, schemas: Json) -> str:
    """The fields of a body of JSON; of anything else its type."""
    whole = _resolved(schema, schemas)
    fields = whole.get("properties") or {}
    needed = set(whole.get("required") or ())
    head = f'<p class="small">Body: {html.escape(kind)}. {html.escape(str(whole.get("description") or ""))}</p>'
    return head + _table([(name, "body", name in needed, one) for name, one in fields.items()])


def _resolved(schema: Json, schemas: Json) -> Json:
    reference = schema.get("$ref") or next((one["$ref"] for one in schema.get("anyOf") or () if "$ref" in one), None)
    found: Json = schemas.get(str(reference).removeprefix(_REF), schema) if reference else schema
    return found


def _table(rows: list[tuple[str, str, bool, Json]]) -> str:
    lines = "".join(
        f"<tr><td><code>{html.escape(name)}</code></td><td>{where}</td><td>{html.escape(kind_of(schema))}</td>"
        f"<td>{'needed' if needed else html.escape(_default(schema))}</td></tr>"
        for name, where, needed, schema in rows
    )
    heads = "".join(f'<th scope="col">{one}</th>' for one in ("Name", "Where", "Kind", "If absent"))
    table = f'<table class="table table-s"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'
    return f'<div class="table-wrap" tabindex="0" role="region" aria-label="Fields">{table}</div>' if lines else ""


def kind_of(schema: Json) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_REF).rpartition("__")[2]
    if "enum" in schema:
        return " or ".join(str(one) for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind_of(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items') or {})}"
    limits = [f"{words} {schema[key]}" for key, words in _LIMITS.items() if key in schema]
    return " ".join([str(schema.get("type") or "anything"), *limits])


_LIMITS: Mapping[str, str] = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "maxLength": "up to"}


def _default(schema: Json) -> str:
    return json.dumps(schema["default"], ensure_ascii=False) if "default" in schema else "left out"
