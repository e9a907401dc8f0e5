"""DPO of a LoRA as TRL's documentation shows it, with TRL's defaults: bfloat16, gradient checkpointing, padding.

    python trl_dpo.py BASE PAIRS.jsonl SETTINGS

Settings, as JSON: batch_size, max_length, steps, learning_rate, seed, threads, adapter (a folder to go on from, or
null). Uses nothing of the project. Prints one JSON object: for each step its loss and the second at which it was
done, and the peak of its memory in bytes.
"""

import json
import resource
import sys
import time

import torch
from datasets import load_dataset
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, TrainerCallback
from trl import DPOConfig, DPOTrainer


class Clock(TrainerCallback):
    """Notes when each step was done."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.losses: list[float] = []

    def on_train_begin(self, *_: object, **__: object) -> None:
        """The model is loaded, the pairs are tokenised."""
        self.at.append(time.perf_counter())

    def on_log(self, _args: object, _state: object, _control: object, logs: dict[str, float], **_: object) -> None:
        """After every step, as asked for below."""
        if "loss" in logs:
            self.at.append(time.perf_counter())
            self.losses.append(logs["loss"])


def main() -> None:
    """Train and tell."""
    base, rows, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    torch.set_num_threads(settings["threads"])
    clock = Clock()
    model: object = base
    fresh = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    if settings["adapter"]:
        loaded = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        model, fresh = PeftModel.from_pretrained(loaded, settings["adapter"], is_trainable=True), None
    trainer = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=settings["output"],
            per_device_train_batch_size=settings["batch_size"],
            max_length=settings["max_length"],
            max_steps=settings["steps"],
            learning_rate=settings["learning_rate"],
            lr_scheduler_type="constant",
            seed=settings["seed"],
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=load_dataset("json", data_files=rows, split="train"),
        peft_config=fresh,
        callbacks=[clock],
    )
    trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"at": clock.at, "losses": clock.losses, "peak": peak}))


main()
