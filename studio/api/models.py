"""JSON routes about models, under /api/models: the list, and one more from a folder, the Hub or an address."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from studio.studio import Studio
from studio.training.adding import add_model, list_all


class Added(BaseModel):
    """What to add: a folder, a Hub id or an endpoint's address, under a name or its own."""

    ref: str
    name: str | None = None
    key_env: str | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/models", tags=["models"])

    @routes.get("")
    def all_models() -> dict[str, Any]:
        return list_all(studio.store).to_json()

    @routes.post("")
    def add(added: Added) -> dict[str, Any]:
        # A download goes on in this thread when the browser leaves; the model then stands in the list.
        model = add_model(studio.store, studio.settings, added.ref, added.name or None, added.key_env or None)
        return {"name": model.name, "kind": model.kind}

    return routes
