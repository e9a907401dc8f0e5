"""Direct preference optimisation of a LoRA adapter with TRL's DPOTrainer.

    python -m trainers.dpo RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.dpo RUNFOLDER --resume   # go on from the newest whole checkpoint

The reference is the model that the run starts from: the base for a fresh adapter, a frozen copy of the adapter for
one that is continued. Before the first step both are compared weight by weight, and the first loss must be ln 2.
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
        from trainers.finishing import finish
        from trainers.holdout import split
        from trainers.pair_loss import first_loss
        from trainers.preferences import PreferenceTrainer, check_loss, loss_arguments
        from trainers.reference import PreferenceWriter, check_reference
        from trainers.starting import begin
        from trainers.watch import Watch

    # Options
    options = run.options
    check_reference(run.spec)

    # Load
    start = begin(run, reference=True)

    # Data
    parts = split(run)
    rows, held = (scaled(read_preferences(part), options.margin_scale) for part in (parts.learnt, parts.held))
    plain = check_loss(options.loss_type, rows)
    prepared = prepare_preferences(start.tokenizer, rows, options.max_length)
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or collect more votes.")

    # Train
    shares = plan(options, start.loaded, len(prepared.rows), prepared.longest, sequences=2)
    arguments = trainer_arguments(run, options, start.loaded, shares) | loss_arguments(options)
    measured = prepare_preferences(start.tokenizer, held, options.max_length).rows
    first = first_loss(options.loss_type, options.beta, arguments["label_smoothing"]) if plain else None
    writer = PreferenceWriter(run, options.beta, first)
    watch = Watch(run, parts, measured, [row.prompt for row in held])
    trainer = PreferenceTrainer(
        kept=writer.kept,
        model=start.model,
        ref_model=start.reference,
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
    sys.exit(perform("dpo", train))
