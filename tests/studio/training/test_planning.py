"""A plan says before the start what would happen, and everything that stands against it."""

import math
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from storage import models
from storage.specs.advice import advise
from storage.specs.registry import METHODS
from storage.specs.reporting import TRACKERS
from storage.store import Store
from studio.settings import Settings
from studio.training.devices import SEVERAL
from studio.training.launching import launch
from studio.training.planning import plan
from studio.training.request import Request
from tests.studio.training.project import (
    add_dataset,
    add_starter,
    add_study,
    conversation,
    prompts_of,
    run_to_the_end,
    vote,
)


@pytest.fixture
def ready(store: Store) -> Store:
    """A store with the starter and fifty examples."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(50)])
    return store


@pytest.mark.parametrize(
    ("method", "devices", "refusals"),
    [
        ("sft", 4, []),
        ("sft", 0, ["A training needs at least one device, not 0."]),
        ("classify", 2, [f'"classify" trains on one device, not on 2; on several can {", ".join(SEVERAL)}.']),
    ],
)  # fmt: skip
def test_only_batches_that_can_be_shared_out_want_several_devices(
    method: str, devices: int, refusals: list[str], ready: Store
) -> None:
    said = plan(ready, Request(method, "starter", dataset="facts", devices=devices)).refusals

    assert [sentence for sentence in said if "device" in sentence] == refusals


def test_a_tracker_that_is_not_installed_is_refused_with_the_line_to_type(ready: Store) -> None:
    asked = Request("sft", "starter", dataset="facts", options={"report_to": "no-such-tracker"})
    absent = [name for name in TRACKERS[1:] if find_spec(name) is None]

    assert 'Option "report_to" is one of none, tensorboard, trackio, wandb' in plan(ready, asked).refusals[0]
    for name in absent:
        (refusal,) = plan(ready, replace(asked, options={"report_to": name})).refusals
        assert refusal == (
            f"Reporting to {name} needs a package that is not installed here: pip install 'ratchet-studio[{name}]'. "
            "Or set report_to=none; the page shows the curves in any case."
        )


def test_a_plan_tells_rows_steps_name_and_why(ready: Store) -> None:
    said = plan(ready, Request("sft", "starter", dataset="facts")).to_json()

    steps = math.ceil(6 * advise("sft", 3_000_000, 45).options["epochs"])  # 5 of 50 rows are held out
    assert (said["rows"], said["steps"], said["becomes"], said["refusals"]) == (50, steps, "round-1-sft", [])
    assert said["material"] == '50 rows of dataset "facts"'
    assert "3.0 million weights (tiny)" in said["why"]
    assert f"45 rows are seen 20 times, {steps} steps in all." in said["why"]
    assert said["reference"] is None
    assert said["seconds"] is None


def test_advice_gives_way_to_what_was_asked_for(ready: Store) -> None:
    thought = plan(ready, Request("sft", "starter", dataset="facts", options={"epochs": "2", "batch_size": 10}))

    assert (thought.options["epochs"], thought.options["learning_rate"]) == (
        2.0,
        advise("sft", 3_000_000, 50).options["learning_rate"],
    )
    assert thought.steps == 10


def test_a_limit_of_steps_counts_more_than_epochs(ready: Store) -> None:
    assert plan(ready, Request("sft", "starter", dataset="facts", options={"max_steps": 7})).steps == 7


def test_every_refusal_is_said_at_once(ready: Store) -> None:
    thought = plan(ready, Request("sft", "nobody", dataset="nothing", name="bad name", options={"epochs": "many"}))

    assert [refusal.split(";")[0] for refusal in thought.refusals] == [
        'There is no model "nobody"',
        'There is no dataset "nothing"',
        'Option "epochs" needs a number, not "many".',
        (
            '"bad name" cannot be a name: use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a '
            "letter or a digit."
        ),
    ]


def test_an_unknown_method_is_one_refusal_and_no_crash(ready: Store) -> None:
    assert plan(ready, Request("ppo", "starter", dataset="facts")).refusals == [
        f'There is no training method "ppo"; there are {", ".join(METHODS)}.'
    ]


@pytest.mark.parametrize("epochs", [0, 101, "nan"])
def test_an_option_out_of_range_is_refused_with_the_range(ready: Store, epochs: object) -> None:
    thought = plan(ready, Request("sft", "starter", dataset="facts", options={"epochs": epochs}))

    assert len(thought.refusals) == 1
    assert 'Option "epochs" lies between 0.01 and 100' in thought.refusals[0]


def test_an_endpoint_cannot_be_trained(ready: Store) -> None:
    models.add_model(ready, "far", "endpoint", url="https://host/v1", remote_name="big")

    refusal = plan(ready, Request("sft", "far", dataset="facts")).refusals[0]

    assert refusal.startswith('"far" answers from https://host/v1: its weights are not on this machine')


def test_weights_that_are_gone_are_said_before_the_start(ready: Store) -> None:
    folder = Path(models.get_model(ready, "starter").path or "")
    folder.rename(folder.with_name("elsewhere"))

    assert plan(ready, Request("sft", "starter", dataset="facts")).refusals == [
        f'The weights of "starter" are no longer in {folder}; bring the folder back or choose another model.'
    ]


def test_dpo_from_an_adapter_is_held_against_that_adapter(ready: Store, home_settings: Settings) -> None:
    pairs = [{"prompt": [{"role": "user", "content": f"q{n}"}], "chosen": "y", "rejected": "n"} for n in range(4)]
    add_dataset(ready, "pairs", "preference", pairs)
    job = launch(ready, home_settings, Request("sft", "starter", dataset="facts"))
    run_to_the_end(ready, job)

    from_adapter = plan(ready, Request("dpo", "round-1-sft", dataset="pairs"))
    from_base = plan(ready, Request("dpo", "starter", dataset="pairs"))

    assert from_adapter.origin is not None
    assert (from_adapter.origin.reference, from_adapter.to_json()["reference"]) == ("previous", "round-1-sft")
    assert from_base.origin is not None
    assert (from_base.origin.reference, from_base.to_json()["reference"]) == ("base", "starter")


def test_a_name_is_taken_by_a_model_and_by_a_job_that_will_make_one(ready: Store, home_settings: Settings) -> None:
    launch(ready, home_settings, Request("sft", "starter", dataset="facts", name="mine"))

    assert plan(ready, Request("sft", "starter", dataset="facts", name="mine")).refusals == [
        'The name "mine" is taken by a model or a waiting job; choose another one.'
    ]
    assert plan(ready, Request("sft", "starter", dataset="facts", name="starter")).refusals != []


def test_time_is_told_from_earlier_runs_of_the_same_method_on_the_same_base(
    ready: Store, home_settings: Settings
) -> None:
    job = launch(ready, home_settings, Request("sft", "starter", dataset="facts"))
    run_to_the_end(ready, job, steps=10)
    ready.execute(
        "update jobs set started_at = 100, finished_at = 115, seconds_to_first_step = 5 where id = ?", [job.id]
    )

    assert plan(ready, Request("sft", "starter", dataset="facts", options={"max_steps": 20})).seconds == 25.0
    assert plan(ready, Request("dpo", "starter", study="none")).seconds is None


@pytest.mark.parametrize("size", [4, "4", 4.0])
def test_epochs_are_advised_for_the_batch_size_that_was_asked_for(ready: Store, size: object) -> None:
    """However it is written: a form sends words."""
    usual = plan(ready, Request("sft", "starter", dataset="facts"))
    asked = plan(ready, Request("sft", "starter", dataset="facts", options={"batch_size": size}))

    assert (asked.options["batch_size"], asked.options["epochs"]) == (4, 10.0)
    assert usual.options["epochs"] == 20.0


@pytest.fixture
def voted(ready: Store) -> Store:
    """The same with a study of six votes that say how much better, and a tie; all may train."""
    starter = models.get_model(ready, "starter")
    study = add_study(ready, "first-look", starter, starter)
    *asked, last = prompts_of("train", 7)
    for one in asked:
        vote(ready, study, one, "a")
    vote(ready, study, last, "tie")
    ready.execute("update votes set strength = 3 where choice = 'a'")
    return ready


def test_how_much_better_is_learnt_where_votes_say_it(voted: Store) -> None:
    thought = plan(voted, Request("dpo", "starter", study="first-look"))

    assert thought.options["margin_scale"] == 0.333
    assert thought.to_json()["why"].endswith("the strongest asks for a lead of 1 in reward, others for less.")
    without = plan(voted, Request("dpo", "starter", study="first-look", votes="majority,margin=none"))
    assert without.options["margin_scale"] == 0.0


def test_a_loss_that_cannot_use_what_votes_say_is_refused(voted: Store) -> None:
    def refusals(votes: str, **options: object) -> list[str]:
        wish = Request("dpo", "starter", study="first-look", votes=votes, options=options)
        return plan(voted, wish).refusals

    (refusal,) = refusals("majority,ties=keep", loss_type="hinge")
    assert refusal.startswith(
        'The loss "hinge" cannot use the margins and ties of these votes; choose the loss sigmoid'
    )
    assert refusals("majority", loss_type="hinge", margin_scale=0) == []
    assert refusals("majority,margin=none", loss_type="ipo") == []
    assert refusals("majority,ties=keep") == []


def test_kept_ties_are_rows_of_the_run(voted: Store) -> None:
    thought = plan(voted, Request("dpo", "starter", study="first-look", votes="majority,ties=keep"))

    assert thought.survey is not None
    assert (thought.survey.rows, thought.survey.sentence) == (7, "6 pairs and 1 tie from 7 votes")
    assert thought.to_json()["command"] == (
        "ratchet train dpo --base starter --votes majority,ties=keep --study first-look"
    )


def test_an_unknown_option_of_a_policy_is_said(voted: Store) -> None:
    (refusal,) = plan(voted, Request("dpo", "starter", study="first-look", votes="majority,ties=some")).refusals

    assert refusal == '"ties" is one of drop, keep, not "some".'
