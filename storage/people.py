"""People of a project: accounts, invitations, sessions, and the failed attempts to sign in.

Secrets are never stored: passwords as scrypt hashes, tokens of invitations and sessions as SHA-256.
"""

from dataclasses import dataclass

from storage.clock import new_id, now
from storage.errors import Conflict, NotFound
from storage.rows import Row
from storage.store import Store


@dataclass(frozen=True)
class Person(Row):
    """An account. `role`: annotator, curator, trainer or admin. `disabled_at`: set where it may no longer sign in."""

    id: str
    name: str
    role: str
    password: str
    created_at: float
    disabled_at: float | None


@dataclass(frozen=True)
class Invitation(Row):
    """A link by which one person makes an account of a role; `used_by` is that account."""

    id: str
    token_sha256: str
    role: str
    created_by: str
    created_at: float
    expires_at: float
    used_by: str | None


@dataclass(frozen=True)
class Session(Row):
    """A browser in which somebody has signed in."""

    token_sha256: str
    person_id: str
    created_at: float
    seen_at: float
    expires_at: float


def add_person(store: Store, name: str, role: str, password: str) -> Person:
    """Write an account; raises Conflict where the name is taken, whatever its case."""
    with store.write():
        if find_person(store, name):
            raise Conflict(f'There is somebody named "{name}" already; choose another name.')
        row = {"id": new_id(), "name": name, "role": role, "password": password, "created_at": now()}
        store.insert("people", row)
    return Person.from_row({**row, "disabled_at": None})


def find_person(store: Store, name: str) -> Person | None:
    """The account of that name, whatever its case, or None."""
    row = store.one("select * from people where name = ? collate nocase", [name])
    return Person.from_row(row) if row else None


def get_person(store: Store, name: str) -> Person:
    """The account of that name; raises NotFound with the names there are."""
    found = find_person(store, name)
    if found is None:
        names = ", ".join(person.name for person in list_people(store)) or "nobody yet"
        raise NotFound(f'There is nobody named "{name}"; there are: {names}.')
    return found


def list_people(store: Store) -> list[Person]:
    """All accounts, oldest first."""
    return [Person.from_row(row) for row in store.rows("select * from people order by created_at, id")]


def any_people(store: Store) -> bool:
    """Whether there is an account that may sign in; where there is none, one's own machine needs no sign-in."""
    return bool(store.value("select 1 from people where disabled_at is null limit 1"))


def change_person(store: Store, person: Person, keep: str = "", **values: str | float | None) -> Person:
    """Change columns of an account (role, password, disabled_at) and end its sessions, all but `keep` (its hash)."""
    with store.write():
        for column in ("role", "password", "disabled_at"):
            if column in values:
                store.execute(f"update people set {column} = ? where id = ?", [values[column], person.id])
        store.execute("delete from sessions where person_id = ? and token_sha256 != ?", [person.id, keep])
    return get_person(store, person.name)


def count_admins(store: Store) -> int:
    """How many administrators may sign in."""
    return int(store.value("select count(*) from people where role = 'admin' and disabled_at is null"))


def add_invitation(store: Store, token_sha256: str, role: str, created_by: str, expires_at: float) -> Invitation:
    """Note an invitation."""
    row = {"id": new_id(), "token_sha256": token_sha256, "role": role, "created_by": created_by,
           "created_at": now(), "expires_at": expires_at}  # fmt: skip
    store.insert("invitations", row)
    return Invitation.from_row({**row, "used_by": None})


def open_invitation(store: Store, token_sha256: str) -> Invitation | None:
    """An invitation that nobody has used and that has not expired."""
    row = store.one(
        "select * from invitations where token_sha256 = ? and used_by is null and expires_at > ?",
        [token_sha256, now()],
    )
    return Invitation.from_row(row) if row else None


def open_invitations(store: Store) -> list[Invitation]:
    """Invitations that can still be used, newest first."""
    rows = store.rows(
        "select * from invitations where used_by is null and expires_at > ? order by created_at desc", [now()]
    )
    return [Invitation.from_row(row) for row in rows]


def use_invitation(store: Store, invitation: Invitation, person: Person) -> bool:
    """Mark an invitation as used; False where somebody else was quicker."""
    sql = "update invitations set used_by = ? where id = ? and used_by is null"
    return store.execute(sql, [person.id, invitation.id]) == 1


def withdraw_invitation(store: Store, invitation_id: str) -> bool:
    """Remove an invitation that nobody has used; False where there is none."""
    return store.execute("delete from invitations where id = ? and used_by is null", [invitation_id]) == 1


def add_session(store: Store, token_sha256: str, person: Person, expires_at: float) -> None:
    """Note that somebody has signed in."""
    moment = now()
    row = {"token_sha256": token_sha256, "person_id": person.id, "created_at": moment, "seen_at": moment,
           "expires_at": expires_at}  # fmt: skip
    store.insert("sessions", row)


def session_person(store: Store, token_sha256: str) -> tuple[Session, Person] | None:
    """A session that holds, and whose it is."""
    row = store.one(
        "select s.* from sessions s join people p on p.id = s.person_id "
        "where s.token_sha256 = ? and s.expires_at > ? and p.disabled_at is null",
        [token_sha256, now()],
    )
    if row is None:
        return None
    session = Session.from_row(row)
    person = store.one("select * from people where id = ?", [session.person_id])
    return (session, Person.from_row(person)) if person else None


def count_sessions(store: Store, person: Person) -> int:
    """In how many browsers somebody is signed in."""
    sql = "select count(*) from sessions where person_id = ? and expires_at > ?"
    return int(store.value(sql, [person.id, now()]))


def touch_session(store: Store, session: Session, expires_at: float) -> None:
    """Note that a session is in use, and let it last longer."""
    sql = "update sessions set seen_at = ?, expires_at = ? where token_sha256 = ?"
    store.execute(sql, [now(), expires_at, session.token_sha256])


def end_session(store: Store, token_sha256: str) -> None:
    """Forget a session."""
    store.execute("delete from sessions where token_sha256 = ?", [token_sha256])


def note_attempt(store: Store, key: str) -> None:
    """Note a failed attempt to sign in under a key (a name, an address), and forget those of another day."""
    with store.write():
        store.insert("attempts", {"id": new_id(), "key": key, "at": now()})
        store.execute("delete from attempts where at < ?", [now() - 86_400])


def attempts(store: Store, key: str, since: float) -> list[float]:
    """When attempts under a key failed, oldest first."""
    rows = store.rows("select at from attempts where key = ? and at >= ? order by at", [key, since])
    return [row["at"] for row in rows]


def forget_attempts(store: Store, key: str) -> None:
    """Forget the failed attempts under a key."""
    store.execute("delete from attempts where key = ?", [key])
