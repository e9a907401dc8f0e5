import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage import jobs
from storage.models import get_model, list_models
from storage.store import Store
from storage.weights import hash_files
from tests.trainers import building

pytestmark = pytest.mark.heavy


@pytest.mark.torch
def test_a_job_becomes_a_model(store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    queued = building.enqueue(store, "sft", base, "round-1", tiny_base)

    said = building.run_worker(store)

    job = jobs.get_job(store, queued.id)
    model = get_model(store, "round-1")
    weights = store.home.model("round-1") / "adapter_model.safetensors"
    assert (job.status, job.model_id, job.error, job.phase) == ("done", model.id, None, None)
    assert (job.step, job.total_steps) == (6, 6)
    assert job.metrics["loss"] == building.losses(store.home.run(job.id))[-1]
    assert job.seconds_to_first_step is not None and job.seconds_to_first_step > 0
    assert (model.kind, model.base_id, model.parent_id, model.job_id) == ("adapter", base.id, base.id, job.id)
    assert model.path == str(store.home.model("round-1"))
    assert (model.base_sha256, model.adapter_sha256) == ("b" * 64, hash_files([weights]))
    assert model.probe is not None and model.probe["finite"] is True
    assert "No engine is running; it will load round-1 when it is asked for." in said
    assert [path.name for path in store.home.models.iterdir()] == ["round-1"]


@pytest.mark.torch
@pytest.mark.slow
def test_a_second_round_continues_the_first_and_names_it_as_parent(store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    building.enqueue(store, "sft", base, "round-1", tiny_base)
    building.run_worker(store)
    first = get_model(store, "round-1")
    queued = building.enqueue(store, "dpo", first, "round-2", tiny_base)

    building.run_worker(store)

    second = get_model(store, "round-2")
    assert jobs.get_job(store, queued.id).status == "done"
    assert (second.base_id, second.parent_id) == (base.id, first.id)
    assert second.adapter_sha256 != first.adapter_sha256


@pytest.mark.torch
@pytest.mark.slow
def test_jobs_run_one_after_another_and_a_taken_name_gets_a_number(store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    for _ in range(2):
        building.enqueue(store, "sft", base, "same", tiny_base, options={"max_steps": 2})

    building.run_worker(store)

    done = jobs.list_jobs(store, "done")
    assert [model.name for model in list_models(store)] == ["tiny", "same", "same-2"]
    assert done[0].started_at is not None and done[1].finished_at is not None
    assert done[0].started_at >= done[1].finished_at


@pytest.mark.torch
def test_a_failed_run_leaves_its_sentence_in_the_row_and_no_model(store: Store, tiny_base: Path) -> None:
    base = building.add_base(store, tiny_base)
    queued = building.enqueue(store, "sft", base, "bad", tiny_base, rows=[{"id": "x", "messages": "no json"}])

    building.run_worker(store)

    job = jobs.get_job(store, queued.id)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error["kind"], 'Row "x"' in job.error["sentence"]) == ("bad-row", True)
    assert [model.name for model in list_models(store)] == ["tiny"]
    assert list(store.home.models.iterdir()) == []


def test_a_run_that_dies_at_once_fails_with_its_exit_code(store: Store, tmp_path: Path) -> None:
    base = building.add_base(store, tmp_path)
    queued = building.enqueue(store, "sft", base, "gone", tmp_path)
    (store.home.run(queued.id) / "run.lock").mkdir()  # the run cannot take its folder

    building.run_worker(store)

    job = jobs.get_job(store, queued.id)
    assert job.status == "failed"
    assert job.error is not None
    assert job.error["kind"] == "vanished"
    assert job.error["sentence"].startswith("The run ended without a word with exit code 1 at step 0")


def test_a_job_without_its_folder_fails_with_a_sentence(store: Store, tmp_path: Path) -> None:
    base = building.add_base(store, tmp_path)
    queued = jobs.enqueue(store, jobs.NewJob("0" * 26, "lost", "sft", base.id, {}))

    building.run_worker(store)

    job = jobs.get_job(store, queued.id)
    assert job.status == "failed"
    assert job.error is not None
    assert "spec.json is missing" in job.error["sentence"]


def test_the_worker_needs_no_torch() -> None:
    code = (
        "import sys, trainers.worker, trainers.announce, httpx; "
        "print([name for name in ('torch', 'transformers', 'trl', 'peft', 'gradio') if name in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_second_worker_ends_at_once(store: Store) -> None:
    from trainers.worker import only_one

    with only_one(store.home):
        said = subprocess.run(building.worker(store), capture_output=True, text=True, check=True).stdout

    assert said == f"Another worker looks after {store.home.path} already.\n"


def test_an_idle_worker_ends(store: Store) -> None:
    assert building.run_worker(store) == ""


def test_many_claimers_take_every_job_once(store: Store, tmp_path: Path) -> None:
    base = building.add_base(store, tmp_path)
    for number in range(40):
        jobs.enqueue(store, jobs.NewJob(f"{number:026d}", f"job-{number}", "sft", base.id, {}))
    code = (
        "import sys; from pathlib import Path; from storage import jobs; from storage.home import Home; "
        "from storage.store import Store; store = Store(Home(Path(sys.argv[1])))\n"
        "while job := jobs.claim(store): print(job.number)"
    )
    argv = [sys.executable, "-c", code, str(store.home.path)]
    children = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs: list[list[int]] = []
    readers = [
        threading.Thread(target=lambda child=child: outputs.append([int(n) for n in child.communicate()[0].split()]))
        for child in children
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert sorted(number for output in outputs for number in output) == list(range(1, 41))
    assert len(jobs.list_jobs(store, "running")) == 40
