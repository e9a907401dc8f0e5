"""The tree says what was made from what; one model's facts say how, how well, and what needs it."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage import blends
from storage.blends import NewBlend, Part
from storage.comparisons import get_study, set_state
from storage.errors import NotFound
from storage.models import add_model, get_model, set_gone, set_retired
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.promoting import promote, rollback
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.model_facts import card_of, facts
from studio.training.model_keeping import rename
from studio.training.request import Request
from studio.training.tree import tree
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

TIM = Actor("tim", "trainer")
FACTS = Request("sft", "starter", dataset="facts", options={"epochs": 4}, author="ada")


@pytest.fixture
def settings(store: Store) -> Settings:
    """A home with a model from examples, judged, and one from the votes on it."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)
    study = get_study(store, "round-1")
    for one in prompts_of("measure", 30):
        vote(store, study, one, "b")
    for one in prompts_of("train", 6):
        vote(store, study, one, "b")
    run_to_the_end(store, launch(store, settings, Request("dpo", "round-1-sft", study="round-1")))
    return settings


def _leaves(store: Store, *loaded: str) -> dict[str, dict[str, Any]]:
    return {leaf["name"]: leaf for leaf in (one.to_json() for one in tree(store, loaded))}


def test_a_model_hangs_under_the_one_that_it_was_trained_from(store: Store, settings: Settings) -> None:
    leaves = _leaves(store)

    assert {name: leaf["from"] for name, leaf in leaves.items()} == {
        "starter": None, "round-1-sft": "starter", "round-2-dpo": "round-1-sft",
    }  # fmt: skip
    assert [leaf["champion"] for leaf in leaves.values()] == [False, True, False]
    assert (leaves["starter"]["material"], leaves["starter"]["method"], leaves["starter"]["round"]) == (None,) * 3
    assert leaves["round-1-sft"]["material"] == {
        "dataset": "facts", "version": 1, "rows": 5, "study": None, "votes": None, "mixed": (),
    }  # fmt: skip
    assert leaves["round-2-dpo"]["material"]["study"] == "round-1"
    assert (leaves["round-2-dpo"]["method"], leaves["round-2-dpo"]["round"]) == ("dpo", 2)


def test_a_leaf_says_how_it_did_against_the_champion_of_its_day(store: Store, settings: Settings) -> None:
    leaves = _leaves(store)

    first = leaves["round-1-sft"]
    assert (first["against"], first["standing"]["win_rate"], first["standing"]["word"]) == ("starter", 1.0, "better")
    assert (leaves["round-2-dpo"]["against"], leaves["round-2-dpo"]["standing"]) == ("round-1-sft", None)


def test_the_champion_moves_and_moves_back(store: Store, settings: Settings) -> None:
    promote(store, TIM, "round-2-dpo", "For the test.", overrule=True)
    assert [name for name, leaf in _leaves(store).items() if leaf["champion"]] == ["round-2-dpo"]

    rollback(store, TIM)

    assert [name for name, leaf in _leaves(store).items() if leaf["champion"]] == ["round-1-sft"]


def test_what_is_loaded_put_away_and_deleted_is_marked_and_stays(store: Store, settings: Settings) -> None:
    set_retired(store, get_model(store, "starter"), True)
    set_gone(store, get_model(store, "round-2-dpo"))

    leaves = _leaves(store, "round-1-sft")

    assert {name: (leaf["loaded"], leaf["archived"], leaf["gone"]) for name, leaf in leaves.items()} == {
        "starter": (False, True, False), "round-1-sft": (True, False, False), "round-2-dpo": (False, True, True),
    }  # fmt: skip


def test_added_adapters_and_endpoints_that_serve_hang_under_their_base(store: Store, settings: Settings) -> None:
    base = get_model(store, "starter").id
    add_model(store, "bought", "adapter", base_id=base, path="/nowhere")
    add_model(store, "far", "endpoint", url="http://127.0.0.1:9/v1", remote_name="m", serves=base)
    add_model(store, "alone", "endpoint", url="http://127.0.0.1:9/v1", remote_name="n")

    leaves = _leaves(store)

    assert [leaves[name]["from"] for name in ("bought", "far", "alone")] == ["starter", "starter", None]


def test_parents_come_before_their_children_whatever_their_age(store: Store, settings: Settings) -> None:
    store.execute("update models set created_at = created_at + 1000 where name = 'starter'")

    assert list(_leaves(store)) == ["starter", "round-1-sft", "round-2-dpo"]


