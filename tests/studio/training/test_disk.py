"""The disk: what is told, what goes, and what never goes."""

import os
from pathlib import Path

import pytest

from storage import jobs
from storage.errors import Conflict
from storage.home import write_json
from storage.models import get_model
from storage.rows_training import Job
from storage.store import Store
from studio.settings import Settings
from studio.training.disk import clean, size, usage
from studio.training.launching import launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset, add_starter, conversation, run_to_the_end, write_adapter


@pytest.fixture
def ready(store: Store) -> Store:
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(5)])
    return store


def started(store: Store, settings: Settings) -> Job:
    return launch(store, settings, Request("sft", "starter", dataset="facts"))


def checkpoint(folder: Path, step: int, whole: bool = True) -> Path:
    made = folder / "checkpoints" / f"checkpoint-{step}"
    made.mkdir(parents=True)
    (made / "optimizer.pt").write_bytes(bytes(1000))
    if whole:
        write_json(made / "complete.json", {"step": step, "files": {"optimizer.pt": 1000}})
    return made


def finished(store: Store, settings: Settings) -> tuple[Job, Path]:
    """A done job whose adapter lies in its run and among the models, with a checkpoint."""
    job = started(store, settings)
    folder = store.home.run(job.id)
    write_adapter(folder / "adapter", "starter")
    checkpoint(folder, 3)
    run_to_the_end(store, job)
    return jobs.get_job(store, job.id), folder


def test_of_a_finished_run_checkpoints_and_copies_go_and_the_record_stays(
    ready: Store, home_settings: Settings
) -> None:
    job, folder = finished(ready, home_settings)
    before = size(folder)

    found = clean(ready)

    assert sorted(path.name for path in folder.iterdir()) == ["data.parquet", "events.jsonl", "spec.json"]
    assert found["removed"] == [f"runs/{job.id}/checkpoints", f"runs/{job.id}/adapter"]
    assert found["freed"] == before - size(folder) > 0
    assert Path(str(get_model(ready, job.name).path)).is_dir()
    assert clean(ready)["removed"] == []


def test_weights_that_lie_nowhere_else_stay(ready: Store, home_settings: Settings) -> None:
    job, folder = finished(ready, home_settings)
    (Path(str(get_model(ready, job.name).path)) / "adapter_model.safetensors").unlink()

    clean(ready)

    assert (folder / "adapter").is_dir()
    (run,) = usage(ready)["runs"]
    assert (run["number"], run["needed"]) == (job.number, "Its weights lie nowhere else.")


def test_a_run_that_can_be_resumed_keeps_its_newest_whole_checkpoint(ready: Store, home_settings: Settings) -> None:
    job = started(ready, home_settings)
    folder = ready.home.run(job.id)
    for step in (3, 6):
        checkpoint(folder, step)
    checkpoint(folder, 9, whole=False)
    (folder / "checkpoints" / "best").mkdir()
    jobs.claim(ready)
    jobs.finish(ready, job.id, "failed", error={"kind": "vanished", "sentence": "x", "fix": "y"})

    assert sorted(clean(ready)["removed"]) == [
        f"runs/{job.id}/checkpoints/checkpoint-3",
        f"runs/{job.id}/checkpoints/checkpoint-9",
    ]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["best", "checkpoint-6"]
    (run,) = usage(ready)["runs"]
    assert (run["freeable"], run["needed"]) == (0, "It can be resumed from its last checkpoint.")


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_that_waits_or_works_is_left_alone(status: str, ready: Store, home_settings: Settings) -> None:
    job = started(ready, home_settings)
    checkpoint(ready.home.run(job.id), 3, whole=False)
    if status == "running":
        jobs.claim(ready)

    assert clean(ready)["removed"] == []
    with pytest.raises(Conflict, match=f"is {status}: it needs all of its folder"):
        clean(ready, [job.id])
    assert usage(ready)["runs"][0]["needed"] == "It waits or works."


def test_only_the_named_jobs_are_cleaned_and_a_dry_run_removes_nothing(ready: Store, home_settings: Settings) -> None:
    first, first_folder = finished(ready, home_settings)
    _, second_folder = finished(ready, home_settings)

    said = clean(ready, [str(first.number)], dry=True)
    assert (first_folder / "checkpoints").is_dir()
    done = clean(ready, [str(first.number)])

    assert (said["freed"], said["removed"]) == (done["freed"], done["removed"])
    assert not (first_folder / "checkpoints").exists()
    assert (second_folder / "checkpoints").is_dir()


def test_what_a_crash_left_goes_after_an_hour(ready: Store) -> None:
    young, old, model = ready.home.runs / ".new-a", ready.home.runs / ".new-b", ready.home.models / ".x.new"
    for folder in (young, old, model):
        folder.mkdir()
        (folder / "x").write_bytes(bytes(10))
    for folder in (old, model):
        os.utime(folder, (0, 0))

    assert usage(ready)["freeable"] == 20
    assert sorted(clean(ready)["removed"]) == ["models/.x.new", "runs/.new-b"]
    assert young.is_dir()


def test_all_is_counted(ready: Store, home_settings: Settings) -> None:
    job, folder = finished(ready, home_settings)
    found = usage(ready)

    assert found["total"] == size(folder) + size(ready.home.models)
    assert found["freeable"] == size(folder / "checkpoints") + size(folder / "adapter")
    assert {model["name"]: model["needed"] for model in found["models"]} == {
        "starter": "1 of the models build on it.",
        job.name: "It is offered as a model.",
    }
