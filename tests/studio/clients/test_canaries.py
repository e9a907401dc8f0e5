"""Canaries asked of a real engine: the same words again, whatever else it does, and a stamp that says by whom."""

import pytest

from storage import canaries as stored
from storage.specs.canaries import DATASET
from studio.rounds.asking_canaries import run
from studio.rounds.canaries import answerer_of, has_own
from studio.settings import Settings
from tests.studio.clients.conftest import Running
from tests.studio.training.project import add_dataset, prompt

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def few(running: Running) -> None:
    """Two canaries of the project's own: an answer of hundreds of words takes the tiny models a second."""
    if not has_own(running.store):
        add_dataset(running.store, DATASET, "prompts", [{"prompt": prompt(text)} for text in ("Sing!", "Dance!")])


def test_models_answer_the_same_words_again(running: Running) -> None:
    settings = Settings.from_env({}, home=running.store.home.path)
    names = [running.base.name, running.a.name]

    first = run(running.store, settings, names)
    said = {name: _said(running, name) for name in names}
    again = run(running.store, settings, names, again=True)

    assert [(one.model, one.answered, one.fresh, one.error) for one in (*first, *again)] == [
        (name, 2, 2, None) for name in names * 2
    ]
    assert {name: _said(running, name) for name in names} == said


def test_every_answer_says_which_weights_gave_it(running: Running) -> None:
    run(running.store, Settings.from_env({}, home=running.store.home.path), [running.a.name])

    stamps = [one.stamp for one in stored.answers_of(running.store, answerer_of(running.store, running.a)).values()]
    assert {(stamp["adapter"], stamp["dtype"]) for stamp in stamps} == {(running.a.name, "float32")}


def _said(running: Running, name: str) -> dict[str, str]:
    model = {one.name: one for one in (running.base, running.a)}[name]
    answers = stored.answers_of(running.store, answerer_of(running.store, model))
    return {prompt: one.text for prompt, one in answers.items()}
