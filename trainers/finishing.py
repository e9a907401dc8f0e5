"""The end of a run, the same for every method whose model answers: save, look at what was made, say that it is done."""

from collections.abc import Sequence
from typing import Any

from trainers.adapter import save_adapter
from trainers.data import Messages
from trainers.events import EventWriter
from trainers.probe import probe_adapter
from trainers.run import Run


def finish(run: Run, trainer: Any, writer: EventWriter, prompts: Sequence[Messages], rows: int) -> None:
    """Save what was trained, probe it on some of its prompts, and end the run; `rows`: how many were learnt from."""
    sha256 = save_adapter(run, trainer, writer.metrics, rows)
    probe = probe_adapter(run, trainer, prompts)
    writer.finish(sha256, probe._asdict())
