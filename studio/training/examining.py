"""A job's report with what the run doctor says of its curves: for one job that is looked at, not for lists."""

from typing import Any

from storage import jobs
from storage.rows_training import Job
from storage.specs.run import RunSpec
from storage.store import Store
from studio.training.curve_book import CurveBook
from studio.training.symptoms import Course, symptoms
from studio.training.watching import report


def examined(store: Store, reference: str, book: CurveBook | None = None) -> dict[str, Any]:
    """The report of a job with `symptoms` and `evaluation`.

    `book`: curves that were read before, so that only what is new is read.
    """
    told = report(store, reference).to_json()
    job = jobs.get_job(store, told["job"])
    found = found_in(store, job, book or CurveBook())
    samples = f"/api/jobs/{job.id}/samples"
    return {**told, "symptoms": found, "evaluation": job.evaluation, "samples_url": samples}


def found_in(store: Store, job: Job, book: CurveBook) -> list[dict[str, str]]:
    """What the doctor says of a job; nothing of one that has no run."""
    folder = store.home.run(job.id)
    if not (folder / "spec.json").exists():
        return []
    course = Course(book.curves(folder).series, job.method, RunSpec.read(folder).options, job.finished_at is not None)
    return [symptom.to_json() for symptom in symptoms(course)]
