"""`Studio`: one object for a home, with the same verbs as the command line; pages and routes receive it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.home import Home
from storage.store import Store
from studio.settings import Settings

if TYPE_CHECKING:
    from studio.clients.engine import Engine


@dataclass(frozen=True)
class Context:
    """What a domain verb needs: the settings and the store."""

    settings: Settings
    store: Store

    @property
    def home(self) -> Home:
        """The project's folder."""
        return self.store.home


class Studio:
    """A project opened: `Studio("~/my-project")`, then `s.import_file(…)`, `s.train("dpo", …)`."""

    def __init__(self, home: str | Path | None = None, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_env(os.environ, home=home)
        self.store = Store.open(self.settings.home)

    @property
    def home(self) -> Home:
        """The project's folder."""
        return self.store.home

    @property
    def engine(self) -> "Engine":
        """A client of this home's engine, which starts one where none runs."""
        from studio.clients.engine import Engine

        return Engine(self.home)
