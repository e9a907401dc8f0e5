"""The verbs of `Studio` about the queue, which inherits them: order, hold, release, plans of several phases."""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.opened import Json, Opened


class QueueVerbs(Opened):
    """Verbs about the queue, over the store of a `Studio`."""

    def queue(self) -> Json:
        """What runs where, and what waits, in order and with the reason."""
        from studio.training.queue import listed

        return listed(self.ready)

    def hold(self, job_id: str) -> Json:
        """Hold a waiting job back."""
        from storage.queueing import hold

        hold(self.ready, job_id)
        return self.queue()

    def release(self, job_id: str) -> Json:
        """Let a job that was held back go on."""
        from storage.queueing import release
        from studio.clients.processes import start_worker

        release(self.ready, job_id)
        start_worker(self.home)
        return self.queue()

    def move(self, job_id: str, before: str | None = None) -> Json:
        """Put a waiting job before another one, or at the end."""
        from storage.queueing import move

        move(self.ready, job_id, before)
        return self.queue()

    def plan(self, phases: Sequence[Mapping[str, Any]]) -> Json:
        """Queue phases that follow one another, each with the fields of `studio.training.request.Request`."""
        from studio.clients.processes import start_worker
        from studio.training.phases import launch_plan
        from studio.training.watching import report

        queued = launch_plan(self.ready, self.settings, phases)
        start_worker(self.home)
        return {"plan": queued.plan, "jobs": [report(self.ready, job).to_json() for job in queued.jobs]}
