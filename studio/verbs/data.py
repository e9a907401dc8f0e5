"""Verbs about data: import, datasets, show, freeze."""

import argparse
import sys
from pathlib import Path

from storage.errors import RatchetError
from studio.curation.reports import refused
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count, key_value, no_flags, table, visible


def _import_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="JSONL, JSON, CSV, TSV, Parquet, Arrow, XLSX or text, also .gz and .zip")  # fmt: skip
    parser.add_argument("--dataset", required=True, metavar="NAME", help="dataset to import into; made if absent")
    parser.add_argument("--kind", choices=("sft", "preference", "prompts", "text"), help="kind of rows, if unsure")
    parser.add_argument("--map", action="append", type=key_value, default=[], metavar="COL=ROLE",
                        help="column = role (prompt, answer, system, chosen, rejected, text …)")  # fmt: skip
    parser.add_argument("--encoding", metavar="NAME", help="how the text is written (default: detected)")


def _import(studio: Studio, args: argparse.Namespace) -> Outcome:
    try:
        data = studio.import_files(
            args.files, args.dataset, kind=args.kind, mapping=dict(args.map) or None, encoding=args.encoding
        )
    except RatchetError as error:  # a report says it as well, so that programs find what they always find
        print(visible(str(error)), file=sys.stderr)
        return Outcome(refused([file.name for file in args.files], args.dataset, str(error)).to_json(), "", 1)
    files = data.get("files", [data])
    lines = []
    for report in files:  # an archive gives more reports than there are arguments
        lines.append(f"{report['file']}: {_import_line(report)}")
        lines += [f"  {_place(error)}{error['message']}" for error in report["errors"][:5] if report["read"]]
    if any(report["imported"] or _known(report) for report in files):
        return Outcome(data, visible("\n".join(lines)))
    print(visible("\n".join(f"{report['file']}: {report['sentence']}" for report in files)), file=sys.stderr)
    return Outcome(data, "", 1)


def _place(error: dict[str, object]) -> str:
    """Where a row is wrong: "line 3, messages[1].role: "."""
    said = [f"line {error['line']}"] * (error["line"] is not None) + [str(error["column"])] * bool(error["column"])
    return f"{', '.join(said)}: " if said else ""


def _known(report: dict[str, object]) -> bool:
    """Whether nothing was imported because everything was there already, which is no failure."""
    return bool(report["duplicates"]) and not report["imported"]


def _import_line(report: dict[str, object]) -> str:
    if not report["read"]:
        return str(report["sentence"])
    return (
        f"{report['read']} read, {report['imported']} imported into {report['dataset']} ({report['kind']}), "
        f"{report['duplicates']} there already, {report['rejected']} rejected"
    )


def _datasets(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.datasets()
    return Outcome(data, table(data["datasets"], ("name", "kind", "rows")))


def _show_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="dataset")
    parser.add_argument("--search", default="", metavar="Q", help="words that must occur")
    parser.add_argument("--limit", type=count, default=25, metavar="N", help="rows at most (default 25)")
    parser.add_argument(
        "--sort", default="", metavar="BY", help="number, chars, turns or changed; --sort=-chars: longest first"
    )
    parser.add_argument("--tag", action="append", default=[], metavar="TAG", help="a tag that rows must have")
    for name, help_text in _FILTERS.items():
        parser.add_argument(f"--{name}", metavar=name.upper(), help=help_text)


# The filters of the table (studio/curation/filters.py), as flags.
_FILTERS = {
    "status": "draft, approved, rejected or deleted; several with commas",
    "split": "train or measure",
    "role": "system, user, assistant, tool or 'tool calls'",
    "chars": "length in characters, such as 10-200, 10- or -200",
    "turns": "number of turns, a range",
    "tokens": "number of tokens, a range, where they were counted",
    "tokenizer": "which tokenizer counted",
    "source": "id of an import",
    "finding": "name of a check that found something",
    "author": "who changed the row last",
    "since": "changed on this day or later, such as 2026-01-31",
    "until": "changed on this day or before",
}


def _show(studio: Studio, args: argparse.Namespace) -> Outcome:
    import json

    filters = {name: value for name in _FILTERS if (value := getattr(args, name)) is not None}
    data = studio.show(args.name, search=args.search, limit=args.limit, sort=args.sort, tag=args.tag, **filters)
    return Outcome(data, "\n".join(json.dumps(row, ensure_ascii=True) for row in data["rows"]))


def _freeze_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="dataset")


def _freeze(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.freeze(args.name)
    return Outcome(data, f"version {data['version']}: {data['rows']} rows, {data['sha256'][:12]}")


VERBS = (
    Verb("import", "bring files into a dataset", _import_flags, _import),
    Verb("datasets", "list the datasets", no_flags, _datasets),
    Verb("show", "print the rows of a dataset", _show_flags, _show),
    Verb("freeze", "freeze a dataset into a version", _freeze_flags, _freeze),
)
