"""Where the champion has changed, a candidate is set against the present one in a round of its own."""

import pytest

from storage import comparisons, rounds
from storage.comparisons import get_study
from storage.errors import Conflict, Refused
from storage.models import add_model, get_model, set_gone, set_retired
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import gate, ledger
from studio.rounds.next_step import next_step
from studio.rounds.promoting import promote, rollback
from studio.rounds.replaying import replay
from studio.rounds.timeline import timeline
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.mixing import propose
from studio.training.request import Request
from tests.studio.training.project import (
    SOUND,
    add_dataset,
    first_day,
    prompt,
    prompts_of,
    run_to_the_end,
    vote,
    write_adapter,
)  # fmt: skip

TIM = Actor("tim", "trainer")


@pytest.fixture
def overtaken(store: Store) -> Store:
    """The open round's candidate began against round-1-sft, which was rolled back since."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)
    for number in (1, 2):
        run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")), evaluation=SOUND)
        ledger.catch_up(store)
        if number == 1:
            promote(store, TIM, overrule=True, reason="For a try.")
    rollback(store, TIM)
    return store


def _votes(store: Store, number: int) -> gate.Check:
    found = gate.report(store, rounds.get_round(store, number))
    assert found is not None
    return found.checks[0]


def test_gate_and_home_name_the_way_out(overtaken: Store) -> None:
    sentence = "No study has set round-2-sft against the champion starter."

    assert _votes(overtaken, 2) == gate.Check(
        "votes", gate.OPEN, sentence,
        "Set it against starter in a round of its own: ratchet propose round-2-sft.",
    )  # fmt: skip
    step = next_step(overtaken)
    assert (step.title, step.command, step.does) == (
        "Set round-2-sft against starter",
        "ratchet propose round-2-sft",
        f"/api/models/{get_model(overtaken, 'round-2-sft').id}/propose",
    )
    assert step.why.startswith(sentence)


def test_votes_of_its_new_round_count(overtaken: Store) -> None:
    said = propose(overtaken, TIM, "round-2-sft")

    assert said == {"model": "round-2-sft", "round": 3, "study": "round-3"}
    study = get_study(overtaken, "round-3")
    assert [get_model(overtaken, one).name for one in study.models] == ["starter", "round-2-sft"]
    assert next_step(overtaken).href == "/compare?study=round-3"
    for one in prompts_of("measure", 30):
        vote(overtaken, study, one, "b")
    assert next_step(overtaken).title == "Keep round 3"
    assert promote(overtaken, TIM).champion == "round-2-sft"
    cards = timeline(overtaken)
    assert [(card.number, card.state, card.model, card.against) for card in cards] == [
        (1, "closed", "round-1-sft", "starter"),
        (2, "closed", "round-2-sft", "round-1-sft"),
        (3, "closed", "round-2-sft", "starter"),
    ]
    assert (cards[2].material, cards[2].job) == (cards[1].material, None)


def test_against_the_present_champion_it_is_proposed_once(overtaken: Store) -> None:
    propose(overtaken, TIM, "round-2-sft")

    with pytest.raises(Conflict, match=r'"round-2-sft" has its round already: vote in round-3.'):
        propose(overtaken, TIM, "round-2-sft")
    with pytest.raises(Conflict, match=r'"round-1-sft" has its round already: vote in round-1.'):
        propose(overtaken, TIM, "round-1-sft")
    assert len(rounds.list_rounds(overtaken)) == 3


def test_what_was_put_away_or_deleted_is_no_candidate_and_closes_no_round(overtaken: Store) -> None:
    away = get_model(overtaken, "round-2-sft")
    before = rounds.list_rounds(overtaken), comparisons.list_studies(overtaken)

    set_retired(overtaken, away, True)
    with pytest.raises(Refused, match=r'"round-2-sft" was put away; take it back first.'):
        propose(overtaken, TIM, "round-2-sft")
    set_gone(overtaken, away)
    with pytest.raises(Refused, match=r'The weights of "round-2-sft" were deleted, so it cannot be a candidate.'):
        propose(overtaken, TIM, "round-2-sft")

    assert (rounds.list_rounds(overtaken), comparisons.list_studies(overtaken)) == before
    assert next_step(overtaken).does is None


def test_a_round_without_a_training_of_its_own_says_what_to_replay(overtaken: Store) -> None:
    propose(overtaken, TIM, "round-2-sft")

    with pytest.raises(Refused, match=r'"round-2-sft" was trained in round 2; replay that one \(`ratchet replay 2`\).'):
        replay(overtaken, 3)


def test_a_model_from_elsewhere_was_never_trained_here(overtaken: Store) -> None:
    base = get_model(overtaken, "starter")
    folder = write_adapter(overtaken.home.model("warm"), "starter")
    add_model(overtaken, "warm", "adapter", base_id=base.id, parent_id=base.id, path=str(folder))
    propose(overtaken, TIM, "warm")

    with pytest.raises(Refused, match='"warm" was not trained here, so there is nothing to replay'):
        replay(overtaken, 3)
