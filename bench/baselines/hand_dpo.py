"""DPO of a LoRA as somebody writes it by hand for speed: a plain PyTorch loop, bfloat16, no checkpointing, no logging.

    python hand_dpo.py BASE PAIRS.jsonl SETTINGS

Settings, as JSON: batch_size, max_length, steps, learning_rate, seed, threads, adapter (a folder to go on from, or
null). Uses nothing of the project. One forward takes the chosen and the rejected answers, one more without
gradients takes the reference: the adapter turned off, or a frozen copy of it. Rows come in the order in which TRL's
default takes them, so that the losses can be compared. Prints one JSON object: for each step its loss and the second
at which it was done, and the peak of its memory in bytes.
"""

import contextlib
import json
import resource
import sys
import time
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn.functional import cross_entropy, logsigmoid
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

BETA = 0.1


def encode(tokenizer, pair: dict, side: str, most: int) -> tuple[list[int], int]:
    """Token ids of prompt and answer, and how many of them the prompt has."""
    prompt = tokenizer.apply_chat_template(pair["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"]
    whole = tokenizer.apply_chat_template(pair["prompt"] + pair[side], return_dict=True)["input_ids"]
    return whole[:most], len(prompt)


def batch_of(rows: list[tuple[list[int], int]], filler: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and labels, filled up on the right."""
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [filler] * (width - len(ids)) for ids, _ in rows])
    mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows])
    labels = ids.masked_fill(mask == 0, -100)
    for row, (_, start) in zip(labels, rows, strict=True):
        row[:start] = -100
    return ids, mask, labels


def log_probs(model, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Of each answer, summed over its tokens."""
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    losses = cross_entropy(logits.reshape(-1, logits.shape[-1]).float(), labels[:, 1:].reshape(-1), reduction="none")
    return -losses.view(len(ids), -1).sum(1)


@contextlib.contextmanager
def reference(model, continued: bool):
    """The model as it was before the first step."""
    if continued:
        model.set_adapter("ref")
        yield
        model.set_adapter("default")
    else:
        with model.disable_adapter():
            yield


def main() -> None:
    """Train and tell."""
    base, rows, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    torch.set_num_threads(settings["threads"])
    tokenizer = AutoTokenizer.from_pretrained(base)
    pairs = [json.loads(line) for line in Path(rows).read_text().splitlines()]
    sides = [
        [encode(tokenizer, pair, side, settings["max_length"]) for pair in pairs] for side in ("chosen", "rejected")
    ]
    set_seed(settings["seed"])
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model.config.use_cache = False
    if settings["adapter"]:
        model = PeftModel.from_pretrained(model, settings["adapter"], is_trainable=True)
        model.load_adapter(settings["adapter"], "ref")
        model.set_adapter("default")
    else:
        lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        model = get_peft_model(model, lora)
    model.train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings["learning_rate"], weight_decay=0.0)
    at, losses, size = [time.perf_counter()], [], settings["batch_size"]
    for step in range(settings["steps"]):
        epoch, begin = divmod(step * size, len(pairs))
        order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(settings["seed"] + epoch)).tolist()
        taken = [side[place] for side in sides for place in order[begin : begin + size]]
        batch = batch_of(taken, tokenizer.pad_token_id)
        with torch.autocast("cpu", torch.bfloat16):
            said = log_probs(model, *batch)
            with torch.no_grad(), reference(model, bool(settings["adapter"])):
                expected = log_probs(model, *batch)
        chosen, rejected = (said - expected).chunk(2)
        loss = -logsigmoid(BETA * (chosen - rejected)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        at.append(time.perf_counter())
        losses.append(float(loss.detach()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"at": at, "losses": losses, "peak": peak}))


main()
