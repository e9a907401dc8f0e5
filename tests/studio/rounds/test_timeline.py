"""The film shows each round as it is: material, job, model, standing, verdict; and one next step."""

import pytest

from storage import jobs
from storage.comparisons import get_study
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds.next_step import next_step
from studio.rounds.promoting import promote
from studio.rounds.timeline import timeline
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import first_day, prompts_of, run_to_the_end, vote

FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def settings(store: Store) -> Settings:
    """Settings of a home as it is on its first day."""
    first_day(store)
    return Settings.from_env({}, home=store.home.path)


def test_the_first_card_is_empty_and_open(store: Store, settings: Settings) -> None:
    said = [card.to_json() for card in timeline(store)]

    assert len(said) == 1
    assert (said[0]["round"], said[0]["state"], said[0]["parent"]) == (1, "open", "starter")
    assert [said[0][name] for name in ("material", "job", "model", "standing", "kept")] == [None] * 5


def test_a_finished_round_tells_what_it_learnt_from_and_how_it_stands(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    first = timeline(store)[0].to_json()
    for asked in prompts_of("train", 6):
        vote(store, get_study(store, "round-1"), asked, "b")
    run_to_the_end(store, launch(store, settings, Request("dpo", "round-1-sft", study="round-1")))

    cards = [card.to_json() for card in timeline(store)]

    assert first["material"] == {"dataset": "facts", "version": 1, "rows": 5, "study": None, "votes": None,
                                 "mixed": ()}  # fmt: skip
    assert (first["job"]["status"], first["job"]["method"], first["model"]) == ("done", "sft", "round-1-sft")
    assert (cards[0]["state"], cards[0]["kept"]) == ("closed", cards[0]["standing"]["word"] == "better")
    assert cards[1]["material"] == {"dataset": None, "version": None, "rows": None, "study": "round-1", "votes": 6,
                                    "mixed": ()}  # fmt: skip
    assert (cards[1]["parent"], cards[1]["model"], cards[1]["measuring"]) == ("round-1-sft", "round-2-dpo", "round-2")


def test_a_closed_round_keeps_what_the_gate_said_then(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    then = timeline(store)[0].gate
    run_to_the_end(store, launch(store, settings, FACTS))
    vote(store, get_study(store, "round-1"), prompts_of("measure", 1)[0], "b")
    timeline(store)
    promote(store, Actor("you", "admin"), "round-2-sft", reason="because", overrule=True)

    first = timeline(store)[0]

    assert (first.state, first.gate) == ("closed", then)
    assert first.gate is not None
    assert first.gate.champion == "starter"


def test_the_step_of_an_empty_project_is_to_bring_examples(store: Store) -> None:
    step = next_step(store)

    assert (step.href, step.button, step.stage) == ("/data", "Import examples", 1)


def test_the_steps_lead_through_the_loop(store: Store, settings: Settings) -> None:
    seen = [next_step(store)]
    job = launch(store, settings, FACTS)
    seen.append(next_step(store))
    run_to_the_end(store, job)
    seen.append(next_step(store))
    asked = prompts_of("train", 20, "other")
    for one in asked[:4]:
        vote(store, get_study(store, "round-1"), one, "b")
    seen.append(next_step(store))
    for one in asked[4:]:
        vote(store, get_study(store, "round-1"), one, "b")
    seen.append(next_step(store))
    promote(store, Actor("you", "admin"))
    seen.append(next_step(store))

    assert [(step.stage, step.href) for step in seen] == [
        (2, "/train?method=sft&base=starter&dataset=facts"),
        (2, f"/train?job={job.id}"),
        (3, "/compare?study=round-1"),
        (4, "/compare?study=round-1"),
        (6, "/"),
        (5, "/train?method=dpo&base=round-1-sft&study=round-1"),
    ]
    assert seen[2].why.startswith("There are no votes on it yet.")
    assert "It wins 100% of 4 prompts" in seen[3].why
    assert (seen[4].title, seen[4].does) == ("Keep round 1", "/api/rounds/promote")
    assert seen[5].command == "ratchet train dpo --base round-1-sft --votes majority --study round-1"


@pytest.mark.parametrize(
    ("votes", "sentence"),
    [
        (18, "About 2 more clear votes are enough to train on."),
        (19, "About 1 more clear vote is enough to train on."),
    ],
)
def test_the_step_counts_the_votes_that_are_left(store: Store, settings: Settings, votes: int, sentence: str) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    timeline(store)
    for number, asked in enumerate(prompts_of("train", votes, "other")):
        vote(store, get_study(store, "round-1"), asked, "ab"[number % 2])

    assert next_step(store).why.endswith(sentence)


def test_votes_on_the_first_look_can_be_trained_on_at_once(store: Store, settings: Settings) -> None:
    for asked in prompts_of("train", 20):
        vote(store, get_study(store, "first-look"), asked, "a")

    assert next_step(store).href == "/train?method=dpo&base=starter&study=first-look"


def test_a_model_that_became_worse_sends_the_next_training_back_to_its_parent(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, FACTS))
    timeline(store)
    for asked in prompts_of("train", 30, "other"):
        vote(store, get_study(store, "round-1"), asked, "a")

    step = next_step(store)

    assert step.href == "/train?method=dpo&base=starter&study=round-1"
    assert "it is worse than the champion" in step.why


def test_a_failed_job_is_the_next_step_until_something_newer_runs(store: Store, settings: Settings) -> None:
    failed = launch(store, settings, FACTS)
    jobs.claim(store)
    jobs.finish(store, failed.id, "failed", error={"kind": "memory", "sentence": "No memory left.", "fix": "Less."})

    step = next_step(store)

    assert (step.title, step.why) == ("round-1-sft did not finish", "No memory left.")
    launch(store, settings, FACTS)
    assert next_step(store).title == "round-1-sft waits for its turn"
