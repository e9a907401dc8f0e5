"""What a run made becomes a model with a folder of its own."""

import pytest

from storage import jobs
from storage.models import rename
from storage.rows_training import Job, Model
from storage.store import Store
from storage.weights import hash_files
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset, first_day, prompt, write_adapter
from trainers.register import register


@pytest.fixture
def settings(store: Store) -> Settings:
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    return Settings.from_env({}, home=store.home.path)


def made_by(store: Store, job: Job) -> Model:
    """The model of a job whose run has left the same weights as every other here."""
    jobs.claim(store)
    folder = write_adapter(store.home.run(job.id) / "adapter", "starter")
    sha256 = hash_files([folder / "adapter_model.safetensors"])
    return register(store, job, store.home.run(job.id), {"adapter_sha256": sha256})


def test_equal_weights_do_not_share_the_folder_of_a_model_that_was_renamed(store: Store, settings: Settings) -> None:
    wish = Request("sft", "starter", "facts", name="taught")
    first = rename(store, made_by(store, launch(store, settings, wish)), "kept")

    second = made_by(store, launch(store, settings, wish))

    assert (first.path, first.adapter_sha256) == (str(store.home.model("taught")), second.adapter_sha256)
    assert (second.name, second.path) == ("taught-2", str(store.home.model("taught-2")))


def test_a_folder_that_a_killed_worker_left_is_taken_over(store: Store, settings: Settings) -> None:
    job = launch(store, settings, Request("sft", "starter", "facts", name="taught"))
    left = write_adapter(store.home.model("taught"), "starter")

    model = made_by(store, job)

    assert (model.name, model.path) == ("taught", str(left))
