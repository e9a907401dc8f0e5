"""Accounts: made by an administrator or through an invitation; the last administrator stays."""

import hashlib
import re
import secrets
from typing import Any, NamedTuple

from storage import people
from storage.clock import now
from storage.errors import BadInput, Conflict, NotFound
from storage.people import Person
from storage.store import Store
from studio.people.passwords import hashed
from studio.people.roles import ROLES, Action, Actor, require

INVITATION_DAYS = 7
_DAY = 86_400
_NAME = re.compile(r"[^\W_][\w .'-]{0,38}[^\W_]|[^\W_]")


class Invited(NamedTuple):
    """A fresh invitation: the secret is shown once, in the link."""

    id: str
    token: str
    role: str
    expires_at: float


def add(store: Store, actor: Actor, name: str, role: str, password: str) -> Person:
    """Make an account; raises Forbidden, BadInput, Conflict."""
    require(actor, Action.ADMINISTER)
    return people.add_person(store, checked_person_name(name), checked_role(role), hashed(password))


def invite(store: Store, actor: Actor, role: str = "annotator", days: float = INVITATION_DAYS) -> Invited:
    """Make an invitation for one person; whoever runs studies may invite annotators, an administrator anybody."""
    require(actor, Action.RUN_STUDIES if checked_role(role) == "annotator" else Action.ADMINISTER)
    token = secrets.token_urlsafe(24)
    made = people.add_invitation(store, secret_sha256(token), role, actor.name, now() + days * _DAY)
    return Invited(made.id, token, role, made.expires_at)


def accept(store: Store, token: str, name: str, password: str) -> Person:
    """Make the account that an invitation promises; raises NotFound for one that is used, withdrawn or too old."""
    _invitation(store, token)  # who has none costs no hash
    stored = hashed(password)  # before the transaction: it takes a tenth of a second
    with store.write():
        invitation = _invitation(store, token)
        person = people.add_person(store, checked_person_name(name), invitation.role, stored)
        people.use_invitation(store, invitation, person)
    return person


def _invitation(store: Store, token: str) -> people.Invitation:
    """The open invitation behind a secret; raises NotFound."""
    invitation = people.open_invitation(store, secret_sha256(token))
    if invitation is None:
        raise NotFound("This invitation has been used, withdrawn or has expired; ask for a new link.")
    return invitation


def withdraw(store: Store, actor: Actor, invitation_id: str) -> None:
    """Take an invitation back: who runs studies an annotator's, an administrator any."""
    require(actor, Action.RUN_STUDIES)
    if any(one.id == invitation_id and one.role != "annotator" for one in people.open_invitations(store)):
        require(actor, Action.ADMINISTER)
    if not people.withdraw_invitation(store, invitation_id):
        raise NotFound("That invitation has been used or withdrawn already.")


def set_role(store: Store, actor: Actor, name: str, role: str) -> Person:
    """Give an account another role; its sessions end. Raises Conflict for the last administrator."""
    require(actor, Action.ADMINISTER)
    person = people.get_person(store, name)
    if checked_role(role) != "admin":
        _keep_an_admin(store, person)
    return people.change_person(store, person, role=role)


def set_password(store: Store, actor: Actor, name: str, password: str) -> Person:
    """Set a password: one's own, or as an administrator anybody's; all sessions of that account end."""
    if actor.name.casefold() != name.casefold():
        require(actor, Action.ADMINISTER)
    return people.change_person(store, people.get_person(store, name), password=hashed(password))


def disable(store: Store, actor: Actor, name: str) -> Person:
    """Let an account sign in no more; its votes and edits stay. Raises Conflict for the last administrator."""
    require(actor, Action.ADMINISTER)
    person = people.get_person(store, name)
    _keep_an_admin(store, person)
    return people.change_person(store, person, disabled_at=now())


def enable(store: Store, actor: Actor, name: str) -> Person:
    """Let an account sign in again."""
    require(actor, Action.ADMINISTER)
    return people.change_person(store, people.get_person(store, name), disabled_at=None)


def listed(store: Store, actor: Actor) -> dict[str, Any]:
    """All accounts and open invitations, without secrets."""
    require(actor, Action.ADMINISTER)
    return {"people": [person_json(person) for person in people.list_people(store)], **invited(store, actor)}


def invited(store: Store, actor: Actor) -> dict[str, Any]:
    """The open invitations that this person may take back, without secrets."""
    require(actor, Action.RUN_STUDIES)
    return {
        "invitations": [
            {"id": one.id, "role": one.role, "created_by": one.created_by, "expires_at": one.expires_at}
            for one in people.open_invitations(store)
            if one.role == "annotator" or actor.may(Action.ADMINISTER)
        ]
    }


def check_first(store: Store, role: str) -> None:
    """Refuse to lock everybody out: the first account is an administrator's."""
    if role != "admin" and not people.any_people(store):
        raise BadInput("The first account must be an administrator's: nobody could make the others otherwise.")


def person_json(person: Person) -> dict[str, Any]:
    """An account for JSON."""
    return {
        "name": person.name,
        "role": person.role,
        "created_at": person.created_at,
        "disabled": person.disabled_at is not None,
    }


def secret_sha256(token: str) -> str:
    """A secret of a link or a cookie as it is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def checked_role(role: str) -> str:
    """A role; raises BadInput."""
    if role not in ROLES:
        raise BadInput(f'"{role}" is no role; the roles are {", ".join(ROLES)}.')
    return role


def checked_person_name(name: str) -> str:
    """A name as votes and edits are kept under; raises BadInput."""
    name = " ".join(name.split())
    if not _NAME.fullmatch(name):
        raise BadInput(f'A name has 1 to 40 letters, digits, spaces, dots, apostrophes or hyphens, not "{name[:60]}".')
    return name


def _keep_an_admin(store: Store, person: Person) -> None:
    if person.role == "admin" and person.disabled_at is None and people.count_admins(store) <= 1:
        raise Conflict(f"{person.name} is the last administrator; make somebody else one first.")
