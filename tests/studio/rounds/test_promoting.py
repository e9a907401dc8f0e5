"""A candidate becomes champion by the gate or by a person's word, and one step back undoes it."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import promotions, rounds
from storage.comparisons import get_study
from storage.errors import BadInput, Conflict, Forbidden, Refused
from storage.store import Store
from studio.api.errors import add_error_answers
from studio.api.rounds import router
from studio.people.roles import Actor
from studio.rounds import gate, ledger
from studio.rounds.champion import champion
from studio.rounds.promoting import promote, rollback
from studio.rounds.timeline import timeline
from studio.settings import Settings
from studio.studio import Studio
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import SOUND, add_dataset, first_day, prompt, prompts_of, run_to_the_end, vote

FACTS = Request("sft", "starter", dataset="facts")
ANNA, TIM = Actor("anna", "annotator"), Actor("tim", "trainer")


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home on its first day."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    return Settings.from_env({}, home=store.home.path)


def _candidate(store: Store, settings: Settings, wins: int, losses: int = 0, **found: Any) -> None:
    """A round's model, with votes on it."""
    run_to_the_end(store, launch(store, settings, FACTS), evaluation={**SOUND, **found})
    ledger.catch_up(store)
    study = get_study(store, rounds.list_rounds(store)[-1].measuring_study_id or "")
    for one, choice in zip(prompts_of("measure", wins + losses), "b" * wins + "a" * losses, strict=True):
        vote(store, study, one, choice)


def _name(store: Store) -> str | None:
    first = champion(store)
    return first.name if first else None


def test_before_any_promotion_the_model_that_the_first_round_began_from_is_champion(
    store: Store, settings: Settings
) -> None:
    assert _name(store) == "starter"


def test_a_candidate_that_wins_becomes_champion_and_its_round_is_closed_as_kept(
    store: Store, settings: Settings
) -> None:
    _candidate(store, settings, wins=30)

    done = promote(store, TIM)

    assert (done.champion, done.before, done.change.kind, done.change.author) == (
        "round-1-sft", "starter", "gate", "tim",
    )  # fmt: skip
    assert _name(store) == "round-1-sft"
    turn = rounds.get_round(store, 1)
    assert turn.verdict is not None
    assert (turn.state, turn.verdict["kept"], turn.verdict["gate"]["passes"]) == ("closed", True, True)
    assert done.change.evidence == turn.verdict["gate"]


@pytest.mark.parametrize(
    ("wins", "losses", "found", "state", "sentence", "settles"),
    [
        (0, 0, {}, "open", "There are no blind votes on it yet.", "Vote on its answers."),
        (6, 4, {}, "open", "It wins 60% of 10 prompts", "more votes would tell"),
        (0, 30, {}, "fails", "worse than starter", None),
        (30, 0, {"canaries": []}, "open", "canary prompts are not known", "Overrule if you know them."),
        (30, 0, {"canaries": [{"prompt": "Hi", "before": "Hello.", "after": " ", "same": False}]}, "fails",
         'canary prompt "Hi" is empty or goes in circles', None),
        (30, 0, {"canaries": [{"prompt": "Hi", "before": "Hello.", "after": "a b c d " * 9, "same": False}]}, "fails",
         "goes in circles", None),
        (30, 0, {"forgetting": {"earlier": {"before": 0.4, "after": 1.3}, "base_answers": None}}, "fails",
         "The loss on earlier rows rose by 0.90 (limit 0.5).", None),
        (30, 0, {"forgetting": {}}, "open", "What it forgot was not measured.", "Overrule if you accept that."),
    ],
)  # fmt: skip
def test_the_gate_says_what_stands_in_the_way_and_what_would_settle_it(
    store: Store, settings: Settings, wins: int, losses: int, found: Any, state: str, sentence: str, settles: str | None
) -> None:
    _candidate(store, settings, wins, losses, **found)

    said = gate.report(store, rounds.get_round(store, 1))

    assert said is not None
    assert (said.state, said.passes) == (state, False)
    assert sentence in said.reason
    assert said.settles is None if settles is None else settles in (said.settles or "")
    with pytest.raises(Refused, match='"round-1-sft" stays a candidate'):
        promote(store, TIM)
    assert _name(store) == "starter"
    assert promotions.list_promotions(store) == []


@pytest.mark.parametrize(
    ("wins", "reason", "settles"),
    [
        (0, "5 votes are on prompts that trained one of the two, so they do not count.", "Vote on its answers"),
        (2, "too few to tell. 5 votes are on prompts that trained one of the two", "more votes would tell"),
    ],
)
def test_the_gate_says_which_votes_do_not_count_and_on_what_others_would(
    store: Store, settings: Settings, wins: int, reason: str, settles: str
) -> None:
    _candidate(store, settings, wins)
    study = get_study(store, rounds.get_round(store, 1).measuring_study_id or "")
    for number in range(5):
        vote(store, study, prompt(f"q{number}"), "b")

    said = gate.report(store, rounds.get_round(store, 1))

    assert said is not None
    assert reason in said.reason
    assert settles in (said.settles or "")
    assert "on prompts that trained neither" in (said.settles or "")


def test_what_was_broken_before_already_is_not_the_candidates_fault(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30, canaries=[{"prompt": "Hi", "before": "", "after": "", "same": True}])

    assert promote(store, TIM).champion == "round-1-sft"


