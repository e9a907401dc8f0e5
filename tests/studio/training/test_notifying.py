"""The webhook hears of every job that ends, once, and nobody waits for it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from storage import jobs
from storage.clock import new_id, now
from storage.errors import BadInput, RatchetError
from storage.rows_training import Job
from storage.store import Store
from studio.settings import Settings
from studio.training.notifying import Notifier, message, post
from tests.studio.training.project import add_starter


class Receiver:
    """A server that keeps what it is told; `statuses` are answered in turn, then 200."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing on the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def ended(store: Store, status: str = "failed", ago: float = 0.0) -> Job:
    """A job that has ended."""
    base = store.value("select id from models") or add_starter(store).id
    job = jobs.enqueue(store, jobs.NewJob(new_id(), f"round-{new_id()}", "sft", base, {}))
    jobs.claim(store)
    error = {"kind": "disk-full", "sentence": "The disk is full.", "fix": "x"} if status == "failed" else None
    jobs.finish(store, job.id, status, error=error)
    store.execute("update jobs set finished_at = ? where id = ?", [now() - ago, job.id])
    return jobs.get_job(store, job.id)


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def told(store: Store, job: Job) -> bool:
    return jobs.get_job(store, job.id).notified_at is not None


def test_an_ended_job_is_told_once_and_old_ones_are_no_news(store: Store, receiver: Receiver) -> None:
    job, old = ended(store), ended(store, "done", ago=200_000)
    waiting = jobs.enqueue(store, jobs.NewJob(new_id(), "waits", "sft", job.base_id, {}))
    notifier = Notifier(store, receiver.url)

    notifier.start()
    wait_for(lambda: told(store, job))
    later = ended(store, "stopped")  # the job that waited is claimed here and stopped
    wait_for(lambda: len(receiver.heard) >= 1)
    notifier.stop()

    assert receiver.heard[0] == message(store, job)
    assert receiver.heard[0]["text"] == f"Training 1 ({job.name}, sft) has failed: The disk is full."
    assert (receiver.heard[0]["status"], receiver.heard[0]["model"]) == ("failed", None)
    assert [said["job"] for said in receiver.heard].count(job.id) == 1
    assert not told(store, old) and waiting.id != later.id


def test_a_receiver_that_fails_is_asked_again(store: Store, receiver: Receiver) -> None:
    receiver.statuses = [500]
    job = ended(store)
    notifier = Notifier(store, receiver.url)

    notifier.start()
    wait_for(lambda: told(store, job))
    notifier.stop()

    assert [said["job"] for said in receiver.heard] == [job.id, job.id]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [307]

    with pytest.raises(RatchetError, match="The webhook answered with status 307"):
        post(receiver.url, {"event": "job-ended"})
    assert len(receiver.heard) == 1


def test_without_a_webhook_nothing_is_started(store: Store) -> None:
    notifier = Notifier(store, "")
    notifier.start()
    notifier.stop()


def test_the_setting_is_a_whole_address() -> None:
    assert Settings.from_env({"RATCHET_WEBHOOK": " https://chat.example/hook "}).webhook == "https://chat.example/hook"
    for wrong in ("chat.example", "file:///etc/passwd", "https://"):
        with pytest.raises(BadInput, match="RATCHET_WEBHOOK needs a whole address"):
            Settings.from_env({"RATCHET_WEBHOOK": wrong})
