"""What preference methods do to the starter: somebody likes terse answers, and the model becomes terse.

Answers of the starter to training prompts are judged by one rule, the terse one is better; the run learns from that;
then the share of terse answers on held-out prompts is measured, and how many of the answers are right.
"""

import functools
import json
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


ROUNDS, VOTES_OF_A_ROUND = 3, 24


def rounds(folder: Path, seed: int = 0) -> dict[str, Any]:
    """Three rounds of DPO, each on votes on the answers of the model before, and held against that model."""
    prompts, held_out = scene(seed).votes, scene(seed).held_out
    asked = list(dict.fromkeys(json.loads(vote["prompt"])[0]["content"] for vote in prompts))
    shares, differences = [scene(seed).before], []
    previous: Path | None = None
    for number in range(1, ROUNDS + 1):
        votes = loop.votes_for_terse(*loop.load(STARTER, previous), asked, VOTES_OF_A_ROUND, seed + number)
        again = previous is not None
        advised = advise("dpo", count_weights(STARTER), len(votes), continued=again, compared=again).options
        spec = {"adapter_path": str(previous)} if previous else {}
        run = building.make_run(folder / str(number), "dpo", STARTER, votes, options={**advised, "seed": seed}, **spec)
        assert building.run_trainer(run) == 0, building.log_of(run)
        told = building.events(run, "log")
        differences += [event["reference_difference"] for event in told if "reference_difference" in event]
        previous = run / "adapter"
        shares.append(loop.measure(*loop.load(STARTER, previous), held_out, seed + number))
    return {
        "measure": "share of terse answers after three rounds",
        "better": "higher",
        "before": round(shares[0].terse, 4),
        "after": round(shares[-1].terse, 4),
        "by_round": [round(one.terse, 4) for one in shares],
        "correct_before": round(shares[0].correct, 4),
        "correct_after": round(shares[-1].correct, 4),
        "empty": shares[-1].empty,
        "reference_differences": differences,
        "met": shares[-1].terse >= shares[0].terse + RISES_BY
        and shares[-1].correct >= shares[0].correct - COSTS_AT_MOST
        and differences == [0.0] * (2 * (ROUNDS - 1)),
    }


def _effect(method: str, **own: Any) -> Callable[[Path], dict[str, Any]]:
    return lambda folder: style(folder / "run", method, **own)


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    **{f"dpo/{loss}": _effect("dpo", loss_type=loss) for loss in dpo.LOSSES},
    "dpo/rounds": rounds,
    **{f"kto/{loss}": _effect("kto", loss_type=loss) for loss in ("kto", "apo_zero_unpaired")},
    "orpo": _effect("orpo"),
    **{f"cpo/{loss}": _effect("cpo", loss_type=loss) for loss in cpo.LOSSES},
}
