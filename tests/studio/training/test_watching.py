"""A job is seen, stopped and waited for from its row and its folder alone."""

import json
import threading

import pytest

from storage import jobs
from storage.errors import Conflict, NotFound
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from studio.training.watching import log_tail, report, report_all, resume, stop
from tests.studio.training.project import add_dataset, add_starter, conversation, run_to_the_end

FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def ready(store: Store) -> Store:
    """A store with the starter and five examples."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(5)])
    return store


def test_a_queued_job_says_how_many_come_before_it(ready: Store, home_settings: Settings) -> None:
    first, second = launch(ready, home_settings, FACTS), launch(ready, home_settings, FACTS)
    jobs.claim(ready)

    assert [report(ready, job).ahead for job in (first, second)] == [0, 1]


def test_a_report_has_the_keys_of_the_command_line(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, FACTS)
    run_to_the_end(ready, job)

    said = report(ready, job).to_json()

    promised = {
        "job",
        "status",
        "model",
        "metrics",
        "seconds_to_first_step",
        "step",
        "total_steps",
        "eta_seconds",
        "error",
    }
    assert set(promised) <= said.keys()
    assert (said["job"], said["status"], said["model"], said["step"]) == (job.id, "done", "round-1-sft", 3)
    assert (said["dataset"], said["version"], said["round"], said["compare"]) == ("facts", 1, 1, "round-1")


def test_a_metric_that_is_no_number_does_not_break_the_report(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, FACTS)
    jobs.claim(ready)
    jobs.follow(ready, job.id, metrics={"loss": float("nan")}, eta_seconds=float("inf"))

    said = report(ready, job.id).to_json()

    assert (said["metrics"], said["eta_seconds"]) == ({"loss": None}, None)
    assert json.dumps(said, allow_nan=False)


def test_a_job_is_found_by_id_or_number_and_an_unknown_one_is_named(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, FACTS)

    assert report(ready, "1").job.id == report(ready, job.id).job.id == job.id
    with pytest.raises(NotFound, match='There is no job "7"'):
        report(ready, "7")


def test_the_list_is_newest_first(ready: Store, home_settings: Settings) -> None:
    for _ in range(3):
        launch(ready, home_settings, FACTS)

    assert [one.job.number for one in report_all(ready)] == [3, 2, 1]
    assert [one.job.number for one in report_all(ready, 2)] == [3, 2]


def test_stopping_asks_a_running_job_and_ends_a_queued_one(ready: Store, home_settings: Settings) -> None:
    running, queued = launch(ready, home_settings, FACTS), launch(ready, home_settings, FACTS)
    jobs.claim(ready)

    assert stop(ready, running.id).stop_requested == "save"
    assert stop(ready, running.id, now=True).stop_requested == "now"
    assert stop(ready, queued.id).status == "stopped"
    with pytest.raises(Conflict, match="Job 2 has ended already: it is stopped"):
        stop(ready, queued.id)


def test_resuming_queues_what_has_failed_and_refuses_what_is_done(ready: Store, home_settings: Settings) -> None:
    failed, done = launch(ready, home_settings, FACTS), launch(ready, home_settings, FACTS)
    jobs.claim(ready)
    jobs.finish(ready, failed.id, "failed", error={"kind": "killed", "sentence": "It was killed.", "fix": ""})
    run_to_the_end(ready, done)

    assert (resume(ready, failed.id).status, jobs.get_job(ready, failed.id).error) == ("queued", None)
    with pytest.raises(Conflict, match="Job 2 is done; only a job that has failed or was stopped can be resumed"):
        resume(ready, "2")


def test_the_log_is_shown_without_colours_and_with_the_last_state_of_a_bar(
    ready: Store, home_settings: Settings
) -> None:
    job = launch(ready, home_settings, FACTS)
    raw = "\x1b[31mloading\x1b[0m\n  0%|   | 0/3\r 33%|#  | 1/3\r100%|###| 3/3\r\nsaved\n"
    (ready.home.run(job.id) / "train.log").write_text(raw, newline="")

    assert log_tail(ready, job) == "loading\n100%|###| 3/3\nsaved\n"


def test_a_job_without_a_log_has_an_empty_tail(ready: Store, home_settings: Settings) -> None:
    assert log_tail(ready, launch(ready, home_settings, FACTS)) == ""


def test_the_same_report_is_read_by_many_at_once(ready: Store, home_settings: Settings) -> None:
    job = launch(ready, home_settings, FACTS)
    run_to_the_end(ready, job)
    seen: list[str | None] = []

    def look() -> None:
        seen.append(report(ready, job.id).compare)
        ready.close()

    readers = [threading.Thread(target=look) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert seen == ["round-1"] * 8
    assert ready.value("select count(*) from studies") == 1
