"""Presets: options for a purpose that fit model, rows and machine, and say why."""

import pytest

from storage.errors import BadInput
from storage.specs.advice import advise
from storage.specs.options import parse_options
from storage.specs.presets import PRESETS, Hardware, Preset, preset_named, presets
from storage.specs.registry import METHODS, method_named
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.planning import plan
from studio.training.request import Request
from tests.studio.training.project import add_dataset, add_starter, conversation, run_to_the_end

LAPTOP = Hardware(16.0)
SERVER = Hardware(64.0, accelerator=True, four_bit=True)


def made(method: str, parameters: int | None, rows: int, hardware: Hardware = LAPTOP) -> dict[str, Preset]:
    advice = advise(method, parameters, rows)
    return {one.name: one for one in presets(method_named(method), advice, rows, parameters, hardware)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("parameters", [None, 3_000_000, 100_000_000, 7_000_000_000])
@pytest.mark.parametrize("rows", [1, 49, 50, 100_000])
@pytest.mark.parametrize("hardware", [LAPTOP, SERVER], ids=["laptop", "server"])
def test_every_preset_of_every_method_can_be_started_as_it_is(
    method: str, parameters: int | None, rows: int, hardware: Hardware
) -> None:
    found = made(method, parameters, rows, hardware)

    assert tuple(found) == PRESETS
    for preset in found.values():
        parse_options(method_named(method).options, preset.options)
        assert preset.title and preset.why.endswith(".")


def test_balanced_is_the_advice() -> None:
    advice = advise("sft", 3_000_000, 400)

    assert (made("sft", 3_000_000, 400)["balanced"].options, made("sft", 3_000_000, 400)["balanced"].why) == advice


def test_a_quick_look_takes_a_fifth_of_the_steps_and_never_more_than_sixty() -> None:
    few, many = made("sft", 3_000_000, 40)["quick"], made("sft", 3_000_000, 100_000)["quick"]

    assert few.options["max_steps"] == 20  # 5 a pass, 20 passes
    assert many.options["max_steps"] == 60
    assert few.why.startswith("20 steps instead of 100: enough to see")


def test_careful_halves_the_step_size_and_takes_longer_but_not_where_longer_does_harm() -> None:
    usual, careful = made("sft", 3_000_000, 40)["balanced"], made("sft", 3_000_000, 40)["careful"]
    pairs = made("dpo", 3_000_000, 40)

    assert careful.options["learning_rate"] == usual.options["learning_rate"] / 2
    assert careful.options["epochs"] == usual.options["epochs"] * 1.5
    assert pairs["careful"].options["epochs"] == pairs["balanced"].options["epochs"]
    assert "more of them cost correct answers" in pairs["careful"].why


def test_careful_holds_rows_out_where_there_are_enough() -> None:
    assert "patience" not in made("sft", 3_000_000, 49)["careful"].options
    options = made("sft", 3_000_000, 50)["careful"].options
    assert (options["patience"], options["keep"], options["held_out"]) == (3, "best", 0.1)


def test_low_memory_is_small_everywhere_and_four_bit_only_where_that_works() -> None:
    here, there = (made("sft", 7_000_000_000, 400, machine)["low-memory"] for machine in (LAPTOP, SERVER))

    assert (here.options["batch_size"], here.options["max_length"], here.options["lora_r"]) == (2, 512, 8)
    assert "tuning" not in here.options
    assert there.options["tuning"] == "qlora"
    assert here.why == ("For this machine (16 GB) and a base of about 26.1 GB: 2 rows at once, rows cut at 512 tokens.")


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match='no preset "best"; there are quick, balanced, careful, low-memory'):
        preset_named("best", tuple(made("sft", None, 1).values()))


@pytest.fixture
def ready(store: Store) -> Store:
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(60)])
    return store


def test_a_plan_offers_all_presets_and_follows_the_one_that_is_asked_for(ready: Store) -> None:
    told = plan(ready, Request("sft", "starter", dataset="facts", preset="quick")).to_json()

    assert [preset["name"] for preset in told["presets"]] == list(PRESETS)
    quick = told["presets"][0]
    assert told["why"] == quick["why"]
    assert {item["name"]: item["value"] for item in told["fields"]}["max_steps"] == quick["options"]["max_steps"]
    assert told["steps"] == quick["options"]["max_steps"]
    assert told["command"].endswith("--preset quick")


def test_what_a_person_sets_counts_more_than_the_preset(ready: Store) -> None:
    thought = plan(ready, Request("sft", "starter", dataset="facts", preset="quick", options={"max_steps": 7}))

    assert thought.options["max_steps"] == 7


def test_an_unknown_preset_is_one_refusal_of_the_plan(ready: Store) -> None:
    thought = plan(ready, Request("sft", "starter", dataset="facts", preset="best"))

    assert [refusal.partition(";")[0] for refusal in thought.refusals] == ['There is no preset "best"']


def test_a_plan_draws_where_it_starts_and_what_it_becomes(ready: Store) -> None:
    told = plan(ready, Request("sft", "starter", dataset="facts", name="mine")).to_json()

    assert told["diagram"] == [{"label": "starts at", "name": "starter"}, {"label": "becomes", "name": "mine"}]
    assert (told["starts"], told["needs"]["teacher"], told["needs"]["rewards"]) == ([], False, False)


def test_from_an_adapter_a_plan_offers_three_starts_and_draws_the_chosen_one(
    ready: Store, home_settings: Settings
) -> None:
    run_to_the_end(ready, launch(ready, home_settings, Request("sft", "starter", dataset="facts", name="first")))
    pairs = [{"prompt": [{"role": "user", "content": f"q{n}"}], "chosen": "y", "rejected": "n"} for n in range(4)]
    add_dataset(ready, "pairs", "preference", pairs)

    told = plan(ready, Request("dpo", "first", dataset="pairs", name="second")).to_json()
    fresh = plan(ready, Request("dpo", "first", dataset="pairs", name="second", start="fresh")).to_json()

    assert [start["name"] for start in told["starts"]] == ["continue", "stack", "fresh"]
    assert [box["name"] for box in told["diagram"]] == ["first", "first", "second"]
    assert [box["label"] for box in told["diagram"]] == ["starts at", "reference", "becomes"]
    assert [box["name"] for box in fresh["diagram"]] == ["starter", "starter", "second"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_says_which_models_it_needs_beside_the_base(method: str, ready: Store) -> None:
    needs = plan(ready, Request(method, "starter", dataset="facts")).to_json()["needs"]

    assert needs["teacher"] == (method == "distill")
    assert needs["rewards"] == (method in ("rloo", "grpo"))
    assert needs["replay"] == (method in ("sft", "pretrain"))
