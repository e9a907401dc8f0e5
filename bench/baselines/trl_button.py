"""From a command to the first optimiser step: a fresh Python with TRL as its documentation shows it, LoRA, SFT.

    python trl_button.py BASE ROWS.jsonl SETTINGS

Settings, as JSON: batch_size, max_length, learning_rate, seed, threads, output. Uses nothing of the project. Prints
one JSON object: `first_step`, the second since 1970 at which the first optimiser step was done.
"""

import json
import sys
import time

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer


class Clock(TrainerCallback):
    """Notes when the first step was done, and ends the training."""

    def __init__(self) -> None:
        self.at = 0.0

    def on_step_end(self, _args: object, _state: object, control: object, **_: object) -> object:
        """After the first step."""
        self.at = time.time()
        control.should_training_stop = True
        return control


def main() -> None:
    """Train one step and tell."""
    base, rows, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    torch.set_num_threads(settings["threads"])
    clock = Clock()
    trainer = SFTTrainer(
        model=base,
        args=SFTConfig(
            output_dir=settings["output"],
            per_device_train_batch_size=settings["batch_size"],
            max_length=settings["max_length"],
            learning_rate=settings["learning_rate"],
            seed=settings["seed"],
            save_strategy="no",
            report_to="none",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=load_dataset("json", data_files=rows, split="train"),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        callbacks=[clock],
    )
    trainer.train()
    print(json.dumps({"first_step": clock.at}))


main()
