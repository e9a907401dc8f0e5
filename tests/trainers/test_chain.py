"""A plan of two phases, really trained: the second goes on from what the first made, and tells what it did to it."""

from pathlib import Path

import pytest

from storage import jobs
from storage.models import get_model
from storage.specs.run import RunSpec
from storage.store import Store
from studio.settings import Settings
from studio.training.phases import launch_plan
from tests.studio.training.project import add_dataset, conversation
from tests.trainers import building

pytestmark = pytest.mark.torch
OPTIONS = {"max_steps": 3, "learning_rate": 2e-3}


@pytest.fixture
def project(store: Store, tiny_base: Path) -> Settings:
    """Two datasets, and a tiny base."""
    building.add_base(store, tiny_base)
    for name, word in (("english", "apple"), ("german", "Apfel")):
        add_dataset(store, name, "sft", [conversation(f"{word} {n}?", f"{word} {n}!") for n in range(12)])
    return Settings.from_env({"RATCHET_THREADS": "2"}, home=store.home.path)


@pytest.mark.slow
def test_the_second_phase_goes_on_from_the_model_of_the_first(store: Store, project: Settings) -> None:
    phases = [
        {"method": "sft", "base": "tiny", "dataset": "english", "name": "first", "options": OPTIONS},
        {"method": "sft", "dataset": "german", "name": "second", "options": OPTIONS},
    ]
    queued = launch_plan(store, project, phases).jobs

    building.run_worker(store)

    first, second = (jobs.get_job(store, job.id) for job in queued)
    assert [(job.status, job.error) for job in (first, second)] == [("done", None)] * 2
    models = [get_model(store, name) for name in ("tiny", "first", "second")]
    assert [model.parent_id for model in models] == [None, models[0].id, models[1].id]
    assert [model.base_id for model in models[1:]] == [models[0].id] * 2
    spec = RunSpec.read(store.home.run(second.id))
    assert (spec.adapter_path, spec.awaits_base) == (models[1].path, False)
    assert second.started_at is not None and first.finished_at is not None
    assert second.started_at >= first.finished_at
    damage = (second.evaluation or {})["forgetting"]["earlier"]
    assert damage["rows"] > 0, "what the second phase did to what the first had taught was measured"
    assert damage["before"] != damage["after"]


@pytest.mark.slow
def test_where_the_first_phase_fails_the_second_waits_with_a_sentence(store: Store, project: Settings) -> None:
    from storage.queueing import reason

    phases = [
        {"method": "sft", "base": "tiny", "dataset": "english", "name": "first", "options": OPTIONS},
        {"method": "sft", "dataset": "german", "name": "second", "options": OPTIONS},
    ]
    first, second = launch_plan(store, project, phases).jobs
    (store.home.run(first.id) / "data.parquet").write_bytes(b"torn")

    building.run_worker(store)

    assert [jobs.get_job(store, job.id).status for job in (first, second)] == ["failed", "queued"]
    assert reason(store, second).startswith("It builds on job 1 (first), which has failed: resume or retry that one")
