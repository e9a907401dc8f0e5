"""Contrastive preference optimisation, or SimPO, of a LoRA adapter: pairs without a reference.

    python -m trainers.cpo RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.cpo RUNFOLDER --resume   # go on from the newest whole checkpoint

The loss is in trainers/reference_free.py, on TRL's DPOTrainer.
Exit codes: 0 done, 1 failed (error.json says why), 3 stopped on request (checkpoint and adapter saved),
4 another process is doing this run. The sections below are those of trainers/sft.py, in the same order.
"""

import sys

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from datasets import Dataset
        from trl import DPOConfig

        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses
        from trainers.data_pairs import prepare_preferences, read_preferences, scaled
        from trainers.events import EventWriter
        from trainers.finishing import finish
        from trainers.holdout import split
        from trainers.reference_free import ReferenceFreeTrainer, cpo_objective, without_ties
        from trainers.starting import begin
        from trainers.watch import Watch

    # Options
    options = run.options

    # Load
    start = begin(run)

    # Data
    parts = split(run)
    rows, held = (
        scaled(without_ties(read_preferences(part), "CPO"), margin_scale=0.0) for part in (parts.learnt, parts.held)
    )
    prepared = prepare_preferences(start.tokenizer, rows, options.max_length)
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or collect more votes.")

    # Train
    shares = plan(options, start.loaded, len(prepared.rows), prepared.longest, sequences=2)
    arguments = trainer_arguments(run, options, start.loaded, shares)
    arguments |= {"max_length": options.max_length}
    measured = prepare_preferences(start.tokenizer, held, options.max_length).rows
    writer, watch = EventWriter(run), Watch(run, parts, measured, [row.prompt for row in held])
    trainer = ReferenceFreeTrainer(
        objective=cpo_objective(options),
        model=start.model,
        args=DPOConfig(**arguments),
        train_dataset=Dataset.from_list(prepared.rows),
        eval_dataset=watch.dataset,
        processing_class=start.tokenizer,
        peft_config=start.peft_config,
        callbacks=[writer, watch],
    )
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save, evaluate, probe
    finish(run, trainer, writer, [row.prompt for row in rows], len(prepared.rows), watch)


if __name__ == "__main__":
    sys.exit(perform("cpo", train))
