"""What preference methods do to the starter: somebody likes terse answers, and the model becomes terse.

Answers of the starter to training prompts are judged by one rule, the terse one is better; the run learns from that;
then the share of terse answers on held-out prompts is measured, and how many of the answers are right.
"""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from storage.specs import cpo, dpo
from storage.specs.advice import advise
from storage.weights import count_weights
from tests.trainers import building, loop

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"
VOTES = 40
RISES_BY, COSTS_AT_MOST = 0.2, 0.1  # share of terse answers, share of right ones; three seeds moved it by 0.31 to 0.41


class Scene(NamedTuple):
    """Votes for terse answers, prompts that measure, and what the starter says to them before any training."""

    votes: list[dict[str, Any]]
    held_out: list[str]
    before: loop.Answers


@functools.cache
def scene(seed: int = 0) -> Scene:
    """The same for every method, made once."""
    model, tokenizer = loop.load(STARTER)
    prompts = loop.split_prompts(seed)
    votes = loop.votes_for_terse(model, tokenizer, prompts.voted, VOTES, seed)
    return Scene(votes, prompts.held_out, loop.measure(model, tokenizer, prompts.held_out, seed))


def thumbs(votes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same votes as single answers: one up, one down."""
    return [
        {"id": f"{vote['id']}-{side}", "prompt": vote["prompt"], "completion": vote[side], "label": side == "chosen"}
        for vote in votes
        for side in ("chosen", "rejected")
    ]


def style(folder: Path, method: str, seed: int = 0, **own: Any) -> dict[str, Any]:
    """Train on the votes with the advised options and `own` ones; the share of terse answers before and after."""
    stage = scene(seed)
    rows = thumbs(stage.votes) if method == "kto" else stage.votes
    advised = advise(method, count_weights(STARTER), len(rows)).options
    building.make_run(folder, method, STARTER, rows, options={**advised, "seed": seed, **own})
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    after = loop.measure(*loop.load(STARTER, folder / "adapter"), stage.held_out, seed + 1)
    first, *_, last = [event for event in building.events(folder, "metric") if "loss" in event]
    return {
        "measure": "share of terse answers on held-out prompts",
        "better": "higher",
        "before": round(stage.before.terse, 4),
        "after": round(after.terse, 4),
        "correct_before": round(stage.before.correct, 4),
        "correct_after": round(after.correct, 4),
        "empty": after.empty,
        "first_loss": first["loss"],
        "margin": last.get("rewards/margins"),
        "met": after.terse >= stage.before.terse + RISES_BY
        and after.correct >= stage.before.correct - COSTS_AT_MOST
        and not after.empty,
    }


def _effect(method: str, **own: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: style(folder / "run", method, **own)


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    **{f"dpo/{loss}": _effect("dpo", loss_type=loss) for loss in dpo.LOSSES},
    **{f"kto/{loss}": _effect("kto", loss_type=loss) for loss in ("kto", "apo_zero_unpaired")},
    "orpo": _effect("orpo"),
    **{f"cpo/{loss}": _effect("cpo", loss_type=loss) for loss in cpo.LOSSES},
}
