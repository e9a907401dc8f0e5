"""What to try where a run failed: other options by the kind of failure, as the buttons beside its sentence.

A retry without options goes on with the same job from its newest whole checkpoint; one with options starts another.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Retry = dict[str, Any]  # {label, options}
Options = Mapping[str, Any]

_SHORTEST = 64  # tokens; shorter rows teach little


def retries(kind: str, options: Options) -> list[Retry]:
    """The retries that are safe after a failure of this kind, the best first; none where a person must act first."""
    return [found for offer in _OFFERS.get(kind, ()) if (found := offer(options)) is not None]


def _go_on(_: Options) -> Retry:
    return {"label": "Go on from the last checkpoint", "options": {}}


def _again(_: Options) -> Retry:
    return {"label": "Try again", "options": {}}


def _half_the_batch(options: Options) -> Retry | None:
    group = int(options.get("answers", 1))  # answers to one prompt stay together
    half = int(options.get("batch_size", 1)) // 2 // group * group
    return {"label": "Retry with half the batch", "options": {"batch_size": half}} if half else None


def _shorter_rows(options: Options) -> Retry | None:
    length = int(options.get("max_length", 0)) // 2
    if length < _SHORTEST:
        return None
    return {"label": f"Retry with rows cut at {length} tokens", "options": {"max_length": length}}


def _smaller_steps(options: Options) -> Retry | None:
    rate = float(options.get("learning_rate", 0.0)) / 10
    if rate < 1e-8:
        return None
    return {"label": "Retry with a tenth of the step size", "options": {"learning_rate": float(f"{rate:.3g}")}}


def _larger_steps(options: Options) -> Retry | None:
    rate = float(options.get("learning_rate", 0.0)) * 3
    if not 0 < rate <= 0.1:
        return None
    return {"label": "Retry with three times the step size", "options": {"learning_rate": float(f"{rate:.3g}")}}


_OFFERS: Mapping[str, tuple[Callable[[Options], Retry | None], ...]] = MappingProxyType(
    {
        "out-of-memory": (_half_the_batch, _shorter_rows),
        "killed": (_go_on, _half_the_batch),
        "vanished": (_go_on,),
        "disk-full": (_go_on,),
        "no-network": (_again,),
        "loss-not-finite": (_smaller_steps,),
        "not-finite": (_smaller_steps,),
        "no-change": (_larger_steps,),
    }
)
