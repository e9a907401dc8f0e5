"""What trainings forgot and broke is followed back to the champion, through candidates that were never kept."""

from typing import Any

import pytest

from storage import rounds
from storage.models import get_model
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import gate, ledger
from studio.rounds.measured import way
from studio.rounds.promoting import promote
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.rounds.canary_kit import answer_all
from tests.studio.training.project import SOUND, add_dataset, first_day, prompt, run_to_the_end

TIM = Actor("tim", "trainer")
WHOLE = [{"prompt": "Hi", "before": "Hello.", "after": "Hello!", "same": False}]
BREAKS = [{"prompt": "Hi", "before": "Hello.", "after": "", "same": False}]
STAYS_BROKEN = [{"prompt": "Hi", "before": "", "after": "", "same": True}]


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home on its first day."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    return Settings.from_env({}, home=store.home.path)


def rose(by: float, kind: str = "base_answers") -> dict[str, Any]:
    """A loss that rose, as an evaluation has it."""
    return {"forgetting": {"earlier": None, "base_answers": None, kind: {"before": 1.0, "after": 1.0 + by, "rows": 8}}}


def _train(store: Store, settings: Settings, base: str, **asked: Any) -> Any:
    """A training from a model, which leaves these measurements."""
    found = asked.pop("found", {})
    job = launch(store, settings, Request("sft", base, dataset="facts", **asked))
    model = run_to_the_end(store, job, evaluation={**SOUND, **found})
    ledger.catch_up(store)
    return model


def _check(store: Store, name: str, number: int = 2) -> gate.Check:
    found = gate.report(store, rounds.get_round(store, number))
    assert found is not None
    return next(check for check in found.checks if check.name == name)


@pytest.mark.parametrize(
    ("rises", "state", "sentence"),
    [
        ((rose(0.45), rose(0.45, "earlier")), "fails",
         "The loss on what the base said and earlier rows rose by 0.90 in 2 steps since starter (limit 0.5)."),
        ((rose(0.2), rose(0.1)), "holds",
         "The loss on what the base said rose by 0.30 in 2 steps since starter (limit 0.5)."),
        ((rose(0.6), rose(-0.5)), "fails",
         "The loss on what the base said rose by 0.60 in 2 steps since starter (limit 0.5)."),
        (({"forgetting": {}}, rose(0.1)), "open", "What round-1-sft forgot, which it goes on from, was not measured."),
        ((rose(0.1), {"forgetting": {}}), "open", "What it forgot was not measured."),
    ],
)  # fmt: skip
def test_what_a_refused_candidate_forgot_counts_for_those_that_go_on_from_it(
    store: Store, settings: Settings, rises: Any, state: str, sentence: str
) -> None:
    _train(store, settings, "starter", found=rises[0])
    _train(store, settings, "round-1-sft", found=rises[1])

    said = _check(store, "forgetting")

    assert (said.state, said.sentence) == (state, sentence)
    assert (said.settles is None) == (state != "open")


def test_steps_before_the_champion_do_not_count(store: Store, settings: Settings) -> None:
    _train(store, settings, "starter", found=rose(0.45))
    promote(store, TIM, overrule=True, reason="For a try.")
    _train(store, settings, "round-1-sft", found=rose(0.45))

    assert _check(store, "forgetting").sentence == "The loss on what the base said rose by 0.45 (limit 0.5)."


def test_a_fresh_adapter_begins_at_the_base_whatever_it_is_named_after(store: Store, settings: Settings) -> None:
    _train(store, settings, "starter", found=rose(0.45))
    _train(store, settings, "round-1-sft", found=rose(0.45), start="fresh")

    assert _check(store, "forgetting").sentence == "The loss on what the base said rose by 0.45 (limit 0.5)."


def test_a_candidate_of_another_branch_is_followed_to_where_they_part(store: Store, settings: Settings) -> None:
    for number in (1, 2):
        _train(store, settings, "starter", found=rose(0.1 * number))
    promote(store, TIM, "round-1-sft", "For a try.", overrule=True)

    found = way(store, get_model(store, "round-2-sft"), get_model(store, "round-1-sft"))

    assert found.origin == get_model(store, "starter")
    said = _check(store, "forgetting")
    assert (said.state, said.sentence) == (
        "holds", "The loss on what the base said rose by 0.20 since starter (limit 0.5).",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [(BREAKS, STAYS_BROKEN, "fails"), (WHOLE, WHOLE, "holds"), ([], WHOLE, "open"), (BREAKS, WHOLE, "holds")],
)
def test_an_answer_that_an_earlier_step_broke_stays_broken(
    store: Store, settings: Settings, first: Any, second: Any, state: str
) -> None:
    _train(store, settings, "starter", found={"canaries": first})
    _train(store, settings, "round-1-sft", found={"canaries": second})

    assert _check(store, "canaries").state == state


def test_what_champion_and_candidate_answered_themselves_goes_before_what_runs_measured(
    store: Store, settings: Settings
) -> None:
    _train(store, settings, "starter", found={"canaries": WHOLE})
    answer_all(store, "starter")
    assert _check(store, "canaries", 1).sentence == "The canary prompt is answered; 1 answer has changed."

    answer_all(store, "round-1-sft", {3: ""})

    assert _check(store, "canaries", 1) == gate.Check(
        "canaries", "fails",
        'Its answer to the canary prompt "What is the capital of France?" is empty or goes in circles.',
    )  # fmt: skip
