"""JSON routes about models, under /api/models: the list, kinds of endpoints, one more from a folder, Hub or address."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from storage.models import get_model
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.clients.dialects import DIALECTS
from studio.studio import Studio
from studio.training.adding import Choices, add_model, list_all
from studio.training.endpoints import Terms, usage
from studio.training.model_keeping import archive, delete, rename, take_back
from studio.training.templates import LONGEST


class Added(BaseModel):
    """What to add: a folder, a Hub id or an endpoint's address, under a name or its own; how an endpoint is asked."""

    ref: str
    name: str | None = None
    template: str | None = Field(default=None, max_length=LONGEST)
    base: str | None = None
    key_env: str | None = None
    key: str | None = Field(default=None, repr=False)
    dialect: str | None = None
    at_once: int | None = None
    timeout: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    serves: str | None = None

    def terms(self) -> Terms:
        """What is agreed with an endpoint; an empty field agrees nothing."""
        said = self.model_dump(exclude={"ref", "name", "template", "base"})
        return Terms(**{name: None if value == "" else value for name, value in said.items()})


class Changed(BaseModel):
    """What is to change of a model: its name, or whether it is put away."""

    name: str | None = None
    archived: bool | None = None


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/models", tags=["models"], default_response_class=Ascii)

    @routes.get("")
    def all_models() -> dict[str, Any]:
        return list_all(studio.store).to_json()

    @routes.get("/dialects")
    def dialects() -> dict[str, Any]:
        return {"dialects": [{"name": one.name, "title": one.title, "at_once": one.at_once,
                              "loads_adapters": one.loads_adapters} for one in DIALECTS.values()]}  # fmt: skip

    @routes.get("/usage")
    def spent(days: int = 30) -> dict[str, Any]:
        return usage(studio.store, days).to_json()

    @routes.post("")
    def add(added: Added) -> dict[str, Any]:
        # A download goes on in this thread when the browser leaves; the model then stands in the list.
        choices = Choices(added.template or None, added.base or None)
        model = add_model(studio.store, studio.settings, added.ref, added.name or None, added.terms(), choices)
        return {"name": model.name, "kind": model.kind}

    @routes.patch("/{model}")
    def change(model: str, wish: Changed, actor: Asker) -> dict[str, Any]:
        changed = get_model(studio.store, model)
        if wish.archived is not None:
            changed = (archive if wish.archived else take_back)(studio.store, actor, changed.id)
        if wish.name is not None:
            changed = rename(studio.store, actor, changed.id, wish.name)
        return {"name": changed.name, "archived": changed.retired_at is not None}

    @routes.delete("/{model}")
    def remove(model: str, actor: Asker) -> dict[str, Any]:
        return delete(studio.store, actor, model)

    return routes