def test_a_model_tells_how_it_was_made(store: Store, settings: Settings) -> None:
    told = facts(store, "round-1-sft")

    made = told["recipe"]
    assert (made["method"], made["number"], made["start"], told["author"]) == ("sft", 1, "starter", "ada")
    assert (made["options"]["epochs"], made["options"]["learning_rate"]) == (4, 5e-4), "asked for, and advised"
    assert "weight_decay" not in made["options"], "an option as the method has it"
    assert (made["rows"], made["seed"]) == (5, 0)
    assert "ratchet train sft --base starter --dataset facts" in made["command"]
    assert len(told["data_sha256"]) == 64
    assert told["evaluation"] == SOUND
    assert facts(store, "starter")["recipe"] is None


def test_a_model_tells_its_line_its_children_and_what_needs_it(store: Store, settings: Settings) -> None:
    first, second = facts(store, "round-1-sft"), facts(store, "round-2-dpo")

    assert (second["lineage"], second["base"]) == (["round-2-dpo", "round-1-sft", "starter"], "starter")
    assert (first["children"], second["children"]) == (["round-2-dpo"], [])
    assert first["needed"] == [
        "it is the champion; promote another first.",
        "the open study round-2 compares it; close the study first.",
        "the open study round-1 compares it; close the study first.",
        "round-2-dpo was trained from it; delete that first.",
    ]
    set_state(store, get_study(store, "round-2").id, "closed")
    assert facts(store, "round-2-dpo")["needed"] == []


def test_votes_are_counted_by_study_and_once_a_person(store: Store, settings: Settings) -> None:
    study = get_study(store, "round-1")
    second_vote(store, study, "a")
    second_vote(store, study, "undo")

    assert facts(store, "round-1-sft")["votes"] == [{"study": "round-1", "state": "open", "votes": 36}]
    assert facts(store, "round-2-dpo")["votes"] == []


def test_the_gate_speaks_of_candidates_and_promotions_are_told(store: Store, settings: Settings) -> None:
    champion, candidate = facts(store, "round-1-sft"), facts(store, "round-2-dpo")

    assert (champion["gate"], facts(store, "starter")["gate"]) == (None, None)
    assert (candidate["gate"]["state"], candidate["gate"]["champion"]) == ("open", "round-1-sft")
    (made,) = champion["promotions"]
    assert (made["kind"], made["author"], made["stands"]) == ("gate", "gate", True)
    assert candidate["promotions"] == []


def test_a_mixture_names_its_parts_and_who_asked_for_it(store: Store, settings: Settings) -> None:
    first, second = get_model(store, "round-1-sft"), get_model(store, "round-2-dpo")
    mix = add_model(store, "mix", "adapter", base_id=first.base_id, parent_id=first.id, path="/nowhere")
    parts = [Part(first.id, 0.7), Part(second.id, 0.3)]
    blends.add(store, NewBlend(mix.id, "ties", 0.5, 0, "ada", {"canaries": []}, parts))

    told = facts(store, "mix")

    assert told["mixed"] == [{"name": "round-1-sft", "weight": 0.7}, {"name": "round-2-dpo", "weight": 0.3}]
    assert (told["author"], told["how"], told["evaluation"]) == ("ada", "ties", {"canaries": []})
    assert (told["from"], told["lineage"]) == ("round-1-sft", ["mix", "round-1-sft", "starter"])
    assert _leaves(store)["round-1-sft"]["mixed"] == []


def test_a_renamed_model_is_found_and_says_its_earlier_name(store: Store, settings: Settings) -> None:
    rename(store, TIM, "round-1-sft", "facts-v1")

    told = facts(store, "round-1-sft")

    assert (told["name"], told["former_names"]) == ("facts-v1", ["round-1-sft"])
    assert facts(store, told["id"])["name"] == "facts-v1"
    with pytest.raises(NotFound, match='no model "never-there"'):
        facts(store, "never-there")


def test_the_card_is_the_file_beside_the_weights(store: Store, settings: Settings) -> None:
    model = get_model(store, "round-1-sft")
    assert card_of(model) is None

    (Path(model.path or "") / "README.md").write_bytes(b"# Card\xff")

    assert card_of(model) == "# Card�"
    assert card_of(set_gone(store, model)) is None


def test_figures_that_are_no_numbers_can_be_written_as_json(store: Store, settings: Settings) -> None:
    strange = {"held_out": {"loss": float("nan")}, "canaries": [{"before": float("inf"), "after": "x"}]}
    store.execute("update jobs set evaluation = ? where number = 1", [json.dumps(strange)])

    told = facts(store, "round-1-sft")["evaluation"]

    assert told == {"held_out": {"loss": None}, "canaries": [{"before": None, "after": "x"}]}
    assert json.dumps(told, allow_nan=False)
