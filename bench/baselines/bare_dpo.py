"""DPO of a LoRA by hand: a loop over pairs with torch and PEFT alone, then the first token of the trained model.

    python bare_dpo.py BASE PAIRS.jsonl SETTINGS

A line of pairs: prompt (messages), chosen and rejected (text). Settings, as JSON: batch_size, steps, learning_rate,
beta, seed, threads, prompt (a question for the trained model), output. Uses nothing of the project. Prints one JSON
object: seconds since 1970 at `loaded`, `trained`, `saved` and `answered` (first token of the answer), and `losses`.
"""

import json
import random
import sys
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

Pair = tuple[list[int], list[int], list[int]]


def main() -> None:
    """Load, train, save, answer, tell."""
    base, pairs, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(settings["seed"])
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    rows = [encode(tokenizer, json.loads(line)) for line in Path(pairs).read_text(encoding="utf-8").splitlines()]
    policy = get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    told = {"loaded": time.time()}
    told["losses"] = train(policy, rows, settings, tokenizer.pad_token_id)
    told["trained"] = time.time()
    policy.save_pretrained(settings["output"])
    told["saved"] = time.time()
    answer(policy.eval(), tokenizer, settings["prompt"])
    print(json.dumps({**told, "answered": time.time()}))


def encode(tokenizer: object, pair: dict) -> Pair:
    """Token ids of a prompt and both answers."""
    prompt = tokenizer.apply_chat_template(pair["prompt"], add_generation_prompt=True, return_dict=True)["input_ids"]
    ends = [*([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])]
    sides = [tokenizer(pair[side], add_special_tokens=False)["input_ids"] + ends for side in ("chosen", "rejected")]
    return prompt, sides[0], sides[1]


def train(policy: object, rows: list[Pair], settings: dict, pad: int) -> list[float]:
    """So many steps of AdamW on the sigmoid loss."""
    weights = [weight for weight in policy.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=settings["learning_rate"])
    shuffled, losses, size = random.Random(settings["seed"]), [], settings["batch_size"]
    order: list[Pair] = []
    for _ in range(settings["steps"]):
        if len(order) < size:
            order += shuffled.sample(rows, len(rows))
        batch, order = order[:size], order[size:]
        ids, mask, learnt = collate([(p, c) for p, c, _ in batch] + [(p, r) for p, _, r in batch], pad)
        said = log_probs(policy, ids, mask, learnt)
        with torch.no_grad(), policy.disable_adapter():
            expected = log_probs(policy, ids, mask, learnt)
        chosen, rejected = (said - expected).chunk(2)
        loss = -torch.nn.functional.logsigmoid(settings["beta"] * (chosen - rejected)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss))
    return losses


def collate(sides: list[tuple[list[int], list[int]]], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, attention and which tokens are answer, padded on the right."""
    width = max(len(prompt) + len(answer) for prompt, answer in sides)
    ids = torch.full((len(sides), width), pad)
    mask, learnt = torch.zeros_like(ids), torch.zeros_like(ids)
    for at, (prompt, answer) in enumerate(sides):
        end = len(prompt) + len(answer)
        ids[at, :end], mask[at, :end], learnt[at, len(prompt) : end] = torch.tensor(prompt + answer), 1, 1
    return ids, mask, learnt


def log_probs(policy: object, ids: torch.Tensor, mask: torch.Tensor, learnt: torch.Tensor) -> torch.Tensor:
    """The log-probability of each answer."""
    logits = policy(input_ids=ids, attention_mask=mask).logits[:, :-1]
    each = torch.gather(logits.log_softmax(-1), 2, ids[:, 1:, None])[..., 0]
    return (each * learnt[:, 1:]).sum(1)


def answer(policy: object, tokenizer: object, prompt: str) -> None:
    """The first token of an answer."""
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        policy.generate(**asked, max_new_tokens=1, do_sample=False)


main()
