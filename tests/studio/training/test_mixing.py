"""Mixtures: what is refused before anything is computed, what is noted, and the round that judges them."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage import blends, rounds
from storage.blends import NewBlend, Part
from storage.comparisons import get_study
from storage.errors import BadInput, Conflict, Forbidden, RatchetError, Refused
from storage.models import add_model, get_model, lineage, set_gone
from storage.rows_training import Model
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import gate, ledger
from studio.rounds.champion import champion
from studio.rounds.promoting import promote
from studio.rounds.replaying import replay
from studio.rounds.timeline import Material, timeline
from studio.rounds.undoing import Blame, touched
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.mixing import Recipe, mix, mixable, propose
from studio.training.model_keeping import delete
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
    write_base,
)

TIM, ANNA = Actor("tim", "trainer"), Actor("anna", "annotator")


def adapter(store: Store, name: str, base: str = "starter", **config: Any) -> Model:
    """An adapter as far as it can be told without loading it."""
    folder = write_adapter(store.home.model(name), base)
    said = json.loads((folder / "adapter_config.json").read_text()) | config
    (folder / "adapter_config.json").write_text(json.dumps(said))
    on = get_model(store, base)
    return add_model(store, name, "adapter", base_id=on.id, parent_id=on.id, path=str(folder))


def mixture(store: Store, name: str, *parts: Model, evaluation: dict[str, Any] | None = None) -> Model:
    """What mixing leaves in the store."""
    base = get_model(store, "starter")
    folder = write_adapter(store.home.model(name), "starter")
    model = add_model(store, name, "adapter", base_id=base.id, parent_id=parts[0].id, path=str(folder))
    went = [Part(part.id, 1 / len(parts)) for part in parts]
    blends.add(store, NewBlend(model.id, "cat", None, 0, "tim", evaluation or SOUND, went))
    return model


@pytest.fixture
def ready(store: Store) -> Store:
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    adapter(store, "terse")
    adapter(store, "warm")
    return store


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"how": "soup"}, 'Models are mixed by linear, ties, dare_linear, dare_ties, cat, not by "soup".'),
        ({"models": ("terse",)}, "Name 2 to 8 adapters to mix, not 1."),
        ({"models": ("terse", "terse")}, "Name each adapter once"),
        ({"weights": (1.0,)}, "2 adapters need 2 weights, not 1."),
        ({"weights": (1.0, 0.0)}, "A weight lies between -10 and 10, not 0."),
        ({"weights": (1.0, float("nan"))}, "A weight lies between -10 and 10, not nan."),
        ({"density": 0.0}, "The density is the share of weights that is kept, above 0 up to 1, not 0."),
        ({"name": "../x"}, "cannot be a name"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Recipe(**({"name": "both", "models": ("terse", "warm")} | values))
    assert sentence in str(refusal.value)


def test_without_weights_all_count_alike() -> None:
    assert Recipe("both", ("terse", "warm")).shares == (0.5, 0.5)


@pytest.mark.parametrize(
    ("other", "config", "how", "sentence"),
    [
        ("starter", {}, "cat", '"starter" is of kind base; only adapters can be mixed.'),
        ("wide", {"r": 16}, "linear", "needs adapters of one rank (terse has 4, wide has 16); mix them by cat"),
        ("dora", {"use_dora": True}, "cat", '"dora" is a DoRA adapter'),
        ("headed", {"modules_to_save": ["lm_head"]}, "cat", '"headed" also trains whole layers of its base'),
    ],
)
def test_what_does_not_fit_together_is_refused(
    ready: Store, other: str, config: dict[str, Any], how: str, sentence: str
) -> None:
    if config:
        adapter(ready, other, **config)

    with pytest.raises(RatchetError) as refusal:
        mixable(ready, Recipe("both", ("terse", other), how))
    assert sentence in str(refusal.value)


def test_unlike_ranks_are_mixed_by_cat(ready: Store) -> None:
    adapter(ready, "wide", r=16)

    assert [part.name for part in mixable(ready, Recipe("both", ("terse", "wide"), "cat"))] == ["terse", "wide"]


def test_adapters_on_two_bases_are_refused(ready: Store, tmp_path: Path) -> None:
    add_model(ready, "other", "base", path=str(write_base(tmp_path / "other")))
    adapter(ready, "far", "other")

    with pytest.raises(Refused, match='"terse" lies on starter and "far" on other; only adapters on one base'):
        mixable(ready, Recipe("both", ("terse", "far")))


def test_what_was_deleted_cannot_be_mixed(ready: Store) -> None:
    set_gone(ready, get_model(ready, "warm"))

    with pytest.raises(Refused, match='The weights of "warm" were deleted'):
        mixable(ready, Recipe("both", ("terse", "warm")))


def test_a_taken_name_and_a_role_without_the_right_are_refused_before_anything_is_computed(ready: Store) -> None:
    with pytest.raises(Conflict, match='A model named "warm" exists already'):
        mix(ready, TIM, Recipe("warm", ("terse", "warm")))
    with pytest.raises(Forbidden):
        mix(ready, ANNA, Recipe("both", ("terse", "warm")))


def test_the_lineage_of_a_mixture_holds_all_that_it_came_from(ready: Store) -> None:
    terse, warm = get_model(ready, "terse"), get_model(ready, "warm")
    both = mixture(ready, "both", terse, warm)

    assert [model.name for model in lineage(ready, both)] == ["both", "terse", "warm", "starter"]
    assert blends.parts_of(ready, both.id) == [Part(terse.id, 0.5), Part(warm.id, 0.5)]
    assert [model.name for model in lineage(ready, warm)] == ["warm", "starter"]


def test_a_part_is_not_deleted_under_its_mixture(ready: Store) -> None:
    mixture(ready, "both", get_model(ready, "terse"), get_model(ready, "warm"))

    with pytest.raises(Refused, match=r'"warm" cannot be deleted: both was mixed from it; delete that first.'):
        delete(ready, TIM, "warm")


def test_a_mixture_gets_a_round_of_its_own_and_passes_the_gate_by_votes(ready: Store) -> None:
    both = mixture(ready, "both", get_model(ready, "terse"), get_model(ready, "warm"))

    said = propose(ready, TIM, "both")

    assert said == {"model": "both", "round": 1, "study": "round-1"}
    turn = rounds.get_round(ready, 1)
    first = champion(ready)
    assert first is not None
    assert (turn.model_id, turn.job_id, turn.against_id) == (both.id, None, first.id)
    found = gate.report(ready, turn)
    assert found is not None
    assert {check.name: check.state for check in found.checks} == {
        "votes": "open", "canaries": "holds", "forgetting": "holds",
    }  # fmt: skip
    for one in prompts_of("measure", 30):
        vote(ready, get_study(ready, "round-1"), one, "b")
    (card,) = timeline(ready)
    assert (card.job, card.material) == (None, Material(mixed=("terse", "warm")))
    assert promote(ready, TIM).champion == "both"
    with pytest.raises(Refused, match='"both", the candidate of round 1, was mixed and not trained'):
        replay(ready, 1)


def test_a_mixture_that_was_not_measured_or_forgets_does_not_pass(ready: Store) -> None:
    forgets = {"forgetting": {"earlier": None, "base_answers": {"before": 0.5, "after": 4.0, "rows": 8}}}
    mixture(ready, "both", get_model(ready, "terse"), get_model(ready, "warm"), evaluation={**SOUND, **forgets})
    propose(ready, TIM, "both")

    found = gate.report(ready, rounds.get_round(ready, 1))

    assert found is not None
    assert (found.state, found.reason) == ("fails", "The loss on what the base said rose by 3.50 (limit 0.5).")


def test_an_adapter_from_elsewhere_can_be_proposed_and_lacks_what_was_not_measured(ready: Store) -> None:
    propose(ready, TIM, "warm")

    found = gate.report(ready, rounds.get_round(ready, 1))

    assert found is not None
    assert [check.state for check in found.checks] == ["open", "open", "open"]


def test_votes_on_prompts_that_any_part_learnt_from_do_not_count(ready: Store) -> None:
    """The lineage decides whose training is left out: the second part's as well as the first's."""
    settings = Settings.from_env({}, home=ready.home.path)
    learnt = run_to_the_end(ready, launch(ready, settings, Request("sft", "starter", dataset="facts")))
    ledger.catch_up(ready)
    mixture(ready, "both", get_model(ready, "warm"), learnt)
    propose(ready, TIM, "both")
    study = get_study(ready, "round-2")
    vote(ready, study, prompt("q1"), "b")
    vote(ready, study, prompts_of("measure", 1)[0], "b")

    from studio.rounds.standing import standing

    found = standing(ready, rounds.get_round(ready, 2))

    assert found is not None
    assert (found.votes, found.left_out) == (1, 1)


def test_a_mixture_is_touched_by_what_any_of_its_parts_learnt(ready: Store) -> None:
    settings = Settings.from_env({}, home=ready.home.path)
    learnt = run_to_the_end(ready, launch(ready, settings, Request("sft", "starter", dataset="facts")))
    mixture(ready, "both", get_model(ready, "warm"), learnt)

    found = touched(ready, Blame("version", dataset="facts", number=1))

    assert [(one.model.name, one.how) for one in found] == [
        (learnt.name, "learnt from version 1 of facts"), ("both", f"was mixed from {learnt.name}"),
    ]  # fmt: skip


def test_while_a_training_runs_there_is_no_round_for_a_mixture_and_it_says_why(ready: Store) -> None:
    settings = Settings.from_env({}, home=ready.home.path)
    launch(ready, settings, Request("sft", "starter", dataset="facts"))

    with pytest.raises(Conflict, match=r"Round 1 waits for job 1; let it end, or stop it \(`ratchet stop 1`\)."):
        propose(ready, TIM, "warm")


def test_nobody_is_proposed_twice_and_the_champion_not_at_all(ready: Store) -> None:
    propose(ready, TIM, "warm")

    with pytest.raises(Conflict, match=r'"warm" has its round already.'):
        propose(ready, TIM, "warm")
    with pytest.raises(Conflict, match='"starter" is the champion already'):
        propose(ready, TIM, "starter")
