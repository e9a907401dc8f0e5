"""What a search finds on the starter: options whose held-out loss is below that of its median trial.

Real trials by a real worker: each an SFT run of the product on facts that nobody knew, in wordings that others do not
have; those wordings of them that are held out measure.
"""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from storage.home import Home
from storage.models import add_model
from storage.searches import SEARCH_ENDED
from storage.store import Store
from studio.training.request import Request
from studio.training.searching import Wish, begin_search, report_search
from tests.studio.training.project import add_dataset
from tests.trainers import building, loop

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"
TRIALS = 6


def searched(
    folder: Path, base: Path = STARTER, trials: int = TRIALS, steps: int = 30, sampler: str = "tpe"
) -> dict[str, Any]:
    """Search over step size and rank; the held-out losses of the median and of the best trial."""
    store = Store.open(Home(folder / "home"))
    add_model(store, "starter", "base", path=str(base), base_sha256="b" * 64, parameters=3_000_000)
    rows = [row for seed in (0, 1) for row in loop.badges(seed).rows]
    add_dataset(store, "badges", "sft", [{"messages": json.loads(row["messages"])} for row in rows])
    space = "learning_rate=1e-5..1e-2,lora_r=4|16" if sampler == "tpe" else "learning_rate=1e-5..1e-2,warmup=0..0.5"
    wish = Wish(trials, sampler, space, name="tries")
    request = Request("sft", "starter", dataset="badges", options={"max_steps": steps})
    search = begin_search(store, request, wish)
    deadline = time.monotonic() + building.TIMEOUT * trials
    while (report := report_search(store, search.id))["state"] not in SEARCH_ENDED:
        assert time.monotonic() < deadline, report
        time.sleep(0.2)
    losses = [trial["values"]["held_out_loss"] for trial in report["trials"]]
    best = report["best"]["values"]["held_out_loss"] if report["best"] else None
    return {
        "measure": f"held-out loss of the best of {len(losses)} trials, against their median",
        "better": "lower",
        "before": report["median"],
        "after": best,
        "losses": losses,
        "report": report,
        "met": best is not None and best < report["median"],
    }


def _effect(sampler: str) -> Callable[[Path], dict[str, Any]]:
    def effect(folder: Path) -> dict[str, Any]:
        return {name: value for name, value in searched(folder, sampler=sampler).items() if name != "report"}

    return effect


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    f"search/{sampler}": _effect(sampler) for sampler in ("tpe", "cmaes", "nsga2")
}
