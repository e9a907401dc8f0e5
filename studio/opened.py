"""A project opened: its settings, its store, its home. The verbs of `Studio` stand on it, family by family."""

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from storage.home import Home
from storage.store import Store
from studio.people.roles import Actor
from studio.settings import Settings

Json = dict[str, Any]


class Opened:
    """What every verb needs. `actor`: who acts by the verbs; the owner of the machine where nobody is named."""

    def __init__(
        self, home: str | Path | None = None, settings: Settings | None = None, actor: Actor | None = None
    ) -> None:
        self._named = actor
        self.settings = settings or Settings.from_env(os.environ, home=home)
        self.store = Store.open(self.settings.home)

    @property
    def home(self) -> Home:
        """The project's folder."""
        return self.store.home

    @property
    def _actor(self) -> Actor:
        """Who acts by the verbs: its owner at this machine, else who was named, within their role."""
        return self._named or Actor(self.settings.annotator, "admin")

    @cached_property
    def ready(self) -> Store:
        """The store, after a new home has got its starter model and datasets."""
        from studio.training.starter import ensure_starter

        ensure_starter(self.store, self.settings)
        return self.store
