"""Direct preference optimisation of a LoRA adapter with TRL's DPOTrainer.

    python -m trainers.dpo RUNFOLDER            # spec.json and data.parquet in, adapter/ and events.jsonl out
    python -m trainers.dpo RUNFOLDER --resume   # go on from the newest whole checkpoint

The reference is the model that the run starts from: the base for a fresh adapter, a frozen copy of the adapter for
one that is continued. Before the first step both are compared weight by weight, and the first loss must be ln 2.
Exit codes: 0 done, 1 failed (error.json says why), 3 stopped on request (checkpoint and adapter saved),
4 another process is doing this run. The sections below are those of trainers/sft.py, in the same order.
"""

import sys
from pathlib import Path

from trainers.run import Run, perform, require_rows


def train(run: Run) -> None:
    """One run from options to probe."""
    from trainers.imports import collector_paused

    with collector_paused():
        from datasets import Dataset
        from trl import DPOConfig

        from storage.runs import thaw_rows
        from trainers.adapter import save_adapter
        from trainers.arguments import plan, trainer_arguments
        from trainers.data import losses, prepare_preferences, prompts_of, read_preferences, scaled
        from trainers.models import check_adapter, continued_adapter, fresh_adapter, load_base
        from trainers.preferences import PreferenceTrainer, PreferenceWriter, check_loss, check_reference
        from trainers.probe import probe_adapter

    # Options
    options = run.options
    previous = Path(run.spec.adapter_path) if run.spec.adapter_path else None
    check_reference(run.spec)

    # Load
    run.phase("loading")
    if previous:
        check_adapter(previous, reference=True)
    loaded = load_base(run.spec)
    run.say(loaded.placement.reason)
    model = continued_adapter(loaded.model, previous) if previous else loaded.model

    # Data
    rows = scaled(read_preferences(thaw_rows(run.data)), options.margin_scale)
    plain = check_loss(options.loss_type, rows)
    prepared = prepare_preferences(loaded.tokenizer, rows, options.max_length)
    for sentence in losses(prepared, options.max_length):
        run.warn(sentence)
    require_rows(prepared.rows, "Raise max_length so that answers fit behind their prompts, or collect more votes.")

    # Train
    shares = plan(options, loaded, len(prepared.rows), prepared.longest, sequences=2)
    arguments = trainer_arguments(run, options, loaded, shares)
    arguments |= {"beta": options.beta, "loss_type": [options.loss_type]}
    arguments |= {"label_smoothing": options.label_smoothing, "max_length": options.max_length}
    writer = PreferenceWriter(run, options, plain)
    trainer = PreferenceTrainer(
        model=model,
        args=DPOConfig(**arguments),
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
    sys.exit(perform("dpo", train))
