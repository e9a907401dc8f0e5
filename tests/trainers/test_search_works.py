"""A search with real trials: ordinary jobs of a real worker, measured on rows that none of them trains on."""

from pathlib import Path

import pytest

from storage import jobs
from storage.home import Home
from storage.store import Store
from tests.trainers.effects import search

pytestmark = pytest.mark.torch


@pytest.mark.slow
def test_a_small_search_measures_its_trials_and_finds_the_best(tiny_base: Path, tmp_path: Path) -> None:
    found = search.searched(tmp_path, tiny_base, trials=3, steps=4)

    report = found["report"]
    assert report["state"] == "done", report
    assert [trial["state"] for trial in report["trials"]] == ["done"] * 3
    for trial in report["trials"]:
        assert trial["values"]["held_out_loss"] > 0
        assert trial["values"]["seconds"] > 0
        assert trial["values"]["forgetting"] is not None
    assert found["after"] == min(found["losses"]) < found["before"]
    done = jobs.list_jobs(Store.open(Home(tmp_path / "home")), "done")
    assert {job.search_id for job in done} == {report["id"]}


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsga2"])
def test_the_best_trial_on_the_starter_is_better_than_the_median_one(sampler: str, tmp_path: Path) -> None:
    found = search.EFFECTS[f"search/{sampler}"](tmp_path)

    print(found)  # pytest -s shows the numbers
    assert found["met"], found
