"""Rows of an earlier dataset mixed into those to learn, so that what was learnt before is not forgotten."""

import random
from typing import Any

from storage.runs import thaw_rows
from storage.specs.replaying import replayed_rows
from trainers.run import Run

Row = dict[str, Any]


def with_replay(run: Run, rows: list[Row], earlier: list[Row] | None = None) -> list[Row]:
    """The rows with the share of `replay.parquet` behind them that the options ask for; says how many.

    Which ones follows from the seed: as many different ones as there are, then again from the first. `earlier`: the
    rows to draw from instead of the file's.
    """
    path = run.folder / "replay.parquet"
    share = run.options.replay_share
    if earlier is None:
        earlier = thaw_rows(path) if path.is_file() else []
    if not earlier or not rows or not share:
        return rows
    order = random.Random(run.options.seed).sample(range(len(earlier)), len(earlier))
    count = replayed_rows(len(rows), share)
    drawn = [earlier[order[at % len(order)]] for at in range(count)]
    run.say(f"{count} of {len(rows) + count} rows come from the replay dataset, which holds {len(earlier)}.")
    return [*rows, *drawn]
