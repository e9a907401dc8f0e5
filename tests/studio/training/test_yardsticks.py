"""What lies beside a run's rows to measure it: labels of its rows, rows of the run before, the project's canaries."""

import json
from pathlib import Path

import pytest

from storage import batches, datasets, examples
from storage.runs import thaw_rows
from storage.specs.run import RunSpec
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset, add_starter, conversation, prompt, run_to_the_end


def add_tagged(store: Store, name: str) -> None:
    dataset = datasets.create_dataset(store, name, "sft")
    batch = batches.open_batch(store, dataset.id, "import", "me")
    drafts = [
        examples.Draft(conversation(f"q{at}", f"a{at}"), "words", tags=("odd",) if at % 2 else ()) for at in range(4)
    ]
    examples.add_examples(store, batch, drafts)
    batches.publish(store, batch)


@pytest.fixture
def ready(store: Store) -> Store:
    add_starter(store)
    add_tagged(store, "facts")
    return store


def folder_of(store: Store, settings: Settings, request: Request) -> Path:
    return store.home.run(launch(store, settings, request).id)


def test_tags_and_languages_come_with_the_rows_that_have_them(ready: Store, home_settings: Settings) -> None:
    known = ready.one("select revision_id from examples order by id limit 1")
    assert known is not None
    ready.execute("insert into check_suites (checks) values ('{}')")
    ready.execute("insert into checked (revision_id, suite_id, language) values (?, 1, 'de')", [known["revision_id"]])

    folder = folder_of(ready, home_settings, Request("sft", "starter", dataset="facts"))

    labels = thaw_rows(folder / "labels.parquet")
    rows = [row["id"] for row in thaw_rows(folder / "data.parquet")]
    assert [(rows.index(label["id"]), json.loads(label["tags"]), label["language"]) for label in labels] == [
        (0, [], "de"),
        (1, ["odd"], None),
        (3, ["odd"], None),
    ]
    assert sorted(RunSpec.read(folder).extras) == ["labels"]


def test_rows_of_the_run_before_show_what_is_forgotten(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, Request("sft", "starter", dataset="facts"))
    first = run_to_the_end(ready, job)
    add_dataset(ready, "others", "sft", [conversation("q", "a"), conversation("p", "b")])

    folder = folder_of(ready, home_settings, Request("sft", first.name, dataset="others"))

    assert thaw_rows(folder / "earlier.parquet") == thaw_rows(ready.home.run(job.id) / "data.parquet")


def test_a_dataset_of_that_name_holds_the_canaries(ready: Store, home_settings: Settings) -> None:
    add_dataset(ready, "canaries", "prompts", [{"prompt": prompt("Sing!")}])

    folder = folder_of(ready, home_settings, Request("sft", "starter", dataset="facts"))

    (canary,) = thaw_rows(folder / "canaries.parquet")
    assert json.loads(canary["prompt"]) == prompt("Sing!")