def test_the_limit_of_forgetting_can_be_changed(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30, forgetting={"earlier": {"before": 0.4, "after": 1.3}})
    gate.Limits.of(store).changed(store, {"forgetting": 1.0})

    assert promote(store, TIM).champion == "round-1-sft"
    with pytest.raises(BadInput, match="from 0 to 100, not -1"):
        gate.Limits.of(store).changed(store, {"forgetting": -1})
    with pytest.raises(BadInput, match="no limit speed"):
        gate.Limits.of(store).changed(store, {"speed": 1})


def test_overruling_needs_a_reason_and_is_kept_with_the_gates_words(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 6, 4)
    with pytest.raises(BadInput, match="Say why the gate is overruled"):
        promote(store, TIM, overrule=True)

    done = promote(store, TIM, overrule=True, reason="The customer likes it.")

    assert (done.champion, done.change.kind, done.change.reason) == (
        "round-1-sft", "overruled", "The customer likes it.",
    )  # fmt: skip
    assert done.change.evidence is not None
    assert done.change.evidence["state"] == "open"


def test_a_model_of_no_round_needs_overruling(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30)
    promote(store, TIM)
    with pytest.raises(Refused, match="is the candidate of no round"):
        promote(store, TIM, "starter")

    assert promote(store, TIM, "starter", "For a try.", overrule=True).champion == "starter"


def test_rolling_back_returns_to_the_champion_before_and_the_timeline_says_so(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30)
    promote(store, TIM)

    back = rollback(store, TIM, "It was rude to a customer.")

    assert (back.champion, back.before, back.change.kind) == ("starter", "round-1-sft", "rolled-back")
    assert _name(store) == "starter"
    first = timeline(store)[0]
    assert (first.kept, first.rolled_back) == (False, True)
    with pytest.raises(Conflict, match="nothing to roll back"):
        rollback(store, TIM)


def test_rolling_back_twice_goes_two_champions_back(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30)
    promote(store, TIM)
    _candidate(store, settings, 30)
    promote(store, TIM)
    assert _name(store) == "round-2-sft"

    assert rollback(store, TIM).champion == "round-1-sft"
    assert rollback(store, TIM).champion == "starter"
    assert [one.kind for one in promotions.list_promotions(store)] == ["gate", "gate", "rolled-back", "rolled-back"]


def test_the_champion_that_is_named_is_rolled_back_once(store: Store, settings: Settings) -> None:
    for _ in range(2):
        _candidate(store, settings, 30)
        promote(store, TIM)

    app = FastAPI()
    add_error_answers(app)
    app.include_router(router(Studio(settings=settings)))
    client = TestClient(app)
    first, second = [client.post("/api/rounds/rollback", json={"champion": "round-2-sft"}) for _ in range(2)]

    assert (first.status_code, first.json()["champion"]) == (200, "round-1-sft")
    assert (second.status_code, second.json()["error"]["sentence"]) == (
        409, '"round-2-sft" is not the champion any more, "round-1-sft" is; nothing was rolled back.',
    )  # fmt: skip
    assert _name(store) == "round-1-sft"
    assert [one.kind for one in promotions.list_promotions(store)] == ["gate", "gate", "rolled-back"]


def test_beginning_the_next_round_keeps_a_candidate_that_passes(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30)

    launch(store, settings, FACTS)

    assert _name(store) == "round-1-sft"
    (made,) = promotions.list_promotions(store)
    assert (made.kind, made.author) == ("gate", "gate")


def test_beginning_the_next_round_keeps_no_candidate_that_does_not_pass(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 6, 4)

    launch(store, settings, FACTS)

    assert (_name(store), promotions.list_promotions(store)) == ("starter", [])
    verdict = rounds.get_round(store, 1).verdict
    assert verdict is not None
    assert (verdict["kept"], verdict["gate"]["state"]) == (False, "open")


def test_an_old_candidate_can_be_promoted_when_votes_came_later(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 6, 4)
    launch(store, settings, FACTS)
    for one in prompts_of("measure", 60, "later"):
        vote(store, get_study(store, "round-1"), one, "b")

    assert promote(store, TIM, "round-1-sft").champion == "round-1-sft"
    assert timeline(store)[0].kept is True


def test_votes_against_an_earlier_champion_do_not_count_against_a_new_one(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30)
    promote(store, TIM, "round-1-sft")
    _candidate(store, settings, 30)
    rollback(store, TIM)

    said = gate.report(store, rounds.get_round(store, 2))

    assert said is not None
    assert (said.state, said.champion) == ("open", "starter")
    assert "No study has set round-2-sft against the champion starter" in said.reason


def test_annotators_change_no_champion(store: Store, settings: Settings) -> None:
    _candidate(store, settings, 30)

    with pytest.raises(Forbidden):
        promote(store, ANNA)
    with pytest.raises(Forbidden):
        rollback(store, ANNA)
    assert _name(store) == "starter"


def test_the_champion_twice_is_a_conflict_and_an_open_round_without_model_too(store: Store, settings: Settings) -> None:
    with pytest.raises(Conflict, match="The open round has no candidate yet"):
        promote(store, TIM)
    with pytest.raises(Conflict, match='"starter" is the champion already'):
        promote(store, TIM, "starter")
