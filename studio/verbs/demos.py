"""The verb `demo`: links by which strangers talk to models, and what becomes of their votes."""

import argparse
from dataclasses import fields
from typing import Any

from studio.demos.terms import COMPARING, Terms
from studio.studio import Studio
from studio.training.shaped import counted
from studio.verbs.verb import Outcome, Verb, count, table

_ABOUT_VOTES = {
    "votes": "what visitors thought, with what they saw",
    "accept": "let visitors' votes count, in a study of their own",
    "refuse": "leave visitors' votes out for good",
}
_COLUMNS = ("name", "who", "title", "pending", "accepted", "refused", "state")


def _flags(parser: argparse.ArgumentParser) -> None:
    choices = ("make", "list", "close", *_ABOUT_VOTES, "take-back")
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(choices))
    said = {
        "make": "make a link; it is shown once",
        "list": "the demos, without what opens them",
        "close": "let a link open nothing any more",
        **_ABOUT_VOTES,
        "take-back": "let the votes of the last decision wait again",
    }
    made = {name: actions.add_parser(name, help=help) for name, help in said.items()}
    for name in said.keys() - {"list"}:
        made[name].add_argument("name", metavar="NAME", help="the demo's name")
    _make_flags(made["make"])
    for name in ("accept", "refuse"):
        made[name].add_argument(
            "--vote", dest="votes", action="append", metavar="ID", help="this one alone; repeatable"
        )
    made["votes"].add_argument("--state", choices=("pending", "accepted", "refused"), default="pending")
    made["votes"].add_argument("--limit", type=count, default=50, metavar="N", help="how many at most (default: 50)")
    for action in made.values():
        action.add_argument("--home", default=argparse.SUPPRESS, metavar="DIR", help=argparse.SUPPRESS)
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _make_flags(parser: argparse.ArgumentParser) -> None:
    usual = Terms()
    parser.add_argument(
        "--model", dest="models", action="append", metavar="M", help="who answers (default: the champion)"
    )
    parser.add_argument("--title", default=usual.title, help="what visitors read first")
    parser.add_argument("--lead", default=usual.lead, help="a sentence below the title")
    parser.add_argument("--example", dest="examples", action="append", metavar="TEXT", help="a question to begin with")
    parser.add_argument("--system", action="store_true", help="visitors may write a system prompt")
    parser.add_argument("--settings", action="store_true", help="visitors may choose temperature and length")
    parser.add_argument("--names", action="store_true", help="visitors see the names of the models")
    parser.add_argument("--comparing", choices=COMPARING, default=usual.comparing, help="two answers side by side")
    parser.add_argument("--max-tokens", type=count, default=usual.max_tokens, metavar="N", help="longest answer")
    parser.add_argument("--temperature", type=float, default=usual.temperature, metavar="T")
    parser.add_argument(
        "--rate", type=count, default=usual.rate, metavar="N", help="questions a minute from one address"
    )
    parser.add_argument("--rate-all", type=count, default=usual.rate_all, metavar="N", help="questions a minute in all")
    parser.add_argument("--per-day", type=count, default=usual.per_day, metavar="N", help="answers in 24 hours, in all")


def _run(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.action == "make":
        return _make(studio, args)
    if args.action == "list":
        found = studio.demos()
        rows = [_row(one) for one in found["demos"]]
        return Outcome(found, table(rows, _COLUMNS) if rows else "no demos")
    if args.action == "close":
        return Outcome(studio.close_demo(args.name), f"The link of {args.name} opens nothing any more.")
    if args.action == "votes":
        seen = studio.demo_votes(args.name, args.state, args.limit)
        return Outcome(seen, table([_vote(one) for one in seen["votes"]], ("id", "visitor", "choice", "prompt")))
    if args.action == "accept":
        done = studio.accept_demo_votes(args.name, args.votes)
        return Outcome(done, f"{counted(done['accepted'], 'vote')} accepted into {done['study']}.")
    if args.action == "refuse":
        done = studio.refuse_demo_votes(args.name, args.votes)
        return Outcome(done, f"{counted(done['refused'], 'vote')} refused.")
    done = studio.take_back_demo_votes(args.name)
    waiting = done["taken_back"]
    return Outcome(done, f"{counted(waiting, 'vote')} {'waits' if waiting == 1 else 'wait'} again.")


def _make(studio: Studio, args: argparse.Namespace) -> Outcome:
    names = [one.name for one in fields(Terms) if hasattr(args, one.name)]
    terms = {name: getattr(args, name) for name in names} | {"examples": args.examples or []}
    made = studio.make_demo(args.name, args.models or (), **terms)
    return Outcome(made, f"{made['path']}\nThis is the link of {made['name']}, behind the studio's address; it is not "
                         "shown again.")  # fmt: skip


def _row(demo: dict[str, Any]) -> dict[str, Any]:
    """A demo as a line."""
    state = "closed" if demo["closed_at"] else "open"
    who = ", ".join(demo["models"]) or "champion"
    return {"name": demo["name"], "who": who, "title": demo["terms"]["title"], "state": state, **demo["votes"]}


def _vote(vote: dict[str, Any]) -> dict[str, Any]:
    """A vote as a line."""
    asked = vote["prompt"][-1]["content"] if vote["prompt"] else ""
    return {"id": vote["id"], "visitor": vote["visitor"], "choice": vote["choice"], "prompt": asked}


VERBS = (Verb("demo", "make, list and close demos; accept or refuse their votes", _flags, _run),)
