"""A start leaves a whole run folder and a job, once, or nothing at all."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage import jobs
from storage.clock import new_id
from storage.errors import BadInput
from storage.models import get_model
from storage.prompts import content_sha256
from storage.rounds import list_rounds
from storage.rows_training import Job
from storage.runs import thaw_rows
from storage.specs.advice import advise
from storage.specs.run import RunSpec
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import again, launch
from studio.training.request import Request
from tests.studio.training.project import add_dataset, add_starter, conversation, prompt, run_to_the_end

FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def ready(store: Store) -> Store:
    """A store with the starter and five examples."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(5)])
    return store


def test_a_start_writes_the_folder_the_job_and_what_it_trains_on(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, FACTS)

    folder = ready.home.run(job.id)
    spec = RunSpec.read(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["data.parquet", "spec.json"]
    assert (job.status, job.name, job.method, job.base_id) == (
        "queued", "round-1-sft", "sft", get_model(ready, "starter").id,
    )  # fmt: skip
    assert (spec.job, spec.name, spec.rows, spec.reference) == (job.id, "round-1-sft", 5, "base")
    assert (spec.base_path, spec.adapter_path) == (str(ready.home.model("starter")), None)
    assert spec.options["learning_rate"] == advise("sft", 3_000_000, 5).options["learning_rate"]
    assert len(thaw_rows(folder / "data.parquet")) == 5
    noted = ready.rows("select prompt_sha256 from trained_prompts where job_id = ?", [job.id])
    assert {row["prompt_sha256"] for row in noted} == {content_sha256(prompt(f"q{n}")) for n in range(5)}
    assert [turn.job_id for turn in list_rounds(ready)] == [job.id]


def test_an_adapter_is_continued_from_its_own_folder(ready: Store, home_settings: Settings) -> None:
    first = run_to_the_end(ready, launch(ready, home_settings, FACTS))

    spec = RunSpec.read(ready.home.run(launch(ready, home_settings, Request("sft", first.name, dataset="facts")).id))

    assert (spec.base_path, spec.adapter_path) == (str(ready.home.model("starter")), first.path)
    assert (spec.name, spec.reference) == ("round-2-sft", "previous")


def test_what_is_refused_leaves_nothing_behind(ready: Store, home_settings: Settings) -> None:
    for refused in (
        Request("sft", "starter"),
        Request("sft", "nobody", dataset="facts"),
        Request("sft", "starter", dataset="facts", options={"epochs": -1}),
    ):
        with pytest.raises(BadInput):
            launch(ready, home_settings, refused)

    assert jobs.list_jobs(ready) == []
    assert list(ready.home.runs.iterdir()) == []
    assert list_rounds(ready) == []


def test_a_double_click_starts_one_job(ready: Store, home_settings: Settings) -> None:
    request = Request("sft", "starter", dataset="facts", start_id=new_id())
    started: list[Job] = []

    def press() -> None:
        started.append(launch(ready, home_settings, request))
        ready.close()

    clicks = [threading.Thread(target=press) for _ in range(6)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()

    assert {job.id for job in started} == {request.start_id}
    assert len(started) == 6
    assert len(jobs.list_jobs(ready)) == 1
    assert [path.name for path in ready.home.runs.iterdir()] == [request.start_id]


def test_starts_at_the_same_moment_get_names_of_their_own(ready: Store, home_settings: Settings) -> None:
    def press() -> None:
        launch(ready, home_settings, FACTS)
        ready.close()

    clicks = [threading.Thread(target=press) for _ in range(5)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()

    names = [job.name for job in jobs.list_jobs(ready)]
    assert sorted(names) == [f"round-{n}-sft" for n in range(1, 6)]


@pytest.mark.parametrize("start_id", ["short", "../../../../etc/passwd/xxxxx", "0" * 60])
def test_a_start_id_cannot_name_a_folder_elsewhere(ready: Store, home_settings: Settings, start_id: str) -> None:
    with pytest.raises(BadInput, match="cannot be the id of a start: 20 to 40 lower-case letters and digits"):
        launch(ready, home_settings, Request("sft", "starter", dataset="facts", start_id=start_id))


def test_a_folder_that_a_crash_left_is_written_anew(ready: Store, home_settings: Settings) -> None:
    start_id = new_id()
    torn = ready.home.run(start_id)
    torn.mkdir()
    (torn / "spec.json").write_text("{")

    job = launch(ready, home_settings, Request("sft", "starter", dataset="facts", start_id=start_id))

    assert RunSpec.read(ready.home.run(job.id)).rows == 5


def test_a_failed_job_runs_again_as_it_was_asked_for(ready: Store, home_settings: Settings) -> None:
    asked = Request("sft", "starter", dataset="facts", name="mine", options={"epochs": 2})
    job = launch(ready, home_settings, asked)
    jobs.claim(ready)
    jobs.finish(ready, job.id, "failed", error={"kind": "memory", "sentence": "No memory.", "fix": "Less."})

    repeated = again(ready, home_settings, jobs.get_job(ready, job.id))

    assert (repeated.number, repeated.name, repeated.request) == (2, "mine", job.request)
    assert [turn.job_id for turn in list_rounds(ready)] == [repeated.id]


def test_starting_loads_no_heavy_library(home_settings: Settings, tmp_path: Path) -> None:
    heavy = "{'torch', 'transformers', 'trl', 'datasets', 'gradio'}"
    code = f"import sys, studio.training.launching; print({heavy} & set(sys.modules))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert out.stdout.strip() == "set()"


def test_what_a_preflight_has_measured_goes_with_the_run(ready: Store, home_settings: Settings) -> None:
    from storage.preflights import keep_preflight
    from studio.training.planning import plan
    from studio.training.preflighting import _question

    before = RunSpec.read(ready.home.run(launch(ready, home_settings, FACTS).id))
    asked = Request("sft", "starter", dataset="facts", name="measured")
    key = _question(ready, home_settings, plan(ready, asked))[0]
    keep_preflight(ready, key, {"memory_gb": {"low": 1.5, "high": 2.5}})

    after = RunSpec.read(ready.home.run(launch(ready, home_settings, asked).id))

    assert (before.memory_gb, after.memory_gb) == (None, 2.5)
