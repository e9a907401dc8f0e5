"""SFT of a LoRA as somebody writes it by hand for speed: a plain PyTorch loop, bfloat16, no checkpointing, no logging.

    python hand_loop.py BASE ROWS.jsonl SETTINGS

Settings, as JSON: batch_size, max_length, steps, learning_rate, seed, threads. Uses nothing of the project. Prints one
JSON object: for each step its loss and the second at which it was done, and the peak of its memory in bytes.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed


def main() -> None:
    """Train and tell."""
    base, rows, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    torch.set_num_threads(settings["threads"])
    tokenizer = AutoTokenizer.from_pretrained(base)
    talks = [json.loads(line)["messages"] for line in Path(rows).read_text().splitlines()]
    encoded = [tokenizer.apply_chat_template(talk, tokenize=True, return_dict=True)["input_ids"] for talk in talks]
    cut = [ids[: settings["max_length"]] for ids in encoded]
    set_seed(settings["seed"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model.config.use_cache = False
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(model, lora).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings["learning_rate"], weight_decay=0.0)
    at, losses = [time.perf_counter()], []
    for step in range(settings["steps"]):
        begin = step * settings["batch_size"] % len(cut)
        batch = cut[begin : begin + settings["batch_size"]]
        width = max(map(len, batch))
        ids = torch.tensor([row + [tokenizer.pad_token_id] * (width - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        at.append(time.perf_counter())
        losses.append(float(loss))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"at": at, "losses": losses, "peak": peak}))


main()
