"""The verb `keys`: keys by which programs ask the studio."""

import argparse
from typing import Any

from studio.people import keys
from studio.people.roles import Actor
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, table


def _flags(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|add|revoke")
    made = {
        "list": actions.add_parser("list", help="the keys, without what opens anything"),
        "add": actions.add_parser("add", help="make a key; it is shown once"),
        "revoke": actions.add_parser("revoke", help="let a key open nothing any more"),
    }
    for name in ("add", "revoke"):
        made[name].add_argument("name", metavar="NAME", help="whose program it is for")
    made["add"].add_argument(
        "--scope", choices=keys.SCOPES, default=keys.CHAMPION, help="the champion alone (default), or a role"
    )
    for action in made.values():
        action.add_argument("--home", default=argparse.SUPPRESS, metavar="DIR", help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _run(studio: Studio, args: argparse.Namespace) -> Outcome:
    owner = Actor(studio.settings.annotator, "admin")
    if args.action == "add":
        made = keys.make(studio.store, owner, args.name, args.scope)
        data: dict[str, Any] = {"name": made.key.name, "scope": made.key.scope, "key": made.token}
        return Outcome(data, f"{made.token}\nThis is the key of {made.key.name}; it is not shown again.")
    if args.action == "revoke":
        keys.revoke(studio.store, owner, args.name)
        return Outcome({"revoked": args.name}, f"The key of {args.name} opens nothing any more.")
    found = keys.listed(studio.store, owner)
    text = table(found, ("name", "scope", "created_by", "used_at", "revoked_at")) if found else "no keys"
    return Outcome({"keys": found}, text)


VERBS = (Verb("keys", "make, list and revoke keys for programs", _flags, _run),)
