"""Plans of several phases: queued together or not at all, each built on what the one before makes."""

import json
from typing import Any

import pytest

from storage import jobs, queueing
from storage.errors import BadInput, Conflict
from storage.home import Home
from storage.models import get_model
from storage.rounds import list_rounds
from storage.runs import thaw_rows
from storage.specs.run import RunSpec
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import again
from studio.training.phases import launch_plan
from studio.training.planning import plan
from studio.training.request import Request
from studio.training.retrying import retry
from studio.training.watching import report
from tests.studio.training.project import add_dataset, add_starter, conversation, run_to_the_end
from trainers.chaining import fill

PHASES: list[dict[str, Any]] = [
    {"method": "sft", "base": "starter", "dataset": "facts", "name": "english"},
    {"method": "sft", "dataset": "more", "name": "both"},
    {"method": "dpo", "dataset": "pairs", "name": "polite"},
]


def pair(number: int) -> dict[str, object]:
    return {
        "prompt": [{"role": "user", "content": f"q{number}"}],
        "chosen": [{"role": "assistant", "content": "yes, please"}],
        "rejected": [{"role": "assistant", "content": "no"}],
    }


@pytest.fixture
def ready(store: Store) -> Store:
    """A store with the starter and datasets for three phases."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(5)])
    add_dataset(store, "more", "sft", [conversation(f"m{n}", f"b{n}") for n in range(4)])
    add_dataset(store, "pairs", "preference", [pair(n) for n in range(6)])
    return store


def test_phases_are_queued_at_once_and_only_the_first_may_begin(ready: Store, home_settings: Settings) -> None:
    queued = launch_plan(ready, home_settings, PHASES)

    first, second, third = queued.jobs
    assert [job.status for job in queued.jobs] == ["queued"] * 3
    assert [job.held_at for job in queued.jobs] == [None] * 3
    assert {job.plan_id for job in queued.jobs} == {queued.plan}
    assert (first.after_id, second.after_id, third.after_id) == (None, first.id, second.id)
    spec = RunSpec.read(ready.home.run(second.id))
    assert (spec.awaits_base, spec.adapter_path, spec.start, spec.reference) == (True, None, "continue", "previous")
    assert [report(ready, job).base for job in queued.jobs] == ["starter", "english", "both"]
    assert report(ready, second).reason == "It begins when job 1 (english) is done."
    claimed = jobs.claim(ready)
    assert claimed is not None and (claimed.id, jobs.claim(ready)) == (first.id, None)


def test_a_later_phase_gets_the_weights_that_the_earlier_one_made(ready: Store, home_settings: Settings) -> None:
    first, second, third = launch_plan(ready, home_settings, PHASES).jobs
    made = run_to_the_end(ready, first)
    claimed = jobs.claim(ready)
    assert claimed is not None and claimed.id == second.id

    filled = fill(ready, claimed)
    assert fill(ready, jobs.get_job(ready, second.id)) == filled, "a worker killed on the way does it once more"

    spec = RunSpec.read(ready.home.run(second.id))
    assert filled.base_id == made.id
    assert (spec.awaits_base, spec.adapter_path, spec.start, spec.reference) == (
        False, made.path, "continue", "previous",
    )  # fmt: skip
    assert (spec.base_path, spec.base_sha256) == (str(ready.home.model("starter")), "base-hash")
    earlier = ready.home.run(second.id) / "earlier.parquet"
    assert thaw_rows(earlier) == thaw_rows(ready.home.run(first.id) / "data.parquet")
    assert spec.extras["earlier"] == RunSpec.read(ready.home.run(first.id)).data_sha256
    assert report(ready, second.id).base == "english"
    assert queueing.reason(ready, third) == "It begins when job 2 (both) is done."


def test_where_one_phase_cannot_be_nothing_is_queued(ready: Store, home_settings: Settings) -> None:
    wrong = [PHASES[0], {"method": "sft", "dataset": "nowhere", "name": "both"}]

    with pytest.raises(BadInput, match=r'^Phase 2: There is no dataset "nowhere".* Nothing was queued.$'):
        launch_plan(ready, home_settings, wrong)

    assert (jobs.list_jobs(ready), list(ready.home.runs.iterdir())) == ([], [])
    assert [turn.job_id for turn in list_rounds(ready)] in ([], [None])
    assert launch_plan(ready, home_settings, PHASES[:2]).jobs[0].name == "english"


def test_a_plan_has_phases(ready: Store, home_settings: Settings) -> None:
    with pytest.raises(BadInput, match="A plan has 1 to 20 phases, not 0"):
        launch_plan(ready, home_settings, [])


def test_who_waited_for_a_failed_phase_waits_for_the_one_that_is_started_instead(
    ready: Store, home_settings: Settings
) -> None:
    first, second, _ = launch_plan(ready, home_settings, PHASES).jobs
    jobs.claim(ready)
    jobs.finish(ready, first.id, "failed", error={"kind": "x", "sentence": "x", "fix": "x"})

    instead = again(ready, home_settings, jobs.get_job(ready, first.id))

    assert (instead.plan_id, jobs.get_job(ready, second.id).after_id) == (first.plan_id, instead.id)


def test_who_waited_for_a_failed_phase_waits_for_its_retry(ready: Store, home_settings: Settings) -> None:
    first, second, _ = launch_plan(ready, home_settings, PHASES).jobs
    jobs.claim(ready)
    jobs.finish(ready, first.id, "failed", error={"kind": "x", "sentence": "x", "fix": "x"})

    instead = retry(ready, home_settings, first.id, {"batch_size": 2})

    assert (instead.id != first.id, jobs.get_job(ready, second.id).after_id) == (True, instead.id)


def test_a_training_that_would_wait_for_a_failed_job_is_refused(ready: Store, home_settings: Settings) -> None:
    first = launch_plan(ready, home_settings, PHASES[:1]).jobs[0]
    jobs.claim(ready)
    jobs.finish(ready, first.id, "failed", error={"kind": "x", "sentence": "x", "fix": "x"})

    thought = plan(ready, Request("sft", "english", dataset="more", after=first.id))

    assert thought.refusals[0] == "Job 1 (english) has failed; resume it first, or do not wait for it."


def test_a_training_after_a_job_that_is_done_starts_from_its_model(ready: Store, home_settings: Settings) -> None:
    first = launch_plan(ready, home_settings, PHASES[:1]).jobs[0]
    made = run_to_the_end(ready, first)

    thought = plan(ready, Request("sft", "english", dataset="more", after=first.id))

    assert thought.refusals == []
    assert thought.origin is not None and thought.origin.model == get_model(ready, made.id)


def test_a_whole_model_is_a_base_to_what_comes_after(ready: Store, home_settings: Settings) -> None:
    whole: dict[str, Any] = {**PHASES[0], "options": {"tuning": "full"}}
    second = launch_plan(ready, home_settings, [whole, PHASES[1]]).jobs[1]

    spec = RunSpec.read(ready.home.run(second.id))
    assert (spec.awaits_base, spec.start, spec.reference, spec.adapter_path) == (True, "fresh", "base", None)


def test_a_reward_model_to_come_is_filled_in_like_a_base(ready: Store, home_settings: Settings) -> None:
    add_dataset(ready, "asks", "prompts", [{"prompt": [{"role": "user", "content": f"p{n}"}]} for n in range(6)])
    phases: list[dict[str, Any]] = [
        {"method": "reward", "base": "starter", "dataset": "pairs", "name": "judge"},
        {"method": "rloo", "base": "starter", "dataset": "asks", "rewards": ["judge"], "name": "better"},
    ]
    first, second = launch_plan(ready, home_settings, phases).jobs
    open_spec = RunSpec.read(ready.home.run(second.id))
    assert [(one["name"], one["base_path"]) for one in open_spec.rewards] == [("judge", "")]
    assert not open_spec.awaits_base

    judge = run_to_the_end(ready, first)
    claimed = jobs.claim(ready)
    assert claimed is not None
    fill(ready, claimed)

    (reward,) = RunSpec.read(ready.home.run(second.id)).rewards
    assert (reward["name"], reward["base_path"], reward["adapter_path"]) == (
        "judge", str(ready.home.model("starter")), judge.path,
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"Phase 2: Job \d+ makes a model that judges answers and gives none"):
        launch_plan(ready, home_settings, [{**phases[0], "name": "other"}, {**PHASES[1], "base": "other"}])


def test_the_verbs_show_and_change_the_queue(ready: Store, home: Home, tmp_path: object) -> None:
    from studio.studio import Studio

    studio = Studio(settings=Settings.from_env({}, home=home.path))
    queued = launch_plan(ready, studio.settings, PHASES).jobs
    other = launch_plan(ready, studio.settings, [{**PHASES[1], "base": "starter", "name": "other"}]).jobs[0]

    moved = studio.move(str(other.number), before=str(queued[0].number))
    held = studio.hold(other.id)

    assert [(line["position"], line["name"]) for line in moved["waiting"]] == [
        (1, "other"), (2, "english"), (3, "both"), (4, "polite"),
    ]  # fmt: skip
    assert (held["waiting"][0]["held"], held["waiting"][0]["reason"]) == (
        True, "Held back by a person; release it to let it run.",
    )  # fmt: skip
    assert held["waiting"][2]["after"] == {
        "job": queued[0].id, "number": 1, "name": "english", "status": "queued",
    }  # fmt: skip
    with pytest.raises(Conflict, match="only a job that waits in the queue can be held"):
        jobs.claim(ready)
        studio.hold(queued[0].id)
    assert studio.queue()["slots"] == [
        {"device": "starting", "job": {"job": queued[0].id, "number": 1, "name": "english", "method": "sft"}}
    ]
    assert json.dumps(held)
