"""Trial runs of the measurements of votes: everything is counted, nothing is lost. No time is asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = {"name", "ours", "baselines", "ratios", "ratio", "met"}

pytestmark = pytest.mark.slow


def _trial(name: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--small"], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found.keys() >= KEYS
    assert found["name"] == name
    assert all(set(one) == {"against", "value", "goal", "better"} for one in found["ratios"])
    return found


def test_in_a_burst_no_vote_is_lost_or_doubled() -> None:
    found = _trial("burst")

    told = {name: found["ours"][name] for name in ("acknowledged", "rows", "lost", "doubled")}
    assert told == {"acknowledged": 400, "rows": 400, "lost": 0, "doubled": 0}
    assert (found["baselines"]["one bare insert a vote"]["rows"]) == 400


@pytest.mark.browser
@pytest.mark.torch
def test_votes_of_people_and_of_a_browser_are_all_in_the_store_beside_a_training() -> None:
    found = _trial("vote")

    assert found["ours"]["rows"] == found["ours"]["given"] > 0
    for side in (found["ours"], found["baselines"]["plain Gradio"]):
        for beside in ("alone", "while a job trains"):
            assert set(side[beside]) == {"1 people", "4 people", "painted"}
            assert (side[beside]["1 people"]["count"], side[beside]["4 people"]["count"]) == (8, 16)


@pytest.mark.browser
@pytest.mark.torch
def test_a_studio_at_work_is_watched_and_keeps_every_vote() -> None:
    found = _trial("soak")

    assert {"web", "engine", "worker"} <= found["ours"].keys()
    assert found["ours"]["votes"] == found["ours"]["did"]["votes"] > 0
    assert found["ours"]["did"]["trainings"] == 2
    assert all(found["ours"][name]["restarts"] == 0 for name in ("web", "engine", "worker"))
    assert found["baselines"]["plain Gradio"]["descriptors"] > 0


def test_what_grows_is_asked_of_every_size() -> None:
    found = _trial("growth")

    assert found["sizes"] == [500, 2000]
    assert found["baselines"]["500 rows"].keys() == found["ours"].keys() == {
        "browse, page", "browse, filter", "browse, search", "vote", "leaderboard, counted", "leaderboard, kept",
    }  # fmt: skip
    assert {one["against"].split(" at ")[0] for one in found["ratios"]} == found["ours"].keys()


def test_both_ratings_find_the_strengths_that_votes_were_drawn_from() -> None:
    found = _trial("leaderboard")

    assert found["ours"]["pairs"] == 190
    assert abs(found["ours"]["worst error"] - found["baselines"]["scipy"]["worst error"]) < 0.01


def test_near_duplicates_that_were_planted_are_found() -> None:
    found = _trial("neardup")

    assert (found["ours"]["recall"], found["ours"]["precision"]) == (1.0, 1.0)


@pytest.mark.parametrize("name", ["import", "browse", "vote_during_import"])
def test_measurements_of_data_run(name: str) -> None:
    _trial(name)


@pytest.mark.torch
def test_three_models_answer_side_by_side_in_turn_and_as_copies() -> None:
    found = _trial("sidebyside")

    assert found["ours"].keys() == {"tokens_per_second", "last_begins", "seconds", "mb", "one_alone"}
    assert found["ours"]["one_alone"].keys() == {"base", "adapter", "merged"}
    assert found["baselines"].keys() == {"switching", "merged"}
    assert all(one["seconds"] > 0 for one in (found["ours"], *found["baselines"].values()))
