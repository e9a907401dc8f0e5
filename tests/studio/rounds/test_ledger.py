"""Rounds open, fill and close by themselves, whoever looks and however often."""

import threading

import pytest

from storage import jobs, rounds
from storage.comparisons import get_study
from storage.models import get_model
from storage.store import Store
from studio.rounds import ledger
from studio.rounds.keeper import Keeper
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import (
    add_dataset,
    add_study,
    first_day,
    prompt,
    prompts_of,
    run_to_the_end,
    vote,
)

FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home with the starter, examples, prompts, a first study and the first round."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    return Settings.from_env({}, home=store.home.path)


def _turns(store: Store) -> list[tuple[int, str, str | None, str | None]]:
    """Number, state, model and measuring study of each round."""
    return [
        (
            turn.number,
            turn.state,
            get_model(store, turn.model_id).name if turn.model_id else None,
            get_study(store, turn.measuring_study_id).name if turn.measuring_study_id else None,
        )
        for turn in rounds.list_rounds(store)
    ]


def test_a_started_job_belongs_to_the_open_round_and_fills_it_when_it_is_done(store: Store, settings: Settings) -> None:
    job = launch(store, settings, FACTS)
    assert rounds.get_round(store, 1).job_id == job.id

    run_to_the_end(store, job)
    assert [turn.number for turn in ledger.catch_up(store)] == [1]
    assert ledger.catch_up(store) == []
    assert _turns(store) == [(1, "open", "round-1-sft", "round-1")]


def test_the_measuring_study_sets_the_new_model_against_the_one_it_came_from(store: Store, settings: Settings) -> None:
    model = run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)

    study = get_study(store, "round-1")
    assert study.models == [get_model(store, "starter").id, model.id]
    assert study.prompts_id == store.value("select id from datasets where name = 'starter-prompts'")


def test_starting_again_closes_the_round_with_a_verdict_and_opens_the_next(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)
    for asked in prompts_of("train", 30, "other"):
        vote(store, get_study(store, "round-1"), asked, "b")

    launch(store, settings, Request("dpo", "round-1-sft", study="round-1"))

    first, second = rounds.list_rounds(store)
    assert first.verdict is not None
    assert (first.state, first.verdict["kept"], first.verdict["wins"]) == ("closed", True, 30)
    assert (second.number, second.state, second.training_study_id) == (2, "open", get_study(store, "round-1").id)
    assert second.parent_id == get_model(store, "round-1-sft").id


def test_a_round_closed_without_votes_is_not_kept(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))

    launch(store, settings, FACTS)

    verdict = rounds.get_round(store, 1).verdict
    assert verdict is not None
    assert (verdict["kept"], verdict["votes"], verdict["low"], verdict["high"]) == (False, 0, 0.0, 1.0)


def test_a_failed_job_leaves_the_round_open_for_the_next_one(store: Store, settings: Settings) -> None:
    failed = launch(store, settings, FACTS)
    jobs.claim(store)
    jobs.finish(store, failed.id, "failed", error={"kind": "x", "sentence": "It broke.", "fix": ""})

    second = launch(store, settings, FACTS)
    run_to_the_end(store, second)
    ledger.catch_up(store)

    assert [turn.job_id for turn in rounds.list_rounds(store)] == [second.id]
    assert _turns(store) == [(1, "open", second.name, "round-1")]


def test_two_jobs_in_a_row_make_two_rounds(store: Store, settings: Settings) -> None:
    first, second = launch(store, settings, FACTS), launch(store, settings, FACTS)
    run_to_the_end(store, first)
    run_to_the_end(store, second)

    ledger.catch_up(store)

    assert _turns(store) == [(1, "closed", first.name, "round-1"), (2, "open", second.name, "round-2")]


def test_many_may_catch_up_at_the_same_moment(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))

    def look() -> None:
        ledger.catch_up(store)
        store.close()

    lookers = [threading.Thread(target=look) for _ in range(8)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()

    assert _turns(store) == [(1, "open", "round-1-sft", "round-1")]
    assert store.value("select count(*) from studies") == 2


def test_a_study_that_has_the_name_already_is_left_alone(store: Store, settings: Settings) -> None:
    starter = get_model(store, "starter")
    own = add_study(store, "round-1", starter, starter)

    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)

    assert get_study(store, "round-1") == own
    assert _turns(store)[0][3] == "round-1-2"


def _starting(store: Store) -> str:
    found = ledger.starting_model(store)
    assert found is not None
    return found.name


def test_the_next_training_starts_from_the_champion_until_votes_let_a_candidate_pass(
    store: Store, settings: Settings
) -> None:
    assert _starting(store) == "starter"
    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)
    assert _starting(store) == "starter"

    for asked in prompts_of("measure", 30):
        vote(store, get_study(store, "round-1"), asked, "b")

    assert _starting(store) == "round-1-sft"


def test_a_new_model_is_set_against_the_champion_also_where_it_came_from_another(
    store: Store, settings: Settings
) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)

    run_to_the_end(store, launch(store, settings, Request("sft", "round-1-sft", dataset="facts")))
    ledger.catch_up(store)

    turn = rounds.get_round(store, 2)
    starter = get_model(store, "starter").id
    assert (get_model(store, turn.parent_id or "").name, turn.against_id) == ("round-1-sft", starter)
    assert get_study(store, "round-2").models == [starter, turn.model_id]


def test_the_keeper_fills_rounds_while_nobody_looks(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    keeper = Keeper(store, "ledger", ledger.catch_up, 0.05)

    keeper.start()
    waited = threading.Event()
    while not _turns(store)[0][2]:
        waited.wait(0.02)
    keeper.stop()

    assert (_turns(store), keeper.alive) == ([(1, "open", "round-1-sft", "round-1")], False)


def test_a_reward_model_belongs_to_no_round(store: Store, settings: Settings) -> None:
    """It answers nothing, so there is nothing to compare."""
    before = _turns(store)
    pairs = [{"prompt": prompt(f"p{at}"), "chosen": answer("4."), "rejected": answer("5.")} for at in range(6)]
    add_dataset(store, "taste", "preference", pairs)

    job = launch(store, settings, Request("reward", "starter", dataset="taste"))
    assert (job.name, ledger.coming_number(store)) == ("reward", 1)
    model = run_to_the_end(store, job)

    assert model.kind == "reward"
    assert ledger.catch_up(store) == []
    assert _turns(store) == before
    starting = ledger.starting_model(store)
    assert starting is not None
    assert starting.name == "starter"
    assert launch(store, settings, FACTS).name == "round-1-sft"


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
