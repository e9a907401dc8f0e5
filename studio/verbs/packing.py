"""Verbs about a project as one file: backup, restore, pack, unpack."""

import argparse
from pathlib import Path
from typing import Any

from studio.studio import Studio
from studio.training.shaped import counted
from studio.verbs.verb import Outcome, Verb


def _out_flags(parser: argparse.ArgumentParser) -> None:
    said = "zip file to write; must not be there yet (default: backups/PROJECT-TIME.zip in the home)"
    parser.add_argument("out", type=Path, nargs="?", metavar="FILE", help=said)


def _backup(studio: Studio, args: argparse.Namespace) -> Outcome:
    return _written(studio.backup(args.out))


def _pack_flags(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    said = "zip file to write; must not be there yet (default: PROJECT-TIME.zip here)"
    where.add_argument("out", type=Path, nargs="?", metavar="FILE", help=said)
    where.add_argument("--to-hub", metavar="OWNER/NAME", help="dataset repository on the Hub to send it to")
    parser.add_argument("--public", action="store_true", help="let everybody see it on the Hub (default: private)")
    parser.add_argument("--with-bases", action="store_true", help="put bases that lie in the project in as well")


def _pack(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.to_hub:
        return _written(studio.pack_to_hub(args.to_hub, args.with_bases, private=not args.public))
    return _written(studio.pack(args.out, args.with_bases))


def _written(data: dict[str, Any]) -> Outcome:
    left = f" Left out: {', '.join(data['left_out'])}." if data["left_out"] else ""
    where = data.get("url") or data["path"]
    return Outcome(
        data, f"{where}: {counted(data['files'], 'file')}, {data['bytes'] / 1e6:.1f} MB before packing.{left}"
    )


def _in_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="what backup or pack wrote")
    _base_flag(parser)


def _unpack_flags(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("file", type=Path, nargs="?", metavar="FILE", help="what pack wrote")
    where.add_argument("--from-hub", metavar="OWNER/NAME", help="dataset repository on the Hub to fetch it from")
    _base_flag(parser)


def _base_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base", action="append", default=[], metavar="NAME=FOLDER", help="where a base is that the file leaves out"
    )


def _restore(studio: Studio, args: argparse.Namespace) -> Outcome:
    return _opened(studio.restore(args.file, args.base))


def _unpack(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.from_hub:
        return _opened(studio.unpack_from_hub(args.from_hub, args.base))
    return _opened(studio.unpack(args.file, args.base))


def _opened(data: dict[str, Any]) -> Outcome:
    missing = (
        f" Not here: {', '.join(data['missing'])}; their models answer once the folder of the weights is back."
        if data["missing"]
        else ""
    )
    counts = ", ".join(counted(data[f"{noun}s"], noun) for noun in ("dataset", "vote", "model"))
    return Outcome(data, f"{data['home']} holds the project now: {counts}.{missing}")


VERBS = (
    Verb("backup", "write everything to one file, while the project is in use", _out_flags, _backup),
    Verb("restore", "open a backup in an empty home", _in_flags, _restore),
    Verb("pack", "write the project to one file for others: no accounts, no secrets", _pack_flags, _pack),
    Verb("unpack", "open a pack in an empty home", _unpack_flags, _unpack),
)
