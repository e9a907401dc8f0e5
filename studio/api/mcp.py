"""/mcp: the verbs as tools by the Model Context Protocol over HTTP, for programs with a key of a role.

Each message is answered by itself and nothing is remembered, so there are no sessions and no streams. A tool needs what
its route under /api needs, works under the key's name, and takes no paths: files of this machine are not for others.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from storage.errors import Forbidden
from studio.api.ascii import Ascii
from studio.api.errors import answer
from studio.people.keys import Program
from studio.people.roles import Action, Actor
from studio.studio import Studio
from studio.tools.protocol import Reply, reply_to
from studio.tools.toolbox import Toolbox

_SEE, _READ, _EDIT, _RUN = Action.SEE_RESULTS, Action.READ_DATA, Action.EDIT_DATA, Action.RUN_STUDIES
_TRAIN, _MANAGE = Action.TRAIN, Action.MANAGE_MODELS
# Verbs that may be asked from elsewhere; what is not here is for the command line of the machine.
ALLOWED: Mapping[str, Action] = MappingProxyType(
    {
        **dict.fromkeys(("agreement", "job", "jobs", "leaderboard", "logs", "models", "queue", "report"), _SEE),
        **dict.fromkeys(("rounds", "studies", "touched", "usage", "disk", "generate"), _SEE),
        **dict.fromkeys(("datasets", "show"), _READ),
        **dict.fromkeys(("answer", "answerings", "check", "freeze", "mend"), _EDIT),
        **dict.fromkeys(("compare", "study"), _RUN),
        **dict.fromkeys(("train", "preflight", "stop", "resume", "retry", "hold", "release", "move"), _TRAIN),
        **dict.fromkeys(("search", "searches", "gate", "promote", "rollback", "retrain"), _TRAIN),
        **dict.fromkeys(("rename-model", "archive-model", "delete-model"), _MANAGE),
    }
)


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/mcp")
    async def message(request: Request) -> Response:
        program: Program = request.state.program
        if program.actor is None:
            raise Forbidden(f'The key "{program.key.name}" is for the champion alone; make one for a role.')
        body = await request.body()
        reply = await run_in_threadpool(_reply, studio, program.actor, body, dict(request.headers))
        if reply.message is None:
            return Response(status_code=reply.status)
        return Ascii(reply.message, reply.status)

    @routes.api_route("/mcp", methods=["GET", "DELETE"])
    def no_stream() -> Response:
        refused = answer(405, "bad-method", "Send a message by POST; there is no stream.")
        refused.headers["Allow"] = "POST"
        return refused

    return routes


def _reply(studio: Studio, actor: Actor, body: bytes, headers: Mapping[str, str]) -> Reply:
    """Answer in the name of the key, within its role."""
    verbs = [verb for verb, action in ALLOWED.items() if actor.may(action)]
    own = Studio(settings=replace(studio.settings, annotator=actor.name), actor=actor)
    try:
        return reply_to(body, Toolbox(own, verbs, remote=True), headers)
    finally:
        own.store.close()
