"""The verbs about training of `Studio`, which inherits them: start, watch, stop and go on with jobs.

Each returns the JSON object of the command of the same name, as those of `studio/studio.py` do.
"""

from collections.abc import Mapping
from typing import Any

from studio.opened import Json, Opened


class TrainingVerbs(Opened):
    """Verbs about training, over the store of a `Studio`."""

    def train(
        self,
        method: str,
        base: str,
        dataset: str | None = None,
        votes: str | None = None,
        study: str | None = None,
        name: str | None = None,
        options: Mapping[str, Any] | None = None,
        wait: bool = False,
        **more: Any,
    ) -> Json:
        """Train from a dataset, or from a study's votes by a policy; `wait` until the job has ended.

        `more`: the other fields of `studio.training.request.Request`, such as `start`, `replay` or `teacher`.
        """
        from studio.clients.processes import start_worker
        from studio.training.launching import launch
        from studio.training.request import Request
        from studio.training.watching import report
        from studio.training.watching import wait as wait_for

        request = Request(
            method, base, dataset=dataset, votes=votes, study=study, name=name, options=options or {},
            **{"author": self.settings.annotator, **more},
        )  # fmt: skip
        job = launch(self.ready, self.settings, request)
        start_worker(self.home)
        if wait:
            job = wait_for(self.ready, job)
        return report(self.ready, job).to_json()

    def preflight(self, method: str, base: str, **more: Any) -> Json:
        """What a training would be like, without starting it; `more` as for `train`."""
        from studio.training import preflighting
        from studio.training.request import Request

        found = preflighting.wait(self.ready, self.settings, Request(method, base, **more))
        return preflighting.result_of(found)

    def retry(self, job_id: str, options: Mapping[str, Any] | None = None, wait: bool = False) -> Json:
        """Start a failed or stopped job again, with what its failure asks for unless options are named."""
        from studio.clients.processes import start_worker
        from studio.training.retrying import retry
        from studio.training.watching import report
        from studio.training.watching import wait as wait_for

        job = retry(self.ready, self.settings, job_id, options)
        start_worker(self.home)
        return report(self.ready, wait_for(self.ready, job) if wait else job).to_json()

    def jobs(self) -> Json:
        """The jobs, newest first."""
        from studio.training.watching import report_all

        return {"jobs": [one.to_json() for one in report_all(self.ready)]}

    def job(self, job_id: str) -> Json:
        """One job, by id or number, with what the run doctor says of it."""
        from studio.training.examining import examined

        return examined(self.ready, job_id)

    def stop(self, job_id: str, now: bool = False) -> Json:
        """Ask a job to stop, saving first unless `now`."""
        from studio.training.watching import report, stop

        return report(self.ready, stop(self.ready, job_id, now=now)).to_json()

    def resume(self, job_id: str, wait: bool = False) -> Json:
        """Queue a failed or stopped job again; it goes on from its newest whole checkpoint."""
        from studio.clients.processes import start_worker
        from studio.training.watching import report, resume
        from studio.training.watching import wait as wait_for

        job = resume(self.ready, job_id)
        start_worker(self.home)
        return report(self.ready, wait_for(self.ready, job) if wait else job).to_json()

    def logs(self, job_id: str) -> Json:
        """The end of a job's log."""
        from storage.jobs import get_job
        from studio.training.watching import log_tail

        job = get_job(self.ready, job_id)
        return {"job": job.id, "number": job.number, "log": log_tail(self.ready, job)}
