"""The JSON route of a dataset's overview, under /api/data."""

from typing import Any

from fastapi import APIRouter

from studio.api.ascii import Ascii
from studio.curation.overview import overview
from studio.studio import Studio


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/data", tags=["overview"], default_response_class=Ascii)

    @routes.get("/datasets/{name}/overview")
    def glance(name: str) -> dict[str, Any]:
        return overview(studio.store, name)

    return routes
