"""Verbs about what is kept: export-model, evaluate, disk, clean."""

import argparse
from typing import Any

from storage.leaving import FORMS
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count, no_flags, table


def _export_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model to write")
    told = "; ".join(f"{name}: {what}" for name, what in FORMS.items())
    parser.add_argument("--as", dest="form", choices=tuple(FORMS), required=True, help=told)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", help="folder that does not exist yet")
    where.add_argument("--to-hub", metavar="OWNER/NAME", help="model on the Hugging Face Hub to write, with its card")
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--private", action="store_true", default=True, help="only its owner sees it (the default)")
    seen.add_argument("--public", dest="private", action="store_false", help="let everybody see it on the Hub")
    parser.add_argument("--licence", default="", metavar="L", help="licence for the card, such as apache-2.0")


def _export(studio: Studio, args: argparse.Namespace) -> Outcome:
    if args.to_hub:
        data = studio.push_model(args.model, args.form, args.to_hub, private=args.private, licence=args.licence)
    else:
        data = studio.export_model(args.model, args.form, args.out, args.licence)
    return Outcome(data, f"{data.get('url') or data['path']}: {megabytes(data['bytes'])}; {_tested(data['self_test'])}")


def _tested(found: dict[str, Any]) -> str:
    """What the self-test found."""
    read = "" if found["tensors"] is None else f"{found['tensors']} tensors are the model's; "
    if found["agreement"] is None:
        return f"{read}nothing here can ask it (pip install 'ratchet-studio[gguf]')"
    same = f"{found['same_answers']} of {found['prompts']} answers are the same"
    return f"{read}{same}, {found['agreement']:.1%} of the tokens"


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
