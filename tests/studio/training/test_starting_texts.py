"""Continued pretraining, replay and ways to start, from what is asked for to what the run is given."""

from dataclasses import replace

import pytest

from storage.errors import BadInput
from storage.runs import thaw_rows
from storage.specs.run import RunSpec
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.planning import plan
from studio.training.request import Request, command_line
from tests.studio.training.project import add_dataset, add_starter, conversation, run_to_the_end

PAGES = Request("pretrain", "starter", dataset="pages", replay="facts", options={"replay_share": 0.4})


@pytest.fixture
def ready(store: Store) -> Store:
    """A store with the starter, three texts and five conversations."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(5)])
    add_dataset(store, "pages", "text", [{"text": f"Page {n} tells of {n} ships."} for n in range(3)])
    return store


def test_texts_are_frozen_with_the_rows_to_replay_beside_them(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, PAGES)

    folder = ready.home.run(job.id)
    spec = RunSpec.read(folder)
    assert [row["text"] for row in thaw_rows(folder / "data.parquet")] == [
        f"Page {n} tells of {n} ships." for n in range(3)
    ]
    replayed = thaw_rows(folder / "replay.parquet")
    assert [(row["text"], row["messages"] is not None) for row in replayed] == [(None, True)] * 5
    assert list(spec.extras) == ["replay"]
    assert (spec.options["replay_share"], spec.rows) == (0.4, 3)
    assert "--replay facts" in command_line(PAGES)


def test_what_is_replayed_must_be_what_the_method_learns_from(ready: Store, home_settings: Settings) -> None:
    with pytest.raises(BadInput, match='"pages" holds text rows, and SFT learns from'):
        launch(ready, home_settings, Request("sft", "starter", dataset="facts", replay="pages"))


@pytest.mark.parametrize(
    ("start", "adapter", "reference"), [(None, True, "previous"), ("stack", True, "previous"), ("fresh", False, "base")]
)
def test_a_start_says_which_adapter_it_needs_and_what_it_compares_with(
    start: str | None, adapter: bool, reference: str, ready: Store, home_settings: Settings
) -> None:
    first = run_to_the_end(ready, launch(ready, home_settings, Request("sft", "starter", dataset="facts")))

    job = launch(ready, home_settings, Request("sft", first.name, dataset="facts", start=start))

    spec = RunSpec.read(ready.home.run(job.id))
    assert spec.start == (start or "continue")
    assert spec.adapter_path == (first.path if adapter else None)
    assert spec.reference == reference


def test_the_step_size_advised_follows_what_is_trained(ready: Store) -> None:
    asked = Request("sft", "starter", dataset="facts")

    rates = {
        tuning: plan(ready, replace(asked, options={"tuning": tuning})).options["learning_rate"]
        for tuning in ("lora", "full")
    }

    assert rates["full"] < rates["lora"]
