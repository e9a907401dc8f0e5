"""A run's metrics for the tracker that was asked for (`report_to`), by the callbacks that transformers has for them."""

import os
from typing import Any

from storage.specs.reporting import refuse_absent
from trainers.run import Run


def tracker_arguments(run: Run, tracker: str) -> dict[str, Any]:
    """Keyword arguments of a trainer's configuration; raises BadInput where the tracker is not installed.

    TensorBoard's files lie in the run folder (`tensorboard --logdir runs/<id>/tensorboard`).
    """
    refuse_absent(tracker)
    if tracker == "none":
        return {"report_to": "none"}
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(run.folder / "tensorboard")
    return {"report_to": tracker, "run_name": run.spec.name, "project": "ratchet"}
