"""A round in numbers: agreement of people, losses before and after, and what it took."""

import pytest

from storage.comparisons import get_study
from storage.models import add_model
from storage.rounds import get_round
from storage.rows_training import Round
from storage.store import Store
from studio.feedback.counting import counting_votes
from studio.rounds.figures import agreement, figures
from studio.rounds.timeline import timeline
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import SOUND, add_study, first_day, prompts_of, run_to_the_end, second_vote, vote

FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home on its first day."""
    first_day(store)
    return Settings.from_env({}, home=store.home.path)


def test_a_round_without_a_job_has_no_figures(store: Store, settings: Settings) -> None:
    assert timeline(store)[0].to_json()["figures"] == {
        "agreement": None, "held_out": None, "forgetting": None, "device_seconds": None, "judging_seconds": 0,
        "money": None,
    }  # fmt: skip


def test_the_card_tells_losses_agreement_and_the_time_that_people_spent(store: Store, settings: Settings) -> None:
    held = {"held_out": {"before_loss": 1.5, "loss": 1.25, "rows": 4}}
    run_to_the_end(store, launch(store, settings, FACTS), evaluation={**SOUND, **held})
    timeline(store)
    study = get_study(store, "round-1")
    for one, other in zip(prompts_of("measure", 4), ("b", "b", "b", "a"), strict=True):
        vote(store, study, one, "b")
        second_vote(store, study, other)

    found = timeline(store)[0].to_json()["figures"]

    assert found["held_out"] == {"before": 1.5, "after": 1.25, "of": "4 rows"}
    assert found["forgetting"] == {"before": 0.9, "after": 1.1, "of": "what the base said"}
    assert found["agreement"] == {"rate": 0.75, "pairs": 4}
    assert found["judging_seconds"] == 8.0
    assert found["device_seconds"] is not None
    assert found["money"] is None


def test_nobody_agrees_where_everybody_judged_something_else(store: Store, settings: Settings) -> None:
    study = get_study(store, "first-look")
    for one in prompts_of("measure", 3):
        vote(store, study, one, "tie")

    assert agreement(counting_votes(store, study.id)) is None


def test_servers_that_have_a_price_are_counted(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    timeline(store)
    dear = add_model(store, "dear", "endpoint", url="http://127.0.0.1:9/v1", remote_name="m", price_out=2.0)
    study = add_study(store, "far", dear, dear)
    vote(store, study, prompts_of("measure", 1)[0], "a")
    store.execute("update answers set tokens = 250000 where model_id = ?", [dear.id])
    store.execute("update rounds set measuring_study_id = ? where number = 1", [study.id])

    assert timeline(store)[0].figures.money == 1.0
    assert figures(store, _round(store), None, None).device_seconds is None


def _round(store: Store) -> Round:
    return get_round(store, 1)
