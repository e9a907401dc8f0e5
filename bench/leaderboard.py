"""The leaderboard of 100,000 votes on 20 models: seconds from the store to the whole answer, and from what is kept.

    python -m bench.leaderboard [--votes N] [--small]

The votes are drawn from a Davidson model with known strengths: half of the prompts were judged by one person, the
others by three. Ours reads them out of a store, fits, and works out all 190 anytime-valid intervals, circles and
counts; the second look takes what was kept, and after one more vote all is counted again. The baseline is what one
would write instead: the same table read with plain sqlite3, the Davidson likelihood given to scipy's BFGS with its
gradient, standard errors from its inverse Hessian; no intervals for pairs, no clusters. choix
(`choix.ilsr_pairwise`, no ties, no intervals) runs as well where it is installed (`baselines/rating_fits.py`). Each in
a process of its own, in turns, the best of three.
Goal: under 2 s.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.voted_study import fill

VOTES = 100_000
SMALL = 2_000
GOAL_SECONDS = 2.0
_ROUNDS = 3
_FITS = Path(__file__).parent / "baselines" / "rating_fits.py"


def run(votes: int = VOTES) -> dict[str, Any]:
    """Measure; the shape of every bench (`ratchet bench`)."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        strengths = _fill(home, votes)
        names = ["ours", "scipy", *(["choix"] if find_spec("choix") else [])]
        rounds = [(name, _measured(name, home)) for _ in range(_ROUNDS) for name in names]
    best = {name: min((one for got, one in rounds if got == name), key=lambda one: one["seconds"]) for name in names}
    ours = best.pop("ours")
    truth = [strengths[name] for name in sorted(strengths)]
    for one in (ours, *best.values()):
        found = one.pop("strengths")
        one["worst error"] = round(max(abs(found[name] - strengths[name]) for name in strengths), 3)
    ratios = [
        {"against": "goal, seconds", "value": ours["seconds"], "goal": GOAL_SECONDS, "better": "lower"},
        *({"against": name, "value": round(ours["seconds"] / one["seconds"], 2), "goal": None, "better": "lower"}
          for name, one in best.items()),
    ]  # fmt: skip
    return {
        "name": "leaderboard",
        "votes": votes,
        "models": len(truth),
        "ours": ours,
        "baselines": best,
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": ours["seconds"] <= GOAL_SECONDS,
    }


def _fill(home: Path, votes: int) -> dict[str, float]:
    """A store with votes; returns the strengths that they were drawn from."""
    from storage.home import Home
    from storage.store import Store

    store = Store.open(Home(home))
    filled = fill(store, votes, 0)
    store.close()
    return filled.strengths


def _measured(what: str, home: Path) -> dict[str, Any]:
    """One contestant in a process of its own."""
    ours = [sys.executable, "-m", "bench.leaderboard", "--ours", str(home)]
    command = ours if what == "ours" else [sys.executable, str(_FITS), what, str(home / "ratchet.db")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _ours(home: Path) -> dict[str, Any]:
    """The first look, a second one, and one after another vote."""
    from dataclasses import replace

    from storage.home import Home
    from storage.store import Store
    from storage.votes import cast, current_votes
    from studio.feedback.leaderboard import leaderboard

    store = Store.open(Home(home))
    study = store.value("select id from studies")
    template = current_votes(store, study, "person-1")[0]
    store.execute("delete from meta where key like 'leaderboard:%'")
    begun = time.perf_counter()
    board = leaderboard(store, "bench")
    first = time.perf_counter() - begun
    begun = time.perf_counter()
    leaderboard(store, "bench")
    again = time.perf_counter() - begun
    cast(store, replace(template, id=f"more-{time.time_ns()}"))
    begun = time.perf_counter()
    leaderboard(store, "bench")
    after = time.perf_counter() - begun
    return {"seconds": round(first, 3), "seconds_kept": round(again, 4), "seconds_after_a_vote": round(after, 3),
            "pairs": len(board.duels), "strengths": {one["name"]: one["strength"] for one in board.models}}  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The leaderboard of many votes.")
    parser.add_argument("--votes", type=int, default=VOTES)
    parser.add_argument("--small", action="store_true", help="a trial run of seconds")
    parser.add_argument("--ours", type=Path, metavar="HOME", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        print(json.dumps(_ours(given.ours)))
    else:
        print(json.dumps(run(SMALL if given.small else given.votes), indent=1))
