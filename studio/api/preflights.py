"""JSON routes of preflights, under /api/jobs/preflight: what a training would be like, without waiting for it."""

from typing import Any

from fastapi import APIRouter

from studio.api.ascii import Ascii
from studio.api.jobs import Asked
from studio.studio import Studio
from studio.training import preflighting


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/jobs/preflight", tags=["jobs"], default_response_class=Ascii)

    @routes.post("")
    def begin(asked: Asked) -> dict[str, Any]:
        return preflighting.begin(studio.store, studio.settings, asked.request()).to_json()

    @routes.get("/{preflight}")
    def look(preflight: str) -> dict[str, Any]:
        return preflighting.look(studio.store, preflight).to_json()

    return routes
