"""Keys for programs: made once, shown once, and each with a scope: the champion alone, or what a role may do."""

import secrets
from typing import Any, NamedTuple

from storage import api_keys
from storage.api_keys import CHAMPION as CHAMPION
from storage.api_keys import ApiKey
from storage.clock import now
from storage.errors import BadInput
from storage.store import Store
from studio.people.accounts import secret_sha256
from studio.people.roles import ROLES, Action, Actor, require

SCOPES = (CHAMPION, *ROLES)
_BEGINS = "rk_"  # so that a key is recognised as such where it was written by mistake
_LONGEST_NAME = 80
_NOTED_SECONDS = 60.0


class Made(NamedTuple):
    """A fresh key; `token` is shown now and never again."""

    token: str
    key: ApiKey


class Program(NamedTuple):
    """Who asks by a key. `actor`: None where the key is for the champion alone."""

    key: ApiKey
    actor: Actor | None


def make(store: Store, actor: Actor, name: str, scope: str = CHAMPION) -> Made:
    """Make a key; raises Forbidden, BadInput for a name or scope that cannot be, Conflict for a name that is taken."""
    require(actor, Action.ADMINISTER)
    name = name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A key's name has 1 to {_LONGEST_NAME} printable characters; it says whose program it is for.")
    if scope not in SCOPES:
        raise BadInput(f'A key is for one of {", ".join(SCOPES)}, not for "{scope}".')
    token = _BEGINS + secrets.token_urlsafe(32)
    return Made(token, api_keys.add(store, name, secret_sha256(token), scope, actor.name))


def listed(store: Store, actor: Actor) -> list[dict[str, Any]]:
    """The keys without anything that opens; raises Forbidden."""
    require(actor, Action.ADMINISTER)
    told = ("name", "scope", "created_by", "created_at", "used_at", "revoked_at")
    return [{name: getattr(key, name) for name in told} for key in api_keys.list_keys(store)]


def revoke(store: Store, actor: Actor, name: str) -> None:
    """Take a key back, at once; raises Forbidden, NotFound."""
    require(actor, Action.ADMINISTER)
    api_keys.revoke(store, name)


def program_of(store: Store, token: str | None) -> Program | None:
    """Whose program shows this key; None for no key or one that opens nothing."""
    if not token or not token.startswith(_BEGINS):
        return None
    key = api_keys.find(store, secret_sha256(token))
    if key is None:
        return None
    return Program(key, None if key.scope == CHAMPION else Actor(f"key:{key.name}", key.scope))


def note_use(store: Store, key: ApiKey) -> None:
    """Remember that a key is in use, once a minute."""
    if key.used_at is None or now() - key.used_at > _NOTED_SECONDS:
        api_keys.used(store, key)
