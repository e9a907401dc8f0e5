"""A reward model with TRL's RewardTrainer: a LoRA adapter and a head that scores an answer.

    python -m trainers.reward RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.reward RUNFOLDER --resume   # go on from the newest whole checkpoint

An adapter that it starts from is merged first, and what is learnt lies over it. The head begins at zero, so that the
first loss over pairs is ln 2. Exit codes: 0 done, 1 failed (error.json says why), 3 stopped on request (checkpoint and
adapter saved), 4 another process is doing this run. The sections below are those of trainers/sft.py, in the same order.
"""

import sys

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from datasets import Dataset
        from trl import RewardConfig

        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses
        from trainers.data_judged import learnt_from, prepare_pairs, prepare_scores
        from trainers.events import EventWriter
        from trainers.holdout import split
        from trainers.judges import JudgeTrainer, finish_judge, scale_of
        from trainers.starting import begin
        from trainers.watch import Watch

    # Options
    options = run.options

    # Load
    start = begin(run, labels=1)
    start.model.score.weight.data.zero_()

    # Data
    parts = split(run)
    source = learnt_from(parts.learnt, options.learn_from)
    prepare = prepare_pairs if source == "pairs" else prepare_scores
    prepared = prepare(start.tokenizer, parts.learnt, options)
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or collect more votes.")

    # Train
    shares = plan(options, start.loaded, len(prepared.rows), prepared.longest, sequences=2 if source == "pairs" else 1)
    arguments = trainer_arguments(run, options, start.loaded, shares)
    arguments |= {"center_rewards_coefficient": options.centre or None}
    writer = EventWriter(run)
    measure, higher = ("eval_accuracy", True) if source == "pairs" else ("eval_loss", False)
    watch = Watch(run, parts, prepare(start.tokenizer, parts.held, options).rows, measure=measure, higher=higher)
    trainer = JudgeTrainer(
        model=start.model,
        args=RewardConfig(**arguments),
        train_dataset=Dataset.from_list(prepared.rows),
        eval_dataset=watch.dataset,
        processing_class=start.tokenizer,
        peft_config=start.peft_config,
        callbacks=[writer, watch],
        scale=scale_of(prepared),
    )
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save, evaluate, probe
    finish_judge(run, trainer, writer, prepared, watch)


if __name__ == "__main__":
    sys.exit(perform("reward", train))
