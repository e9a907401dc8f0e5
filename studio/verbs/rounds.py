"""Verbs about rounds: rounds, gate, promote, rollback, report, replay, touched, retrain."""

import argparse
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from studio.feedback.exclusions import KINDS
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count, no_flags, table

_COLUMNS = (
    "round", "state", "parent", "model", "votes", "win_rate", "agreement", "held_out", "forgetting", "kept", "reason",
)  # fmt: skip


def _line(card: dict[str, Any]) -> dict[str, Any]:
    """One round for people."""
    now = card["standing"] or {}
    said = card["gate"]["reason"] if card["gate"] and card["state"] == "open" else card["reason"]
    told = {"votes": now.get("votes"), "win_rate": now.get("win_rate"), "reason": said}
    return {**card, **told, **_figures(card["figures"])}


def _figures(found: dict[str, Any]) -> dict[str, Any]:
    """Agreement, held-out loss and forgetting in a cell each."""
    held, forgot, agreed = found["held_out"], found["forgetting"], found["agreement"]
    return {
        "agreement": f"{agreed['rate']:.0%}" if agreed else None,
        "held_out": f"{held['before']:.2f} -> {held['after']:.2f}" if held else None,
        "forgetting": f"{forgot['after'] - forgot['before']:+.2f}" if forgot else None,
    }


def _rounds(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.rounds()
    lines = table([_line(card) for card in data["rounds"]], _COLUMNS) if data["rounds"] else "no round yet"
    return Outcome(data, f"{lines}\nThe champion is {data['champion']}." if data["champion"] else lines)


def _promote_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help="model by name (default: the open round's candidate)")
    parser.add_argument("--overrule", action="store_true", help="also where the gate does not let it pass")
    parser.add_argument("--reason", default="", help="why the gate is overruled; kept for good")


def _promote(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.promote(args.model, args.reason, args.overrule)
    return Outcome(data, f"{data['champion']} is the champion now. {data['reason']}")


def _rollback_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="why; kept for good")


def _rollback(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.rollback(args.reason)
    return Outcome(data, f"{data['champion']} is the champion again, instead of {data['before']}.")


def _gate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--forgetting", type=float, help="how much the loss on earlier rows may rise, nats a token")


def _gate(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.gate(**({} if args.forgetting is None else {"forgetting": args.forgetting}))
    found = data["report"]
    text = "\n".join(f"{check['state']:6} {check['name']}: {check['sentence']}" for check in found["checks"]) if found \
        else "No candidate stands before the gate."  # fmt: skip
    return Outcome(data, f"{text}\nforgetting may reach {data['limits']['forgetting']:g}")


def _report_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("round", type=count, metavar="ROUND", help="round by number")
    parser.add_argument("--out", type=Path, metavar="FILE.html", help="file to write; must not be there yet")


def _report(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.report(args.round, args.out)
    now = data["standing"] or {}
    rate = now.get("win_rate")
    wins = "no votes yet" if rate is None else f"wins {rate:.0%} ({now['low']:.0%} to {now['high']:.0%})"
    reason = data["reason"] or (data["gate"] or {}).get("reason") or ""
    text = f"Round {data['round']}, {data['state']}: {data['model'] or 'no model yet'}, {wins}. {reason}".rstrip()
    return Outcome(data, f"{text}\n{data['path']} is written." if args.out else text)


def _replay_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("round", type=count, metavar="ROUND", help="round by number")


def _replay(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.replay(args.round)
    weights = "the same weights, bit by bit" if data["identical"] else "other weights"
    figures = "the same figures" if data["figures_same"] else "other figures"
    changed = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in data["libraries"].items())
    text = f"Round {data['round']} again, {data['steps']} steps in {data['seconds']:g} s: {weights}, {figures}."
    return Outcome(data, f"{text} Libraries have changed: {changed}." if changed else text)


def _blame_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--study", default="", metavar="S", help="study whose votes turned out bad")
    which = parser.add_mutually_exclusive_group(required=True)
    for kind in KINDS:
        which.add_argument(f"--{kind}", metavar="X", help=f"the votes of this {kind}")
    which.add_argument("--version", metavar="DATASET@N", help="this version of a dataset")


def _blame(args: argparse.Namespace) -> dict[str, Any]:
    """What is blamed, as `undoing.Blame` names it."""
    if args.version:
        dataset, _, number = args.version.rpartition("@")
        if not dataset or not number.isdecimal():
            raise BadInput(f'"{args.version}" names no version; write it as DATASET@N, such as facts@2.')
        return {"kind": "version", "dataset": dataset, "number": int(number)}
    kind = next(kind for kind in KINDS if getattr(args, kind) is not None)
    return {"kind": kind, "study": args.study, "value": getattr(args, kind)}


def _touched(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.touched(**_blame(args))
    lines = table(data["touched"], ("model", "how")) if data["touched"] else f"No model learnt from {data['blame']}."
    return Outcome(data, lines)


def _retrain_flags(parser: argparse.ArgumentParser) -> None:
    _blame_flags(parser)
    parser.add_argument("--reason", default="", help="why the votes are left out; kept for good")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _retrain(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.retrain(args.reason, args.dry_run, **_blame(args))
    jobs = ", ".join(str(number) for number in data["jobs"])
    done = f"queued as {jobs}" if jobs else "to be queued" if args.dry_run else "nothing is left to train"
    phases = ", ".join(phase["method"] for phase in data["phases"]) or "none"
    return Outcome(data, f"From {data['start']}: {phases}; {done}.")


VERBS = (
    Verb("rounds", "show the rounds, how each model stands, and the champion", no_flags, _rounds),
    Verb("promote", "make the candidate the champion, where the gate lets it pass", _promote_flags, _promote),
    Verb("rollback", "make the champion before this one champion again", _rollback_flags, _rollback),
    Verb("report", "tell a round to people who were not there, as a file for screen and paper", _report_flags, _report),
    Verb("replay", "run a round again from its frozen inputs, and compare", _replay_flags, _replay),
    Verb("touched", "list the models that learnt from votes or rows that turned out bad", _blame_flags, _touched),
    Verb("retrain", "leave bad votes or rows out, and train the line again without them", _retrain_flags, _retrain),
    Verb("gate", "say what stands between the candidate and the championship", _gate_flags, _gate),
)
