"""Training of a LoRA: the product's own runs against plain TRL scripts with their defaults, and loops by hand.

    python -m bench.train [--only sft|dpo|mixed|looks] [--small]     # --small: a toy model, to see that it works

A random model of about 90M weights on the processor, rank 16 on all linear layers:

* `sft`: equal rows, 4 of 256 tokens a step, all of them learnt: tokens a second, the loss of every step, which must
  agree, the peak of the memory (ours keeps activations that TRL's default computes twice), and the share of the
  training phase that is not spent in forward, backward and optimiser.
* `dpo`: 4 pairs a step, 2 x 256 tokens each, of which 80 are the prompt; a fresh adapter, whose reference is the base,
  and one of a round before, whose reference is its copy. Two epochs: in the second one our reference is known. Speeds
  are of the first one, and of three epochs, our default, reckoned from both.
* `mixed`: rows of mixed length (log-normal, most short, as in chats; 8 a step): tokens a second, fillers not counted.
* `looks`: the share of the training phase beside the steps where a tenth of 1,800 short rows is held out and looked at,
  as by default. Looks have a least cost, three times sixteen rows, which is a larger share of a shorter run. The
  sample answers that people read at a look (`asking`, within `looking`) cost a fixed time, and are told apart.

Each contender is a process of its own, taken in turns; the fastest turn counts, what other processes disturbed least.
Start and end of the process (imports, loading, saving, probing) are told apart: they cost the same for any length.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bench.contenders import (
    FULL,
    SMALL,
    Size,
    Turn,
    Work,
    make_adapter,
    make_base,
    mixed_talks,
    ours,
    pairs,
    plain,
    talk,
    tokens_in,
    write,
)

GOAL_TRL, GOAL_HAND, GOAL_MIXED, GOAL_BESIDE, GOAL_LOSS = 1.5, 0.9, 2.0, 0.03, 1e-3
PARTS = ("sft", "dpo", "mixed", "looks")
_TURNS_ALONE, _EPOCH = 3, 2  # turns where one part is asked for; steps of an epoch of `dpo`


class Told(NamedTuple):
    """What a part has found."""

    ours: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    ratios: list[dict[str, Any]]


def run(words: Sequence[str] = ()) -> dict[str, Any]:
    """Measure in turns; the shape of every bench."""
    given = _parser().parse_args(list(words))
    size = SMALL if given.small else FULL
    turns = 1 if given.small or not given.only else _TURNS_ALONE
    found: dict[str, Told] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder) / "base", size)
        for part in [given.only] if given.only else PARTS:
            found[part] = _MEASURES[part](base, size, turns)
    ratios = [ratio for told in found.values() for ratio in told.ratios]
    return {
        "name": "train",
        "model": f"{size.layers} layers of {size.hidden}, {size.words} words",
        "ours": {part: told.ours for part, told in found.items()},
        "baselines": {part: told.baselines for part, told in found.items()},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": all(one["value"] >= one["goal"] if one["better"] == "higher" else one["value"] <= one["goal"]
                   for one in ratios),
    }  # fmt: skip


def _sft(base: Path, size: Size, turns: int) -> Told:
    rows = write(base.parent / "equal.jsonl", [{"messages": talk(400, at)} for at in range(4)])
    work = Work(base, rows, 4, 256, size.steps)
    found = _taken(turns, {
        "ours": lambda: ours("sft", work, loss_on="all"),
        "trl": lambda: plain("trl_sft.py", work),
        "hand": lambda: plain("hand_loop.py", work),
    })  # fmt: skip
    speed = {name: 4 * 256 / min(statistics.median(one.seconds[2:]) for one in own) for name, own in found.items()}
    beside = min(turn.more["beside"] for turn in found["ours"])
    said = {name: _figures(own, speed[name]) for name, own in found.items()}
    return Told({**said.pop("ours"), "around": found["ours"][0].more["around"]}, said, [
        _ratio("SFT: TRL's defaults, tokens/s", speed["ours"] / speed["trl"], GOAL_TRL),
        _ratio("SFT: a loop by hand, tokens/s", speed["ours"] / speed["hand"], GOAL_HAND),
        _ratio("SFT: largest difference of a step's loss, relative", _apart(found), GOAL_LOSS, "lower"),
        _ratio("SFT: share of the training phase beside the steps", beside, GOAL_BESIDE, "lower"),
    ])  # fmt: skip


def _dpo(base: Path, size: Size, turns: int) -> Told:
    rows = write(base.parent / "pairs.jsonl", pairs(4 * _EPOCH, 77, 174))
    told = Told({}, {}, [])
    adapter = make_adapter(base.parent / "adapter", base)
    for start, previous in (("a fresh adapter", None), ("an adapter of a round before", adapter)):
        work = Work(base, rows, 4, 256, 2 * _EPOCH, previous, rate=2e-5)
        found = _taken(turns, {
            "ours": partial(ours, "dpo", work),
            "trl": partial(plain, "trl_dpo.py", work),
            "hand": partial(plain, "hand_dpo.py", work),
        })  # fmt: skip
        first, three = {}, {}
        for name, own in found.items():
            asked = min(min(turn.seconds[1:_EPOCH]) for turn in own)
            known = min(statistics.median(turn.seconds[_EPOCH:]) for turn in own)
            first[name], three[name] = 8 * 256 / asked, 8 * 256 / ((asked + 2 * known) / 3)
        said = {name: _figures(own, first[name]) | {"three_epochs": round(three[name], 1)}
                for name, own in found.items()}  # fmt: skip
        told.ours[start] = said.pop("ours")
        told.baselines.update({f"{name}, {start}": one for name, one in said.items()})
        told.ratios.extend([
            _ratio(f"DPO, {start}: TRL's defaults, tokens/s", first["ours"] / first["trl"], GOAL_TRL),
            _ratio(f"DPO, {start}: a loop by hand, tokens/s", first["ours"] / first["hand"], GOAL_HAND),
            _ratio(f"DPO, {start}: TRL's defaults, three epochs", three["ours"] / three["trl"], GOAL_TRL),
            _ratio(f"DPO, {start}: largest difference of a step's loss, relative", _apart(found), GOAL_LOSS, "lower"),
        ])  # fmt: skip
    return told


def _mixed(base: Path, size: Size, turns: int) -> Told:
    rows = write(base.parent / "mixed.jsonl", [{"messages": one} for one in mixed_talks(size.mixed_rows)])
    work = Work(base, rows, 8, 512, size.mixed_rows // 8)
    found = _taken(turns, {
        "grouped": lambda: ours("sft", work, loss_on="all"),
        "filled": lambda: ours("sft", work, loss_on="all", group_by_length=False),
        "trl": lambda: plain("trl_sft.py", work),
    })  # fmt: skip
    tokens = tokens_in(base, rows, 512)
    speed = {name: round(tokens / min(sum(turn.seconds) for turn in own), 1) for name, own in found.items()}
    return Told({"tokens_per_second": speed["grouped"]}, {
        "trl": {"tokens_per_second": speed["trl"]}, "without grouping": {"tokens_per_second": speed["filled"]},
    }, [
        _ratio("SFT, mixed lengths: TRL's defaults, tokens/s", speed["grouped"] / speed["trl"], GOAL_MIXED),
        _ratio("SFT, mixed lengths: ourselves without grouping", speed["grouped"] / speed["filled"], 1.0),
    ])  # fmt: skip


def _looks(base: Path, size: Size, turns: int) -> Told:
    rows = write(base.parent / "looked.jsonl", [{"messages": talk(30, at)} for at in range(size.looked_rows)])
    work = Work(base, rows, 8, 512, 9 * size.looked_rows // 80)
    turn = ours("sft", work, loss_on="all", held_out=0.1)
    shares = {name: round(turn.more[name], 4) for name in ("beside", "looking", "asking")}
    beside = turn.more["beside"] - turn.more["asking"]
    return Told(shares, {}, [
        _ratio("SFT: share beside the steps, rows held out, sample answers apart", beside, GOAL_BESIDE, "lower"),
    ])  # fmt: skip


_MEASURES: dict[str, Callable[[Path, Size, int], Told]] = {"sft": _sft, "dpo": _dpo, "mixed": _mixed, "looks": _looks}


def _figures(own: list[Turn], speed: float) -> dict[str, Any]:
    return {"tokens_per_second": round(speed, 1), "peak_mb": round(_peak(own) / 2**20), "losses": own[0].losses}


def _peak(own: list[Turn]) -> int:
    return min(turn.peak for turn in own)


def _ratio(against: str, value: float, goal: float, better: str = "higher") -> dict[str, Any]:
    return {"against": against, "value": float(f"{value:.3g}"), "goal": goal, "better": better}


def _apart(found: dict[str, list[Turn]]) -> float:
    """The largest relative difference between our loss of a step and another's."""
    return max(
        abs(mine - theirs) / abs(theirs)
        for name in found.keys() - {"ours"}
        for mine, theirs in zip(found["ours"][0].losses, found[name][0].losses, strict=True)
    )


def _taken(turns: int, contenders: dict[str, Callable[[], Turn]]) -> dict[str, list[Turn]]:
    """Every contender in turn, so many times."""
    found: dict[str, list[Turn]] = {name: [] for name in contenders}
    for number in range(turns):
        for name, contend in contenders.items():
            print(f"turn {number + 1} of {turns}: {name} …", file=sys.stderr, flush=True)
            found[name].append(contend())
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.train", description="Training against TRL and by hand.")
    parser.add_argument("--small", action="store_true", help="a toy model and few steps, to see that it works")
    parser.add_argument("--only", choices=PARTS, help="one part, with more turns")
    return parser


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1:]), indent=1))
