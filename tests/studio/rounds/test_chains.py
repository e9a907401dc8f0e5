"""The phases of a plan that go on from one another are one round, whose candidate is what the last of them made."""

import pytest

from storage import jobs, rounds
from storage.errors import Conflict
from storage.models import add_model, get_model
from storage.rows_training import Job
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.promoting import promote
from studio.settings import Settings
from studio.training.launching import again, launch
from studio.training.mixing import propose
from studio.training.phases import launch_plan
from studio.training.request import Request
from tests.studio.training.project import add_dataset, conversation, first_day, prompt, run_to_the_end, write_adapter
from trainers.chaining import fill

TIM = Actor("tim", "trainer")
BASE = {"method": "sft", "base": "starter", "dataset": "facts", "name": "one"}
LATER = {"method": "sft", "dataset": "more"}


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home with two datasets."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    add_dataset(store, "more", "sft", [conversation(f"m{n}", f"b{n}") for n in range(5)])
    return Settings.from_env({}, home=store.home.path)


def _run(store: Store, job: Job) -> None:
    """What the worker does with the next phase: fills in what the one before made, trains, ends."""
    run_to_the_end(store, fill(store, jobs.get_job(store, job.id)))
    ledger.catch_up(store)


def _turns(store: Store) -> list[tuple[int, str, str | None, str | None]]:
    """Number, state, model and parent of each round."""

    def name(model_id: str | None) -> str | None:
        return get_model(store, model_id).name if model_id else None

    return [(turn.number, turn.state, name(turn.model_id), name(turn.parent_id)) for turn in rounds.list_rounds(store)]


def _fail(store: Store, job: Job) -> None:
    jobs.claim(store)
    jobs.finish(store, job.id, "failed", error={"kind": "x", "sentence": "It broke.", "fix": ""})
    ledger.catch_up(store)


def test_a_plan_is_one_round(store: Store, settings: Settings) -> None:
    phases = launch_plan(store, settings, [BASE, {**LATER, "name": "two"}, {**LATER, "name": "three"}]).jobs
    assert ledger.coming_number(store) == 2
    for phase in phases[:2]:
        _run(store, phase)
        assert _turns(store) == [(1, "open", None, "starter")]
        assert ledger.coming_number(store) == 2

    _run(store, phases[2])

    assert _turns(store) == [(1, "open", "three", "starter")]
    assert store.value("select count(*) from studies where name like 'round-%'") == 1
    assert ledger.catch_up(store) == []
    assert promote(store, TIM, overrule=True, reason="For a try.").champion == "three"


def test_a_plan_that_fails_midway_gives_the_round_what_the_last_good_phase_made(
    store: Store, settings: Settings
) -> None:
    first, second, _ = launch_plan(store, settings, [BASE, {**LATER, "name": "two"}, {**LATER, "name": "three"}]).jobs
    _run(store, first)
    _fail(store, second)
    assert _turns(store) == [(1, "open", "one", "starter")]

    _run(store, again(store, settings, jobs.get_job(store, second.id)))

    assert [turn[:2] for turn in _turns(store)] == [(1, "closed"), (2, "open")]


def test_phases_of_their_own_have_rounds_of_their_own(store: Store, settings: Settings) -> None:
    phases = launch_plan(store, settings, [BASE, {**BASE, "name": "apart"}]).jobs
    for phase in phases:
        _run(store, phase)

    assert _turns(store) == [(1, "closed", "one", "starter"), (2, "open", "apart", "starter")]


def test_nobody_takes_the_round_of_a_plan_between_two_phases(store: Store, settings: Settings) -> None:
    first, second = launch_plan(store, settings, [BASE, {**LATER, "name": "two"}]).jobs
    _run(store, first)
    base = get_model(store, "starter")
    folder = write_adapter(store.home.model("warm"), "starter")
    ledger_before = _turns(store)
    add_model(store, "warm", "adapter", base_id=base.id, parent_id=base.id, path=str(folder))
    with pytest.raises(Conflict, match="Round 1 waits for job 2; let it end"):
        propose(store, TIM, "warm")
    other = launch(store, settings, Request("sft", "starter", dataset="facts"))

    assert (other.name, _turns(store)) == ("round-2-sft", ledger_before)
    assert rounds.get_round(store, 1).job_id == first.id
    _run(store, second)
    assert _turns(store) == [(1, "open", "two", "starter")]
