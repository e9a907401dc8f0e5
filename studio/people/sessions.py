"""Signing in and out: a name and a password for a session, kept by the browser as a cookie that scripts cannot read."""

import secrets
from typing import NamedTuple

from storage import people
from storage.clock import now
from storage.errors import BadInput, SignInNeeded, TooMany
from storage.people import Person
from storage.store import Store
from studio.people.accounts import secret_sha256
from studio.people.passwords import hashed, matches
from studio.people.roles import Actor

SESSION_DAYS = 30
_DAY = 86_400
_TOUCH_AFTER = 3600
# Failed attempts within a quarter of an hour, after which one waits: for one name, and from one address.
WINDOW = 15 * 60
MOST_PER_NAME = 8
MOST_PER_ADDRESS = 40


class SignedIn(NamedTuple):
    """A fresh session; the token goes into the cookie and is stored nowhere."""

    token: str
    person: Person


class Holder(NamedTuple):
    """Who holds a session, and whether it has not been prolonged for a while."""

    actor: Actor
    stale: bool


def sign_in(store: Store, name: str, password: str, address: str) -> SignedIn:
    """Begin a session; raises SignInNeeded for a wrong name or password alike, TooMany after too many of them."""
    keys = {f"name:{name.casefold()[:80]}": MOST_PER_NAME, f"address:{address}": MOST_PER_ADDRESS}
    for key, most in keys.items():
        _refuse_flood(store, key, most)
    person = people.find_person(store, name)
    known = person is not None and person.disabled_at is None
    if not matches(password, person.password if person and known else None) or person is None:
        for key in keys:
            people.note_attempt(store, key)
        raise SignInNeeded("The name or the password is wrong.")
    people.forget_attempts(store, next(iter(keys)))
    return begin(store, person)


def begin(store: Store, person: Person) -> SignedIn:
    """Begin a session for somebody who has shown who they are."""
    token = secrets.token_urlsafe(32)
    people.add_session(store, secret_sha256(token), person, now() + SESSION_DAYS * _DAY)
    return SignedIn(token, person)


def holder_of(store: Store, token: str | None) -> Holder | None:
    """Who holds a session, or None; only reads."""
    found = people.session_person(store, secret_sha256(token)) if token else None
    if found is None:
        return None
    session, person = found
    return Holder(Actor(person.name, person.role), now() - session.seen_at > _TOUCH_AFTER)


def prolong(store: Store, token: str | None) -> None:
    """Let a session last longer, because it is in use."""
    found = people.session_person(store, secret_sha256(token)) if token else None
    if found is not None:
        people.touch_session(store, found[0], now() + SESSION_DAYS * _DAY)


def actor_of(store: Store, token: str | None) -> Actor | None:
    """Who holds a session, or None; a session in use lasts longer."""
    held = holder_of(store, token)
    if held is not None and held.stale:
        prolong(store, token)
    return held.actor if held else None


def sign_out(store: Store, token: str | None) -> None:
    """End a session."""
    if token:
        people.end_session(store, secret_sha256(token))


def change_password(store: Store, token: str | None, old: str, new: str) -> int:
    """Give who holds a session a new password, against the old one; tells how many other sessions end by that.

    Raises SignInNeeded without a session, BadInput for a wrong old password or a new one that cannot protect, TooMany
    after too many wrong ones: somebody at an open browser guesses no faster than at the sign-in.
    """
    held = secret_sha256(token or "")
    found = people.session_person(store, held)
    if found is None:
        raise SignInNeeded("Sign in first: only who has an account has a password to change.")
    person = found[1]
    key = f"password:{person.id}"
    _refuse_flood(store, key, MOST_PER_NAME)
    if not matches(old, person.password):
        people.note_attempt(store, key)
        raise BadInput("The password that you have now is another one; nothing was changed.")
    if new == old:
        raise BadInput("The new password is the one that you have; choose another.")
    stored = hashed(new)
    people.forget_attempts(store, key)
    ended = people.count_sessions(store, person) - 1
    people.change_person(store, person, keep=held, password=stored)
    return ended


def _refuse_flood(store: Store, key: str, most: int) -> None:
    """Raise TooMany where a name or an address has failed too often."""
    failed = people.attempts(store, key, now() - WINDOW)
    if len(failed) >= most:
        minutes = max(1, round((failed[-most] + WINDOW - now()) / 60))
        raise TooMany(f"Too many wrong passwords; try again in {minutes} minute{'s'[: minutes != 1]}.")
