"""Champion and candidate are asked by themselves where something is expected, each pair once."""

import pytest

from storage import tasks
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.asking_canaries import expect
from studio.rounds.canaries import find_canary
from studio.rounds.canaries_due import due
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.rounds.canary_kit import answer_all
from tests.studio.training.project import first_day, run_to_the_end

CY = Actor("cy", "curator")


@pytest.fixture
def candidate(store: Store) -> Store:
    """A home whose first round has a candidate."""
    first_day(store)
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")))
    ledger.catch_up(store)
    return store


def test_nothing_is_asked_where_nothing_is_expected(candidate: Store) -> None:
    assert due(candidate) is None


def test_both_are_asked_once_and_again_when_there_is_something_new(candidate: Store) -> None:
    expect(candidate, CY, find_canary(candidate, "3"), "contains", "Paris")

    first = due(candidate)
    assert first is not None
    tasks.add_task(candidate, "canaries", {"models": first.models, "again": False, "due": first.key})
    tried = due(candidate)
    answer_all(candidate, "starter")
    left = due(candidate)
    answer_all(candidate, "round-1-sft")

    assert first.models == ["starter", "round-1-sft"]
    assert tried is None
    assert left is not None
    assert left.models == ["round-1-sft"]
    assert due(candidate) is None
