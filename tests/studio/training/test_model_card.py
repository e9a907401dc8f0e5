"""The card of a model that leaves: accepted by the Hub's own validator, with what the store knows, naming nobody."""

from typing import Any

import pytest
from huggingface_hub import ModelCard

from storage import rounds
from storage.comparisons import get_study
from storage.errors import BadInput
from storage.models import get_model
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.promoting import promote
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.mixing import propose
from studio.training.model_card import model_card
from studio.training.request import Request
from tests.studio.training.project import (
    SOUND,
    add_dataset,
    first_day,
    prompt,
    prompts_of,
    run_to_the_end,
    second_vote,
    vote,
)
from tests.studio.training.test_mixing import adapter, mixture

TIM = Actor("tim", "trainer")


@pytest.fixture
def ready(store: Store) -> Store:
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    return store


def _trained(store: Store, wins: int = 30, losses: int = 0, **found: Any) -> None:
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts")),
                   evaluation={**SOUND, **found})  # fmt: skip
    ledger.catch_up(store)
    study = get_study(store, rounds.list_rounds(store)[-1].measuring_study_id or "")
    for one, choice in zip(prompts_of("measure", wins + losses), "b" * wins + "a" * losses, strict=True):
        vote(store, study, one, choice, annotator="secret-ada")
        second_vote(store, study, choice, annotator="secret-bob")


def _unescaped(card: str) -> str:
    """As it reads: names and cells are escaped, so that none becomes a link or a heading."""
    return card.replace("\\", "")


def test_the_hubs_own_class_reads_it_without_complaint(ready: Store) -> None:
    _trained(ready)
    text = model_card(ready, get_model(ready, "round-1-sft"), "adapter", "apache-2.0")

    card = ModelCard(text, ignore_metadata_errors=False)

    assert (card.data.license, card.data.library_name, card.data.pipeline_tag) == (
        "apache-2.0", "peft", "text-generation",
    )  # fmt: skip
    assert card.data.tags == ["lora", "sft", "trl", "ratchet"]
    assert card.data.base_model is None
    (result,) = card.data.eval_results or []
    assert (result.metric_type, result.metric_value, card.data.model_name) == ("win_rate", 1.0, "round-1-sft")


def test_it_says_data_votes_agreement_and_what_the_gate_found(ready: Store) -> None:
    _trained(ready)
    promote(ready, TIM)

    text = _unescaped(model_card(ready, get_model(ready, "round-1-sft"), "adapter"))

    version = rounds.get_round(ready, 1).version_id
    sha256 = ready.value("select sha256 from versions where id = ?", [version])
    assert f"facts, version 1: 5 rows, {sha256}" in text
    assert "It wins 100% of 30 prompts that trained neither model, by 60 blind votes." in text
    assert "The 95 % interval holds at every look:" in text
    assert "2 people judged 30 comparisons." in text
    assert "| canaries | holds |" in text
    assert "Nobody has stated a licence for these weights." in text


def test_nobody_is_named_and_no_path_is_told(ready: Store) -> None:
    _trained(ready)

    text = model_card(ready, get_model(ready, "round-1-sft"), "merged")

    assert "secret" not in text
    assert str(ready.home.path) not in text


def test_a_mixture_tells_its_parts_and_what_was_measured(ready: Store) -> None:
    both = mixture(ready, "both", adapter(ready, "terse"), adapter(ready, "warm"))
    propose(ready, TIM, "both")

    card = model_card(ready, both, "adapter")

    text = _unescaped(card)
    assert "mixing by cat: 0.5 of terse, 0.5 of warm" in text
    assert "| Hello, who are you? | before: A model. / after: A terse model. |" in text
    assert "0.9 before, 1.1 after" in text
    assert "Nobody has voted on it yet." in text
    assert ModelCard(card).data.tags == ["lora", "merge", "ratchet"]


def test_a_base_of_the_hub_is_named_by_its_id(ready: Store) -> None:
    ready.execute("update models set hub_id = 'owner/starter' where name = 'starter'")

    text = model_card(ready, adapter(ready, "terse"), "adapter")

    assert ModelCard(text).data.base_model == "owner/starter"


def test_what_is_no_licence_is_refused(ready: Store) -> None:
    with pytest.raises(BadInput, match='"Do What" is no licence as the Hub names them'):
        model_card(ready, get_model(ready, "starter"), "merged", "Do What")
