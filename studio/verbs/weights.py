"""Verbs about weights: mix-models, propose."""

import argparse

from storage.blends import HOWS
from studio.studio import Studio
from studio.verbs.verb import Outcome, Verb, count


def _weights(words: str) -> tuple[float, ...]:
    """Numbers from `0.7,0.3`; argparse reports anything else as wrong use."""
    try:
        return tuple(float(word) for word in words.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{words}" is no list of weights such as 0.7,0.3') from None


def _mix_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("models", nargs="+", metavar="MODEL", help="adapters on one base")
    parser.add_argument("--name", required=True, metavar="N", help="name of the mixture")
    told = "; ".join(f"{name}: {what}" for name, what in HOWS.items())
    parser.add_argument("--how", choices=tuple(HOWS), default="cat", help=f"default: cat. {told}")
    parser.add_argument("--weights", type=_weights, default=(), metavar="W,W", help="one a model (default: all alike)")
    parser.add_argument("--density", type=float, default=0.5, metavar="D", help="share that ties and dare keep (0.5)")
    parser.add_argument("--seed", type=count, default=0, metavar="N", help="for what dare drops")


def _mix(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.mix_models(args.models, args.name, args.how, args.weights, args.density, args.seed)
    said = f'"{data["model"]}" is mixed (rank {data["rank"]}).'
    stands = f" It is the candidate of round {data['round']}; vote in {data['study']}." if data["round"] else ""
    stays = f" It is no candidate yet. {data['stays']}" if data["stays"] else ""
    return Outcome(data, said + stands + stays)


def _propose_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="model that no round has set against the champion")


def _propose(studio: Studio, args: argparse.Namespace) -> Outcome:
    data = studio.propose(args.model)
    return Outcome(data, f'"{data["model"]}" is the candidate of round {data["round"]}; vote in {data["study"]}.')


VERBS = (
    Verb("mix-models", "mix adapters into one, and put it before the gate", _mix_flags, _mix),
    Verb("propose", "put a model before the gate, against today's champion", _propose_flags, _propose),
)
