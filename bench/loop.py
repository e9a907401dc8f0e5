"""From the last of 40 votes to the first token of the model that was trained on them, on the starter model.

    python -m bench.loop [--small]

Ours: `ratchet serve` with all its processes. The starter answers its questions twice, a person prefers the shorter
answer, and with the last vote presses Train (DPO, as advised); when the job is done, a question is asked in Compare and
the clock stops when both models have begun to answer. All of it over HTTP, as the pages ask. What lies in between: the
vote, the rows frozen, the run with its probe and its evaluation, the model registered and loaded by the engine.

The baseline does the bare minimum of it in a script of torch and PEFT: the same pairs, steps, batch and reference, the
adapter saved, the first token of one answer. Two ratios tell how much longer ours takes: against the whole script, from
its start, and against its training steps alone, with everything else (imports, loading, saving, answering) for
nothing. Goals: 10 seconds; 1.5 times the script.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.button import STARTER, Site, asked, events, spoken, studio, wait_for

BASELINE = Path(__file__).parent / "baselines" / "bare_dpo.py"
TURNS = 3
VOTES = 40
GOAL = 10.0
GOAL_RATIO = 1.5
STUDY = "first-look"
QUESTION = "What is the capital of Italy?"


class Loop(NamedTuple):
    """Seconds from the last vote on. `began`: the run's first step is done; `done`: the job; `token`: both answer."""

    began: float
    done: float
    token: float


class Bare(NamedTuple):
    """Seconds of the script: all of it to the first token, and its training steps alone."""

    token: float
    steps: float


def run(turns: int = TURNS, votes: int = VOTES) -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    ours, bare = [], []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as folder:
            with studio(Path(folder)) as site:
                loop, job = turn(site, votes)
            ours.append(loop)
            bare.append(script(Path(folder), site.home / "runs" / job))
    mine = Loop(*(round(statistics.median(values), 3) for values in zip(*ours, strict=True)))
    theirs = Bare(*(round(statistics.median(values), 3) for values in zip(*bare, strict=True)))
    ratios = [
        {"against": "goal, seconds", "value": mine.token, "goal": GOAL, "better": "lower"},
        {"against": "a bare script from its start to the first token", "value": round(mine.token / theirs.token, 2),
         "goal": GOAL_RATIO, "better": "lower"},
        {"against": "its training steps alone", "value": round(mine.token / theirs.steps, 2), "goal": GOAL_RATIO,
         "better": "lower"},
    ]  # fmt: skip
    return {
        "name": "loop",
        "votes": votes,
        "ours": {**mine._asdict(), "turns": [one._asdict() for one in ours]},
        "baselines": {"bare script": {**theirs._asdict(), "turns": [one._asdict() for one in bare]}},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": all(one["value"] <= one["goal"] for one in ratios),
    }


def turn(site: Site, votes: int) -> tuple[Loop, str]:
    """Vote, train, ask; the times and the job's id."""
    judge = Judge(site)
    while judge.given < votes - 1:
        judge.vote()
    request = {"method": "dpo", "base": "starter", "votes": "majority", "study": STUDY}
    asked(site.http.post("/api/jobs/plan", json=request))  # the form has asked by the time that somebody presses
    judge.next()
    begun = time.time()
    judge.vote()
    job = str(asked(site.http.post("/api/jobs", json=request))["job"])
    report = wait_for(lambda: _ended(site, job), "the end of the training")
    done = time.time()
    if report["status"] != "done":
        raise RuntimeError(f"The training is {report['status']}: {report['error']}")
    pair = asked(site.http.post("/api/compare/prompt", json={"study": report["compare"], "prompt": QUESTION}))["pair"]
    token = first_tokens(site, pair["comparison"])
    step = next(float(one["t"]) for one in events(site.home, job) if one["kind"] == "metric" and "loss" in one)
    return Loop(step - begun, done - begun, token - begun), job


def _ended(site: Site, job: str) -> dict[str, Any] | None:
    time.sleep(0.02)
    report = asked(site.http.get(f"/api/jobs/{job}"))
    return report if report["status"] in ("done", "failed", "stopped") else None


class Judge:
    """A person who prefers the shorter answer."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.given = 0
        self._ahead: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any]:
        """The pair that is before them, answered."""
        while not self._ahead:
            sitting = asked(self.site.http.get(f"/api/compare/next?study={STUDY}"))
            self._ahead = [pair for pair in sitting["pairs"] if pair["state"] == "ready"]
            time.sleep(0 if self._ahead else 0.05)
        return self._ahead[0]

    def vote(self) -> None:
        """Vote on it: where both answers are alike it is a tie, which does not count here."""
        pair = self.next()
        left, right = (len(side["text"]) for side in pair["sides"])
        choice = "tie" if left == right else "left" if left < right else "right"
        asked(self.site.http.post("/api/compare/vote", json={
            "id": os.urandom(12).hex(), "study": STUDY, "comparison": pair["comparison"], "choice": choice,
            "seconds": 1.0, "shown": [side["sha256"] for side in pair["sides"]],
        }))  # fmt: skip
        self._ahead.clear()
        self.given += choice != "tie"


def first_tokens(site: Site, comparison: str) -> float:
    """When every side of a comparison had begun to answer."""
    begun: set[int] = set()
    with site.http.stream("GET", f"/api/compare/stream/{comparison}") as response:
        for event in _told(response.iter_lines()):
            if event["kind"] == "text":
                begun |= {at for at, added in enumerate(event["add"]) if added}
                if len(begun) == len(event["add"]):
                    return time.time()
            if event["kind"] == "done":
                return time.time()  # so short an answer that it came whole
    raise RuntimeError("The stream of the answers broke off.")


def _told(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def script(folder: Path, run_folder: Path) -> Bare:
    """Train on the very rows of our run with the baseline."""
    from storage.runs import thaw_rows

    spec = json.loads((run_folder / "spec.json").read_text(encoding="utf-8"))
    steps = sum(1 for one in _events(run_folder) if one["kind"] == "metric" and "loss" in one)
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(_plain(row)) + "\n" for row in thaw_rows(run_folder / "data.parquet")))
    options = spec["options"]
    settings = {
        "batch_size": options["batch_size"], "steps": steps, "learning_rate": options["learning_rate"],
        "beta": options["beta"], "seed": spec["seed"], "threads": spec["threads"], "prompt": QUESTION,
        "output": str(folder / "bare"),
    }  # fmt: skip
    begun = time.time()
    told = json.loads(spoken([str(BASELINE), str(STARTER / "model"), str(pairs), json.dumps(settings)]))
    return Bare(told["answered"] - begun, told["trained"] - told["loaded"])


def _events(run_folder: Path) -> list[dict[str, Any]]:
    return events(run_folder.parents[1], run_folder.name)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the script reads it: the prompt's messages, and both answers as text."""
    sides = {name: json.loads(row[name])[-1]["content"] for name in ("chosen", "rejected")}
    return {"prompt": json.loads(row["prompt"]), **sides}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.loop", description="From the last vote to the new model.")
    parser.add_argument("--small", action="store_true", help="one turn and few votes, to see that it works")
    small = parser.parse_args().small
    print(json.dumps(run(1, 12) if small else run(), indent=1))
