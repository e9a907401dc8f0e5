"""Verbs about models: models, model, add-model, endpoint-key, rename-model, archive-model, delete-model, usage."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from storage.errors import NotFound
from studio.clients.dialects import DIALECTS
from studio.studio import Studio
from studio.training.shaped import counted
from studio.training.templates import BUILT_IN
from studio.verbs.verb import Outcome, Verb, count, table, visible

_TERMS = ("key_env", "dialect", "at_once", "timeout", "price_in", "price_out", "serves")
_SPENT = ("model", "requests", "failures", "retries", "prompt_tokens", "completion_tokens", "cost")


def _models_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="also those that were put away, or deleted")


def _models(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.models(args.all)
    endpoints = [{**model, **model["usage"], "model": model["name"]} for model in data["models"] if "usage" in model]
    told = f"\n\n{table(endpoints, ('model', 'dialect', 'at_once', *_SPENT[1:]))}" if endpoints else ""
    warned = "".join(f"\n\nwarning: {model['warning']}" for model in data["models"] if "warning" in model)
    columns = ("name", "kind", "base", "parent", *(("state",) if args.all else ()))
    return Outcome(data, table([{**one, "state": _state(one)} for one in data["models"]], columns) + told + warned)


def _state(model: dict[str, Any]) -> str | None:
    return "deleted" if model["gone"] else "put away" if model["archived"] else None


def _model(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.model(args.model)
    stands, made = data["standing"], data["recipe"]
    lines = [
        ("model", f"{data['name']}{' (champion)' if data['champion'] else ''}"),
        ("kind", data["kind"]),
        ("line", " -> ".join(reversed(data["lineage"]))),
        ("made by", f"{made['title']}, job {made['number']}" if made else None),
        ("asked for by", data["author"]),
        (
            "won",
            f"{stands['win_rate']:.0%} against {data['against']} ({counted(stands['votes'], 'vote')})"
            if stands
            else None,
        ),
        ("gate", data["gate"]["reason"] if data["gate"] else None),
        ("options", ", ".join(f"{name}={value}" for name, value in made["options"].items()) if made else None),
        ("adapter", data["hashes"]["adapter"]),
        ("base", data["hashes"]["base"]),
        *(("needed", sentence) for sentence in data["needed"]),
    ]
    return Outcome(data, "\n".join(f"{name:14}{visible(str(said))}" for name, said in lines if said))


def _add_model_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="Hub id, folder, or address of an endpoint (http://…/v1#model)")
    parser.add_argument("--name", metavar="N", help="name (default: from REF)")
    parser.add_argument("--template", metavar="T", help="for a base without one: chatml, plain, or a file (Jinja)")
    parser.add_argument("--base", metavar="B", help="base here that an adapter lies on (default: as it says itself)")
    endpoint = parser.add_argument_group("endpoints")
    endpoint.add_argument("--key-env", metavar="VARIABLE", help="environment variable that holds its key")
    endpoint.add_argument("--key", action="store_true", help="ask for its key (or read standard input), and keep it")
    endpoint.add_argument("--dialect", choices=tuple(DIALECTS), help="what kind of server it is (default: openai)")
    endpoint.add_argument("--at-once", type=count, metavar="N", help="questions that it is asked at a time")
    endpoint.add_argument("--timeout", type=float, metavar="SECONDS", help="how long it may be silent")
    endpoint.add_argument("--price-in", type=float, metavar="P", help="price of a million tokens read")
    endpoint.add_argument("--price-out", type=float, metavar="P", help="price of a million tokens written")
    endpoint.add_argument("--serves", metavar="BASE", help="a base of ours that it holds: adapters answer from there")


def _add_model(studio: Studio, args: argparse.Namespace) -> Outcome:
    terms: dict[str, Any] = {name: getattr(args, name) for name in _TERMS}
    if args.key:
        terms["key"] = read_key(args.ref)
    data = studio.add_model(args.ref, name=args.name, template=_template(args.template), base=args.base, **terms)
    added = data["models"][-1]
    return Outcome(data, f'model "{added["name"]}" added')


def read_key(whose: str) -> str:
    """A key from the terminal, unseen, or one line of standard input; never an argument, which others could read."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return getpass.getpass(f"Key of {visible(whose)}: ").strip()


def _endpoint_key_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="endpoint by name")
    parser.add_argument("--remove", action="store_true", help="keep no key of it any more")


def _endpoint_key(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.endpoint_key(args.model, None if args.remove else read_key(args.model))
    kept = f"the key of {args.model} is kept in {data['path']}" if data["kept"] else f"no key of {args.model} is kept"
    return Outcome(data, kept)


def _template(wish: str | None) -> str | None:
    """The name of a template that is offered, or the text of a file; raises NotFound, BadInput."""
    if wish is None or wish in BUILT_IN:
        return wish
    try:
        return Path(wish).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NotFound(f'"{wish}" is neither chatml nor plain nor a readable file ({error}).') from error


def _usage_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--days", type=count, default=30, metavar="N", help="days to tell one by one (default: 30)")


def _usage(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.usage(args.days)
    if not data["usage"]:
        return Outcome(data, "no endpoint was asked yet")
    return Outcome(data, f"{table(data['usage'], _SPENT)}\n\n{table(data['days'], ('day', *_SPENT))}")


def _named(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model by name")


def _rename_flags(parser: argparse.ArgumentParser) -> None:
    _named(parser)
    parser.add_argument("name", metavar="NAME", help="the new name; the old one still finds it")


def _rename(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.rename_model(args.model, args.name)
    return Outcome(data, f'"{data["was"]}" is now "{data["model"]}".')


def _archive_flags(parser: argparse.ArgumentParser) -> None:
    _named(parser)
    parser.add_argument("--back", action="store_true", help="take it back")


def _archive(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.archive_model(args.model, args.back)
    return Outcome(data, f'"{data["model"]}" is {"put away" if data["archived"] else "offered again"}.')


def _delete(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.delete_model(args.model)
    if data["stays"]:
        return Outcome(data, visible(f'"{data["model"]}" is forgotten here; {data["stays"]} stays as it is.'))
    return Outcome(data, f'The weights of "{data["model"]}" are deleted; {data["freed"] / 1e6:.1f} MB are free.')


VERBS = (
    Verb("models", "list the models", _models_flags, _models),
    Verb("model", "show all that is known of a model", _named, _model),
    Verb("add-model", "add a base, an adapter or an endpoint", _add_model_flags, _add_model),
    Verb("endpoint-key", "keep another key of an endpoint, or none", _endpoint_key_flags, _endpoint_key),
    Verb("rename-model", "give a model another name", _rename_flags, _rename),
    Verb("archive-model", "put a model away, or take it back", _archive_flags, _archive),
    Verb("delete-model", "delete a model's weights, or forget an endpoint or a folder", _named, _delete),
    Verb("usage", "say what endpoints were asked, and what it cost", _usage_flags, _usage),
)
