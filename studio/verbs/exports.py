"""The verb that takes data out: export, to a file or to the Hub."""

import argparse
import sys
from pathlib import Path

from studio.curation.export_formats import NAMES
from studio.curation.export_policies import POLICIES
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, visible


def _export_flags(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "policies, to be combined with commas:\n" + "\n".join(
        f"  {policy.name}  {policy.help}" for policy in POLICIES.values()
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="dataset")
    parser.add_argument("--study", metavar="S", help="export the votes of a study instead of a dataset")
    parser.add_argument("--version", metavar="V", help="frozen version by number (default: as it stands)")
    parser.add_argument("--format", required=True, metavar="F", help=", ".join(NAMES))
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, metavar="FILE", help="file to write: .jsonl, .json, .csv, .parquet (.gz)")
    where.add_argument("--hub", metavar="OWNER/NAME", help="dataset on the Hugging Face Hub to write, with a data card")
    parser.add_argument("--public", action="store_true", help="let everybody see it on the Hub (default: private)")
    parser.add_argument("--licence", default="", metavar="L", help="licence for the data card, such as cc-by-4.0")
    parser.add_argument("--policy", action="append", default=[], metavar="P", help="what goes in (see below)")


def _export(studio: Studio, args: argparse.Namespace) -> Outcome:
    what = {"format": args.format, "version": args.version, "policy": args.policy, "study": args.study}
    if args.hub:
        data = studio.export_to_hub(args.name, args.hub, private=not args.public, licence=args.licence, **what)
    else:
        data = studio.export(args.name, out=args.out, **what)
    if not data["rows"]:
        print(visible(data["sentence"]), file=sys.stderr)
        return Outcome(data, "", 1)
    dropped = ", ".join(f"{count} {reason}" for reason, count in data["dropped"].items()) or "none"
    where = data.get("url") or data["path"]
    return Outcome(data, visible(f"{data['rows']} rows written to {where}; left out: {dropped}"))


VERBS = (Verb("export", "write a dataset to a file or to the Hub", _export_flags, _export),)
