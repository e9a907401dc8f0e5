"""Verbs about what is kept: export-model, evaluate, disk, clean."""

import argparse

from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count, no_flags, table

_FORMS = ("adapter", "merged", "full")


def _export_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model to write")
    parser.add_argument(
        "--as", dest="form", choices=_FORMS, required=True,
        help="adapter: its files; merged: in its base, in the base's number format; full: merged, in float32",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", required=True, help="folder that does not exist yet")


def _export(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.export_model(args.model, args.form, args.out)
    test = data["self_test"]
    said = f"{test['same_answers']} of {test['prompts']} answers are the same, {test['agreement']:.1%} of the tokens"
    return Outcome(data, f"{data['path']}: {megabytes(data['bytes'])}; {said}")


def _evaluate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="base or adapter to measure")
    parser.add_argument("--tasks", metavar="A,B", required=True, help="tasks of lm-eval, such as arc_easy,hellaswag")
    parser.add_argument("--limit", type=count, metavar="N", help="examples of each task (default: all)")


def _evaluate(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.evaluate(args.model, [task for task in args.tasks.split(",") if task], args.limit)
    rows = [{"task": task, "measure": name, "value": value} for task, said in data["tasks"].items()
            for name, value in said.items()]  # fmt: skip
    return Outcome(data, table(rows, ("task", "measure", "value")))


def _disk(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.disk()
    rows = [{"what": one["name"], "size": megabytes(one["bytes"]), "may go": megabytes(one.get("freeable", 0)),
             "why the rest stays": one["needed"]} for one in [*data["runs"], *data["models"]]]  # fmt: skip
    total = f"{megabytes(data['total'])} in all, of which {megabytes(data['freeable'])} may go (`ratchet clean`)"
    return Outcome(data, f"{table(rows, ('what', 'size', 'may go', 'why the rest stays'))}\n{total}")


def _clean_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="ID", help="jobs to clean up after (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")


def _clean(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.clean(args.jobs, args.dry_run)
    word = "would be freed" if args.dry_run else "freed"
    return Outcome(data, "\n".join([*data["removed"], f"{megabytes(data['freed'])} {word}"]))


def megabytes(size: int) -> str:
    """Bytes for people, in MB (a million bytes)."""
    return f"{size / 1e6:.1f} MB"


VERBS = (
    Verb("export-model", "write a model to a folder, and test what was written", _export_flags, _export),
    Verb("evaluate", "run public benchmarks on a model (needs the extra lm-eval)", _evaluate_flags, _evaluate),
    Verb("disk", "show what runs and models take on the disk", no_flags, _disk),
    Verb("clean", "remove checkpoints and copies that nothing needs", _clean_flags, _clean),
)
