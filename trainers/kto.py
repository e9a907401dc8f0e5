"""KTO of a LoRA adapter with TRL's KTOTrainer: answers that were called good or bad, one by one.

    python -m trainers.kto RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.kto RUNFOLDER --resume   # go on from the newest whole checkpoint

The reference is the model that the run starts from, as in trainers/dpo.py, and is proven in the same way.
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
        from trl import KTOConfig

        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses
        from trainers.data_thumbs import prepare_thumbs, read_thumbs, with_neighbours
        from trainers.finishing import finish
        from trainers.holdout import split
        from trainers.pair_loss import FirstLoss
        from trainers.reference import PreferenceWriter, check_reference
        from trainers.starting import begin
        from trainers.unpaired import UnpairedTrainer, loss_arguments, several_at_once, weights_of
        from trainers.watch import Watch

    # Options
    options = run.options
    check_reference(run.spec, "KTO")

    # Load
    start = begin(run, reference=True)

    # Data
    parts = split(run)
    rows, held = read_thumbs(parts.learnt), read_thumbs(parts.held)
    prepared = prepare_thumbs(start.tokenizer, rows, options.max_length, options.seed)
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or collect more votes.")
    weights = weights_of(options, prepared.rows)
    run.say(weights.sentence)

    # Train
    shares = several_at_once(plan(options, start.loaded, len(prepared.rows), prepared.longest, sequences=2), options)
    arguments = trainer_arguments(run, options, start.loaded, shares) | loss_arguments(options, weights)
    measured = prepare_thumbs(start.tokenizer, held, options.max_length, options.seed).rows
    learnt, measured = (with_neighbours(part, shares.at_once) for part in (prepared.rows, measured))
    plain = weights.good == weights.bad == 1.0 and "weight" not in learnt[0]
    writer = PreferenceWriter(run, options.beta, FirstLoss(0.5, options.beta) if plain else None)
    watch = Watch(run, parts, measured, [row.prompt for row in held])
    trainer = UnpairedTrainer(
        kept=writer.kept,
        model=start.model,
        ref_model=start.reference,
        args=KTOConfig(**arguments),
        train_dataset=Dataset.from_list(learnt),
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
    sys.exit(perform("kto", train))
