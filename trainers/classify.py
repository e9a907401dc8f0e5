"""A classifier, or a regression: a linear head on what a frozen model makes of each text.

    python -m trainers.classify RUNFOLDER            # spec.json and data.parquet in, adapter/ (the head) out
    python -m trainers.classify RUNFOLDER --resume   # read no text again that has been read

The base is read once; what it makes of the texts stays in the run folder, and the head, which takes seconds, is trained
from the start again where a run is resumed: that gives the same head. Exit codes: 0 done, 1 failed (error.json says
why), 3 stopped on request (the head of that moment saved), 4 another process is doing this run. The sections below are
those of trainers/sft.py, in the same order.
"""

import sys

from trainers.run import Run, perform


def train(run: Run) -> None:
    """One run from options to probe."""
    from storage.clock import now
    from trainers.features import load_reader
    from trainers.heads import measure, read_labelled, train_head
    from trainers.holdout import split
    from trainers.labels import Outcome, features_of, finish_head

    # Options
    options = run.options

    # Load
    run.phase("loading")
    reader = load_reader(run.spec)
    run.say(reader.reason)

    # Data
    parts = split(run)
    learnt = read_labelled(parts.learnt, options)
    held = read_labelled(parts.held, options, learnt.labels)
    if learnt.left_out:
        run.warn(f"{learnt.left_out} of {len(parts.learnt)} rows were left out: they have no label, or several.")
    features = features_of(run, reader, [*learnt.texts, *held.texts])
    mine, theirs = features[: len(learnt.texts)], features[len(learnt.texts) :]

    # Train
    first, told = None, 0.0
    with run.stoppable():
        for state in train_head(mine, learnt, options):
            first = first or now()
            if state.step in (1, state.steps) or now() - told >= 1.0 or run.stop_requested:
                found = measure(state.head, theirs, held) if held.texts else {}
                told = now()
                run.event("metric", step=state.step, loss=state.loss,
                          **{f"held_out_{name}": value for name, value in found.items()})  # fmt: skip
                run.phase("training", state.step, state.steps)
            if run.stop_requested:
                break

    # Save, evaluate, probe
    finish_head(run, Outcome(state, learnt, held, mine, theirs, first))


if __name__ == "__main__":
    sys.exit(perform("classify", train))
