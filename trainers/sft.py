"""Supervised fine-tuning on conversations with TRL's SFTTrainer.

    python -m trainers.sft RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.sft RUNFOLDER --resume   # go on from the newest whole checkpoint

Exit codes: 0 done, 1 failed (error.json says why), 3 stopped on request (checkpoint and adapter saved),
4 another process is doing this run. The sections below are those of trainers/dpo.py, in the same order.
"""

import sys

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from datasets import Dataset

        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses, prepare_conversations, prompts_of, read_conversations
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
    rows, held = read_conversations(with_replay(run, parts.learnt)), read_conversations(parts.held)
    prepared = prepare_conversations(
        start.tokenizer, rows, options.loss_on, options.max_length, keep_length=options.packing
    )
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or choose other rows.")

    # Train
    shares = plan(options, start.loaded, len(prepared.rows), prepared.longest)
    arguments = trainer_arguments(run, options, start.loaded, shares)
    measured = prepare_conversations(start.tokenizer, held, options.loss_on, options.max_length).rows
    writer, watch = EventWriter(run), Watch(run, parts, measured, prompts_of(held))
    trainer = SupervisedTrainer(
        grouped=options.group_by_length,
        model=start.model,
        args=supervised_config(arguments, options),
        train_dataset=Dataset.from_list(prepared.rows),
        eval_dataset=watch.dataset,
        processing_class=start.tokenizer,
        peft_config=start.peft_config,
        callbacks=[writer, watch],
    )
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save, evaluate, probe
    finish(run, trainer, writer, prompts_of(rows), len(prepared.rows), watch)


if __name__ == "__main__":
    sys.exit(perform("sft", train))
