"""Supervised fine-tuning of a LoRA adapter with TRL's SFTTrainer.

    python -m trainers.sft RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.sft RUNFOLDER --resume   # go on from the newest whole checkpoint

Exit codes: 0 done, 1 failed (error.json says why), 3 stopped on request (checkpoint and adapter saved),
4 another process is doing this run. The sections below are those of trainers/dpo.py, in the same order.
"""

import sys
from pathlib import Path

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        from storage.runs import thaw_rows
        from trainers.adapter import save_adapter
        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses, prepare_conversations, prompts_of, read_conversations
        from trainers.events import EventWriter
        from trainers.models import check_adapter, continued_adapter, fresh_adapter, load_base
        from trainers.probe import probe_adapter

    # Options
    options = run.options
    previous = Path(run.spec.adapter_path) if run.spec.adapter_path else None

    # Load
    run.phase("loading")
    if previous:
        check_adapter(previous, reference=False)
    loaded = load_base(run.spec)
    run.say(loaded.placement.reason)
    model = continued_adapter(loaded.model, previous) if previous else loaded.model

    # Data
    rows = read_conversations(thaw_rows(run.data))
    prepared = prepare_conversations(
        loaded.tokenizer, rows, options.loss_on, options.max_length, keep_length=options.packing
    )
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or choose other rows.")

    # Train
    shares = plan(options, loaded, len(prepared.rows), prepared.longest)
    arguments = trainer_arguments(run, options, loaded, shares)
    if options.packing:
        arguments |= {"packing": True, "max_length": options.max_length}
    writer = EventWriter(run)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**arguments),
        train_dataset=Dataset.from_list(prepared.rows),
        processing_class=loaded.tokenizer,
        peft_config=None if previous else fresh_adapter(options),
        callbacks=[writer],
    )
    with run.stoppable():
        trainer.train(resume_from_checkpoint=run.checkpoint())

    # Save
    sha256 = save_adapter(run, trainer, writer.metrics, len(prepared.rows))

    # Probe
    probe = probe_adapter(run, trainer, prompts_of(rows))
    writer.finish(sha256, probe._asdict())


if __name__ == "__main__":
    sys.exit(perform("sft", train))
