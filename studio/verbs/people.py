"""The verb `people`: accounts and invitations from the command line of the machine, whose owner is an administrator.

A password is asked for on the terminal, or read as a line of standard input; never an argument, which other users
of the machine could read in its list of processes.
"""

import argparse
import getpass
import sys

from storage.errors import BadInput
from studio.people import accounts
from studio.people.roles import ROLES, Actor
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table, visible


def _flags(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="list|add|invite|role|disable|enable|password"
    )
    made = {
        "list": actions.add_parser("list", help="accounts and open invitations"),
        "add": actions.add_parser("add", help="make an account; asks for its password"),
        "invite": actions.add_parser("invite", help="make a link by which one person makes an account"),
        "role": actions.add_parser("role", help="give an account another role"),
        "disable": actions.add_parser("disable", help="let an account sign in no more"),
        "enable": actions.add_parser("enable", help="let an account sign in again"),
        "password": actions.add_parser("password", help="set a new password; asks for it"),
    }
    for name in ("add", "role", "disable", "enable", "password"):
        made[name].add_argument("name", metavar="NAME")
    for name in ("add", "invite"):
        made[name].add_argument("--role", choices=tuple(ROLES), default="annotator", help="default: annotator")
    made["role"].add_argument("role", choices=tuple(ROLES), metavar="ROLE", help=", ".join(ROLES))
    for action in made.values():
        action.add_argument("--home", default=argparse.SUPPRESS, metavar="DIR", help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _run(studio: Studio, args: argparse.Namespace) -> Outcome:
    owner = Actor(studio.settings.annotator, "admin")
    if args.action == "list":
        return _list(studio, owner)
    if args.action == "invite":
        return _invite(studio, owner, args.role)
    return _account(studio, owner, args)


def _list(studio: Studio, owner: Actor) -> Outcome:
    data = accounts.listed(studio.store, owner)
    text = table(data["people"], ("name", "role", "disabled")) if data["people"] else "nobody has an account"
    return Outcome(data, f"{text}\n{len(data['invitations'])} open invitations")


def _invite(studio: Studio, owner: Actor, role: str) -> Outcome:
    accounts.check_first(studio.store, "invited")
    made = accounts.invite(studio.store, owner, role)
    path = f"/join/{made.token}"
    data = {"id": made.id, "role": made.role, "expires_at": made.expires_at, "path": path}
    days = accounts.INVITATION_DAYS
    return Outcome(
        data, f"send the address of the studio with {path} behind it; it makes one {role}, within {days} days"
    )


def _account(studio: Studio, owner: Actor, args: argparse.Namespace) -> Outcome:
    store = studio.store
    if args.action == "add":
        accounts.check_first(store, args.role)
        person = accounts.add(store, owner, args.name, args.role, _password(args.name))
        said = f"{person.name} can sign in as {person.role}"
    elif args.action == "role":
        person = accounts.set_role(store, owner, args.name, args.role)
        said = f"{person.name} is {person.role} now and signs in again"
    elif args.action == "password":
        person = accounts.set_password(store, owner, args.name, _password(args.name))
        said = f"{person.name} has a new password and signs in again"
    else:
        change = accounts.disable if args.action == "disable" else accounts.enable
        person = change(store, owner, args.name)
        said = f"{person.name} can sign in {'no more' if person.disabled_at else 'again'}"
    return Outcome(accounts.person_json(person), visible(said))


def _password(name: str) -> str:
    """A password from the terminal, typed twice, or one line of standard input; raises BadInput where they differ."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    typed = getpass.getpass(f"Password for {name}: ")
    if getpass.getpass("Once more: ") != typed:
        raise BadInput("The two passwords are not the same; nothing was changed.")
    return typed


VERBS = (Verb("people", "accounts, roles and invitations", _flags, _run),)
