"""The end of a run, the same for every method whose model answers: save, look at what was made, say that it is done."""

from collections.abc import Sequence
from typing import Any

from trainers.adapter import save_adapter, saved_in
from trainers.card import write_card
from trainers.data import Messages
from trainers.evaluation import evaluate
from trainers.events import EventWriter
from trainers.probe import probe_adapter
from trainers.run import Run
from trainers.watch import Watch


def finish(
    run: Run,
    trainer: Any,
    writer: EventWriter,
    prompts: Sequence[Messages],
    rows: int,
    watch: Watch | None = None,
) -> None:
    """Save what was trained, probe it on some of its prompts, and end the run; `rows`: how many were learnt from.

    `watch`: what looked at the held-out rows, whose best weights are taken; not where the run was asked to stop.
    """
    if watch is not None and not run.stop_requested:
        watch.take_best(trainer)
        writer.metrics |= watch.metrics
    sha256 = save_adapter(run, trainer, writer.metrics, rows)
    probe = probe_adapter(run, trainer, prompts)
    if found := evaluate(run, trainer, watch):
        write_card(saved_in(run), run.spec, writer.metrics, rows, found)
    writer.finish(sha256, probe._asdict())
