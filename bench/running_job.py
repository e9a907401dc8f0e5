"""A training that goes on beside what is measured, started as the page starts it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE = 300.0  # seconds until the first step


@contextmanager
def job_running(home: Path) -> Iterator[None]:
    """A training job of the starter model, from its first step until the block ends; raises RuntimeError if it ends."""
    from studio.settings import Settings
    from studio.studio import Studio

    studio = Studio(settings=Settings.from_env({}, home=home))
    job = studio.train("sft", base="starter", dataset="starter", options={"epochs": 100})["job"]
    deadline = time.monotonic() + _PATIENCE
    while not (told := studio.job(job))["step"]:
        if told["status"] in ("failed", "done", "stopped") or time.monotonic() > deadline:
            raise RuntimeError(f"The training job did not get going: {told}")
        time.sleep(0.2)
    try:
        yield
        told = studio.job(job)
        if told["status"] != "running":
            raise RuntimeError(f"The training job did not last as long as the phase: {told}")
    finally:
        studio.stop(job, now=True)
        while studio.job(job)["status"] == "running":
            time.sleep(0.2)
        studio.store.close()
