"""Who may call which JSON route: one table, asked before every handler, and the name that a handler writes under.

The rules stand together so that they can be read, and compared with the routes there are (tests/safety). A route
that the table does not know is for administrators alone. The rule is asked of the actor that the doorman
(studio/doorman.py) has found; pages that hide a button are a courtesy, not the check.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import Depends, Request

from storage.errors import SignInNeeded
from studio.people.roles import Action, Actor, require
from studio.settings import Settings

SAFE = frozenset({"GET", "HEAD"})

# Routes by their whole path, "METHOD /path"; None: open to everybody, signed in or not.
EXACT: Mapping[str, Action | None] = MappingProxyType(
    {
        "GET /sign-in": None,
        "GET /join/{token}": None,
        "GET /people": Action.JUDGE,  # the page itself says with a sentence who it is for
        "GET /api-docs": Action.JUDGE,
        "GET /api/openapi.json": Action.JUDGE,
        "GET /report/{number}": Action.JUDGE,  # likewise
        "POST /api/people/sign-in": None,
        "POST /api/people/sign-out": None,
        "POST /api/people/join": None,
        # A demo's link is all that these ask for, and they reach nothing but that demo.
        "GET /demo/{link}": None,
        "GET /api/demo/{link}": None,
        "POST /api/demo/{link}/answer": None,
        "POST /api/demo/{link}/vote": None,
        "GET /api/people/me": Action.JUDGE,
        "POST /api/people/me/password": Action.JUDGE,
        "GET /account": Action.JUDGE,
        "GET /api/people": Action.RUN_STUDIES,
        "POST /api/people": Action.ADMINISTER,
        "PATCH /api/people/{name}": Action.ADMINISTER,
        "POST /api/people/invitations": Action.RUN_STUDIES,
        "DELETE /api/people/invitations/{invitation}": Action.RUN_STUDIES,
        "GET /api/compare/next": Action.JUDGE,
        "POST /api/compare/vote": Action.JUDGE,
        "POST /api/compare/undo": Action.JUDGE,
        "GET /api/compare/mine": Action.JUDGE,
        "POST /api/compare/continue": Action.JUDGE,
        "POST /api/compare/prompt": Action.JUDGE,
        "POST /api/compare/again": Action.JUDGE,
        "GET /api/compare/stream/{comparison}": Action.JUDGE,
        "GET /api/compare/studies": Action.JUDGE,
        "GET /api/compare/guidelines": Action.JUDGE,
        "GET /api/compare/progress": Action.SEE_RESULTS,
        "POST /api/compare/keep": Action.EDIT_DATA,
        "POST /api/compare/sampling": Action.RUN_STUDIES,
        "GET /api/compare/standings": Action.SEE_RESULTS,
        "POST /api/models/{model}/chat": Action.SEE_RESULTS,
        "POST /api/models/{model}/compare": Action.SEE_RESULTS,  # making a study needs more, which the domain asks for
        "POST /api/data/datasets/{name}/bulk/count": Action.READ_DATA,
        "POST /api/data/render": Action.READ_DATA,
        "GET /api/data/datasets/{name}/export": Action.EXPORT_DATA,
        "GET /api/data/datasets/{name}/export-choices": Action.EXPORT_DATA,
        "POST /api/data/exports": Action.EXPORT_DATA,
        "POST /api/data/exports/preview": Action.EXPORT_DATA,
        "POST /api/data/exports/card": Action.EXPORT_DATA,
        "POST /api/data/exports/hub": Action.EXPORT_DATA,
        "GET /api/data/exports/files/{file}": Action.EXPORT_DATA,
        "POST /api/data/tasks/{task_id}/cancel": Action.EXPORT_DATA,
        "GET /api/data/folders": Action.EDIT_DATA,
        # Whoever sees models side by side may say which is better, and have a model answer what is to be seen.
        "POST /api/canaries/votes": Action.SEE_RESULTS,
        "POST /api/canaries/run": Action.SEE_RESULTS,
        "GET /api/data/rejected/{file}": Action.EDIT_DATA,
        "PATCH /api/rounds/gate": Action.MANAGE_MODELS,  # as overruling the gate is
    }
)
# Routes for programs: the doorman lets nobody pass to them without a key, and what the key is for decides the rest.
BY_KEY = frozenset({"GET /v1/models", "POST /v1/chat/completions", "POST /mcp", "GET /mcp", "DELETE /mcp"})
# What takes every other address, to say that nothing is there.
ELSEWHERE = ("/api/{path:path}", "/v1/{path:path}")
# Subjects in which looking needs one action and changing another.
SUBJECTS: Mapping[str, tuple[Action, Action]] = MappingProxyType(
    {
        "/api/data": (Action.READ_DATA, Action.EDIT_DATA),
        "/api/answerings": (Action.READ_DATA, Action.EDIT_DATA),
        "/api/jobs": (Action.SEE_RESULTS, Action.TRAIN),
        "/api/searches": (Action.SEE_RESULTS, Action.TRAIN),
        "/api/queue": (Action.SEE_RESULTS, Action.TRAIN),
        "/api/plans": (Action.SEE_RESULTS, Action.TRAIN),
        "/api/models": (Action.SEE_RESULTS, Action.MANAGE_MODELS),
        "/api/rounds": (Action.SEE_RESULTS, Action.TRAIN),
        "/api/canaries": (Action.SEE_RESULTS, Action.RUN_STUDIES),
        "/api/studies": (Action.SEE_RESULTS, Action.RUN_STUDIES),
        "/api/demos": (Action.SEE_RESULTS, Action.RUN_STUDIES),
        "/api/results": (Action.SEE_RESULTS, Action.RUN_STUDIES),
    }
)


def known(method: str, path: str) -> bool:
    """Whether the table has a rule for a route."""
    return f"{method} {path}" in EXACT or f"{method} {path}" in BY_KEY or _subject(path) is not None


def action_for(method: str, path: str) -> Action | None:
    """What a route needs; None where it is open to everybody."""
    method = "GET" if method == "HEAD" else method
    if f"{method} {path}" in EXACT:
        return EXACT[f"{method} {path}"]
    subject = _subject(path)
    if subject is None:
        return Action.ADMINISTER
    return SUBJECTS[subject][0 if method in SAFE else 1]


def _subject(path: str) -> str | None:
    """The subject that a path belongs to, or None."""
    return next((prefix for prefix in SUBJECTS if path == prefix or path.startswith(f"{prefix}/")), None)


async def allowed(request: Request) -> None:
    """Raise SignInNeeded or Forbidden where the person who asks may not call this route."""
    path = request.scope["route"].path
    if path == ELSEWHERE[1]:  # the doorman has seen a key
        return
    if f"{request.method} {path}" in BY_KEY:
        if getattr(request.state, "program", None) is None:
            raise SignInNeeded("Programs show a key here; `ratchet keys add NAME` makes one.")
        return
    action = action_for(request.method, path)
    if action is None:
        return
    actor = getattr(request.state, "actor", None)
    if actor is None:
        raise SignInNeeded("Sign in first.")
    require(actor, action)


async def actor_of(request: Request) -> Actor:
    """Who asks. Routes that stand alone, without a doorman in front of them, work for the owner of the machine."""
    found: Actor | None = getattr(request.state, "actor", None)
    return found or Actor(Settings.annotator, "admin")


async def name_of(request: Request) -> str:
    """The name under which votes, edits and comments of this request are kept."""
    return (await actor_of(request)).name


Asker = Annotated[Actor, Depends(actor_of)]
Me = Annotated[str, Depends(name_of)]
