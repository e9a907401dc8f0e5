"""Distillation of a teacher into an adapter: by its answers, its logits, or its logits at the student's own words.

    python -m trainers.distill RUNFOLDER            # spec.json (with a teacher) and data.parquet in, adapter/ out
    python -m trainers.distill RUNFOLDER --resume   # go on from the newest whole checkpoint

The teacher answers every prompt once, at the first start; its answers stay in the run folder. Those to held-out
prompts measure: by answers the loss on them, by logits the divergence from the teacher. On policy nothing is asked of
the teacher beforehand: TRL's trainer lets the student answer at every step; such a run that is resumed goes on, but the
student then says other words than it would have said.
Exit codes: 0 done, 1 failed (error.json says why), 3 stopped on request (checkpoint and adapter saved),
4 another process is doing this run. The sections below are those of trainers/sft.py, in the same order.
"""

import sys
from functools import partial
from typing import Any

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses
        from trainers.events import EventWriter
        from trainers.finishing import finish
        from trainers.holdout import split
        from trainers.starting import begin
        from trainers.teacher import (
            answers_of,
            check_vocabularies,
            load_teacher,
            prepare_answers,
            prepare_prompts,
            read_questions,
        )
        from trainers.watch import Watch

    # Options
    options = run.options

    # Load
    start = begin(run)
    teacher = load_teacher(run)
    if options.by != "answers":
        check_vocabularies(start.loaded, teacher)

    # Data
    parts = split(run)
    questions, held = read_questions(parts.learnt), read_questions(parts.held)
    if options.by == "on_policy":
        prepare = partial(prepare_prompts, start.tokenizer, answer_tokens=options.answer_tokens)
    else:
        answers = answers_of(run, teacher, [*questions, *held], options)
        prepare = partial(prepare_answers, start.tokenizer, answers=answers)
    prepared = prepare(questions, max_length=options.max_length)
    measured = prepare(held, max_length=options.max_length).rows
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise answer_tokens and max_length, or choose a teacher that answers these prompts.")

    # Train
    shares = plan(options, start.loaded, len(prepared.rows), prepared.longest, sequences=1 + (options.by != "answers"))
    arguments = trainer_arguments(run, options, start.loaded, shares)
    writer, watch = EventWriter(run), Watch(run, parts, measured, [one.prompt for one in held])
    given: dict[str, Any] = {
        "model": start.model, "processing_class": start.tokenizer, "peft_config": start.peft_config,
        "callbacks": [writer, watch],
    }  # fmt: skip
    trainer = _trainer(options, arguments, given, prepared.rows, watch.dataset, teacher.model)
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save, evaluate, probe
    finish(run, trainer, writer, [one.prompt for one in questions], len(prepared.rows), watch)


def _trainer(
    options: Any, arguments: dict[str, Any], given: dict[str, Any], rows: list[dict[str, Any]], held: Any, teacher: Any
) -> Any:
    """The trainer of the way that was chosen: TRL's own for answers and on policy, ours for logits."""
    from datasets import Dataset
    from trl import DistillationConfig, DistillationTrainer, SFTConfig, SFTTrainer

    given |= {"train_dataset": Dataset.from_list(rows), "eval_dataset": held}
    if options.by == "answers":
        return SFTTrainer(args=SFTConfig(**arguments), **given)
    if options.by == "logits":
        from trainers.divergence import LogitsTrainer

        how = {"teacher": teacher, "beta": options.beta, "softness": options.softness}
        return LogitsTrainer(args=SFTConfig(**arguments), **given, **how)
    del arguments["max_length"]  # prompts that are too long were left out above
    arguments |= {"max_completion_length": options.answer_tokens, "beta": options.beta}
    arguments |= {"temperature": options.softness, "include_num_input_tokens_seen": "no"}  # TRL counts here
    return DistillationTrainer(args=DistillationConfig(**arguments), teacher_model=teacher, **given)


if __name__ == "__main__":
    sys.exit(perform("distill", train))
