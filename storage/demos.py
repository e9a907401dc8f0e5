"""Demos: links by which strangers talk to models. Only a link's hash is stored; a closed demo stays for the record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.models import checked_name
from storage.rows import Row
from storage.store import Store


@dataclass(frozen=True)
class Demo(Row):
    """A demo. `models`: ids of who answers, empty for the champion. `study_id`: where accepted votes go, None until
    there is one.
    """

    id: str
    name: str
    token_sha256: str
    models: list[str]
    settings: dict[str, Any]
    study_id: str | None
    created_by: str
    created_at: float
    closed_at: float | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"models", "settings"})


def add(
    store: Store, name: str, token_sha256: str, models: Sequence[str], settings: Mapping[str, Any], author: str
) -> Demo:
    """Write a demo; raises BadInput for what cannot be a name, Conflict where it is taken: votes keep it for ever."""
    checked_name(name)
    with store.write():
        if store.value("select 1 from demos where name = ?", [name]):
            raise Conflict(f'There is or was a demo "{name}" already; choose another name.')
        row = {"id": new_id(), "name": name, "token_sha256": token_sha256, "models": json.dumps(list(models)),
               "settings": json.dumps(dict(settings)), "study_id": None, "created_by": author, "created_at": now(),
               "closed_at": None}  # fmt: skip
        store.insert("demos", row)
    return Demo.from_row(row)


def get(store: Store, name: str) -> Demo:
    """A demo by name; raises NotFound with the names there are."""
    row = store.one("select * from demos where name = ?", [name])
    if row is None:
        names = ", ".join(demo.name for demo in list_demos(store)) or "none yet"
        raise NotFound(f'There is no demo "{name}"; there are: {names}.')
    return Demo.from_row(row)


def find(store: Store, token_sha256: str) -> Demo | None:
    """The open demo behind a link's hash."""
    row = store.one("select * from demos where token_sha256 = ? and closed_at is null", [token_sha256])
    return Demo.from_row(row) if row else None


def list_demos(store: Store) -> list[Demo]:
    """All demos, closed ones too, newest first."""
    return [Demo.from_row(row) for row in store.rows("select * from demos order by rowid desc")]


def close(store: Store, demo: Demo) -> None:
    """Let a link open nothing any more."""
    store.execute("update demos set closed_at = ? where id = ? and closed_at is null", [now(), demo.id])


def set_study(store: Store, demo: Demo, study_id: str) -> None:
    """Note where accepted votes go."""
    store.execute("update demos set study_id = ? where id = ?", [study_id, demo.id])
