"""GRPO of a LoRA adapter with TRL's GRPOTrainer: answers are tried, rewarded, and the better ones made likelier.

    python -m trainers.grpo RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.grpo RUNFOLDER --resume   # go on from the newest whole checkpoint

The reference, to which `beta` pulls, is the model that the run starts from, as in trainers/dpo.py. Watch `kl` and
`completions/mean_length` beside `reward`: where they run away, the reward is being cheated, not earned.
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
        from trl import GRPOConfig

        from trainers.finishing import finish
        from trainers.holdout import split
        from trainers.reference import check_reference
        from trainers.reinforcing import (
            AskingGRPO,
            ReinforcementWriter,
            held_places,
            places,
            read_questions,
            reinforcement_arguments,
            rewarding,
        )
        from trainers.starting import begin
        from trainers.watch import Watch

    # Options
    options = run.options
    check_reference(run.spec, "GRPO")

    # Load
    start = begin(run, reference=True)

    # Data
    parts = split(run)
    questions, held = (read_questions(start.tokenizer, rows, options) for rows in (parts.learnt, parts.held))
    for sentence in questions.losses(options):
        run.warn(sentence)
    require_rows(questions.asked, "Raise max_length or lower answer_tokens so that prompts fit, or choose other rows.")
    asked = questions.asked + held.asked
    rewards = rewarding(run, asked)

    # Train
    arguments = reinforcement_arguments(run, start, questions, GRPOConfig, rewards.weights)
    arguments |= {"loss_type": options.loss_type, "scale_rewards": options.scale_rewards}
    writer = ReinforcementWriter(run)
    watch = Watch(run, parts, held_places(questions, held), [one.messages for one in held.asked], "eval_reward", True)
    trainer = AskingGRPO(
        model=start.model,
        reward_funcs=rewards.functions,
        args=GRPOConfig(**arguments),
        train_dataset=Dataset.from_list(places(0, len(questions.asked), options.batch_size // options.answers)),
        eval_dataset=watch.dataset,
        processing_class=start.tokenizer,
        peft_config=start.peft_config,
        callbacks=[writer, watch],
    )
    trainer.asked = asked
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save, evaluate, probe
    finish(run, trainer, writer, [one.messages for one in questions.asked], len(questions.asked), watch)


if __name__ == "__main__":
    sys.exit(perform("grpo", train))
