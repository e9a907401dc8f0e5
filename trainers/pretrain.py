"""Continued pretraining on plain texts with TRL's SFTTrainer: every token is learnt.

    python -m trainers.pretrain RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.pretrain RUNFOLDER --resume   # go on from the newest whole checkpoint

Pieces of `replay.parquet` are mixed in, so that what the model could before is not forgotten. Exit codes: 0 done,
1 failed (error.json says why), 3 stopped on request (checkpoint and adapter saved), 4 another process is doing this
run. The sections below are those of trainers/sft.py, in the same order.
"""

import sys

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from datasets import Dataset

        from storage.runs import thaw_rows
        from trainers.arguments import plan, trainer_arguments
        from trainers.data_texts import openings, prepare_texts, read_texts
        from trainers.events import EventWriter
        from trainers.finishing import finish
        from trainers.holdout import split
        from trainers.replay import with_replay
        from trainers.starting import begin
        from trainers.supervised import SupervisedTrainer, supervised_config
        from trainers.watch import Watch

    # Options
    options = run.options

    # Load
    start = begin(run)

    # Data
    parts = split(run)
    rows, held = read_texts(parts.learnt), read_texts(parts.held)
    prepared = prepare_texts(start.tokenizer, rows, options.max_length)
    require_rows(prepared.rows, "Choose a dataset whose texts hold at least two tokens.")
    replay = run.folder / "replay.parquet"
    earlier = read_texts(thaw_rows(replay)) if replay.is_file() else []
    pieces = with_replay(run, prepared.rows, prepare_texts(start.tokenizer, earlier, options.max_length).rows)
    longest = max(len(piece["input_ids"]) for piece in pieces)

    # Train
    shares = plan(options, start.loaded, len(pieces), options.max_length if options.packing else longest)
    arguments = trainer_arguments(run, options, start.loaded, shares)
    measured = prepare_texts(start.tokenizer, held, options.max_length).rows
    writer, watch = EventWriter(run), Watch(run, parts, measured, openings(held))
    trainer = SupervisedTrainer(
        grouped=options.group_by_length,
        model=start.model,
        args=supervised_config(arguments, options),
        train_dataset=Dataset.from_list(pieces),
        eval_dataset=watch.dataset,
        processing_class=start.tokenizer,
        peft_config=start.peft_config,
        callbacks=[writer, watch],
    )
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save, evaluate, probe
    finish(run, trainer, writer, openings(rows), len(prepared.rows), watch)


if __name__ == "__main__":
    sys.exit(perform("pretrain", train))
