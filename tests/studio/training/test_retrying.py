"""After a failure: what is safe to try, by its kind, and what pressing it does."""

from typing import Any

import pytest

from storage import jobs
from storage.errors import Conflict
from storage.rows_training import Job
from storage.runs import write_error
from storage.specs.retrying import retries
from storage.specs.run import RunSpec
from storage.store import Store
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from studio.training.retrying import retry
from studio.training.watching import report
from tests.studio.training.project import add_dataset, add_starter, conversation

OFFERS = [
    ("out-of-memory", {"batch_size": 8, "max_length": 512}, [{"batch_size": 4}, {"max_length": 256}]),
    ("out-of-memory", {"batch_size": 1, "max_length": 100}, []),
    ("out-of-memory", {"batch_size": 12, "answers": 4}, [{"batch_size": 4}]),
    ("out-of-memory", {"batch_size": 4, "answers": 4}, []),
    ("killed", {"batch_size": 8}, [{}, {"batch_size": 4}]),
    ("vanished", {"batch_size": 8}, [{}]),
    ("disk-full", {"batch_size": 8}, [{}]),
    ("no-network", {}, [{}]),
    ("loss-not-finite", {"learning_rate": 3e-4}, [{"learning_rate": 3e-5}]),
    ("not-finite", {"learning_rate": 1e-8}, []),
    ("no-change", {"learning_rate": 1e-4}, [{"learning_rate": 3e-4}]),
    ("no-change", {"learning_rate": 0.05}, []),
    ("bad-row", {"batch_size": 8}, []),
    ("gated", {"batch_size": 8}, []),
    ("anything else", {"batch_size": 8}, []),
]


@pytest.mark.parametrize(("kind", "options", "offered"), OFFERS)
def test_each_failure_offers_what_is_safe(kind: str, options: dict[str, Any], offered: list[dict[str, Any]]) -> None:
    assert [offer["options"] for offer in retries(kind, options)] == offered
    assert all(offer["label"] for offer in retries(kind, options))


@pytest.fixture
def failed(store: Store, home_settings: Settings) -> Job:
    """A job that ran out of memory."""
    add_starter(store)
    add_dataset(store, "facts", "sft", [conversation(f"q{n}", f"a{n}") for n in range(8)])
    asked = Request("sft", "starter", dataset="facts", name="mine", options={"epochs": 2, "max_length": 100})
    job = launch(store, home_settings, asked)
    jobs.claim(store)
    error = write_error(store.home.run(job.id), "out-of-memory", "The run needed more memory.", "Halve it.")
    jobs.finish(store, job.id, "failed", error=error)
    return jobs.get_job(store, job.id)


def test_a_failed_job_tells_what_to_try(store: Store, failed: Job) -> None:
    assert report(store, failed).to_json()["error"] == {
        "kind": "out-of-memory", "sentence": "The run needed more memory.", "fix": "Halve it.",
        "retry": [{"label": "Retry with half the batch", "options": {"batch_size": 4}}],
    }  # fmt: skip


def test_a_retry_with_options_is_another_job_that_asks_for_the_rest_as_before(
    store: Store, home_settings: Settings, failed: Job
) -> None:
    again = retry(store, home_settings, failed.id)

    assert again.id != failed.id
    assert (again.status, again.name) == ("queued", "mine")
    spec = RunSpec.read(store.home.run(again.id))
    assert (spec.options["batch_size"], spec.options["epochs"], spec.options["max_length"]) == (4, 2.0, 100)
    assert jobs.get_job(store, failed.id).status == "failed"


def test_a_retry_with_empty_options_goes_on_with_the_same_job(
    store: Store, home_settings: Settings, failed: Job
) -> None:
    assert retry(store, home_settings, failed.id, {}).id == failed.id
    assert jobs.get_job(store, failed.id).status == "queued"


def test_a_job_that_has_not_failed_cannot_be_tried_again(store: Store, home_settings: Settings, failed: Job) -> None:
    waiting = retry(store, home_settings, failed.id)

    with pytest.raises(Conflict, match="is queued; only a job that failed or was stopped can be tried again"):
        retry(store, home_settings, waiting.id)


def test_where_nothing_is_safe_a_person_must_act(store: Store, home_settings: Settings, failed: Job) -> None:
    jobs.resume(store, failed.id)
    jobs.claim(store)
    error = write_error(store.home.run(failed.id), "bad-row", "Row x is bad.", "Correct it.")
    jobs.finish(store, failed.id, "failed", error=error)

    with pytest.raises(Conflict, match=r"another try does not mend: Correct it\. Name options"):
        retry(store, home_settings, failed.id)
