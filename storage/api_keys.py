"""Keys by which programs ask the studio. Only a key's hash is stored; revoking keeps the row, for the record."""

from dataclasses import dataclass

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.rows import Row
from storage.store import Store

CHAMPION = "champion"
"""The scope of a key that may chat with the champion and nothing else; every other scope is a role."""


@dataclass(frozen=True)
class ApiKey(Row):
    """A key. `scope`: champion, or the role as which its program acts. `used_at`: about when it was used last."""

    id: str
    name: str
    token_sha256: str
    scope: str
    created_by: str
    created_at: float
    used_at: float | None
    revoked_at: float | None


def add(store: Store, name: str, token_sha256: str, scope: str, author: str) -> ApiKey:
    """Write a key; raises Conflict where a standing one has the name."""
    with store.write():
        if store.value("select 1 from api_keys where name = ? and revoked_at is null", [name]):
            raise Conflict(f'There is a key named "{name}" already; revoke it first or choose another name.')
        row = {"id": new_id(), "name": name, "token_sha256": token_sha256, "scope": scope, "created_by": author,
               "created_at": now(), "used_at": None, "revoked_at": None}  # fmt: skip
        store.insert("api_keys", row)
    return ApiKey.from_row(row)


def list_keys(store: Store) -> list[ApiKey]:
    """Every key, revoked ones too, oldest first."""
    return [ApiKey.from_row(row) for row in store.rows("select * from api_keys order by rowid")]


def find(store: Store, token_sha256: str) -> ApiKey | None:
    """The standing key behind a hash."""
    row = store.one("select * from api_keys where token_sha256 = ? and revoked_at is null", [token_sha256])
    return ApiKey.from_row(row) if row else None


def used(store: Store, key: ApiKey) -> None:
    """Note that a key was used."""
    store.execute("update api_keys set used_at = ? where id = ?", [now(), key.id])


def revoke(store: Store, name: str) -> None:
    """Let a key open nothing any more; raises NotFound."""
    changed = store.execute("update api_keys set revoked_at = ? where name = ? and revoked_at is null", [now(), name])
    if not changed:
        raise NotFound(f'There is no standing key named "{name}".')
