"""Builds the starter: a tiny chat model, its tokenizer and its data, from the grammar, on two cores in minutes.

`python -m trainers.starter [--out static/starter] [--seed 0]` writes the folder that the package carries, and prints
how often the model is right. The text is endless (each step draws new conversations), and what is measured at the end
on reserved combinations was never trained on. Same seed, threads and machine: same weights.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from trainers.grammar import starter_prompts, starter_rows
from trainers.grammar.conversation import converse
from trainers.starter_report import Made, Report, card, measure, table
from trainers.starter_tokenizer import CONTEXT, END, PAD, build_tokenizer

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

IGNORED = -100
WIDTH_STEP = 8
STARTER_ROWS = 400
STARTER_PROMPTS = 150


@dataclass(frozen=True)
class Recipe:
    """Every choice behind the weights. The rates were found by trial at this size."""

    seed: int = 0
    steps: int = 1600
    tokens_per_step: int = 5_000
    width: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 704
    matrix_rate: float = 0.02  # Muon, for the matrices inside the layers
    other_rate: float = 3e-3  # AdamW, for embeddings and norms
    weight_decay: float = 0.01
    warm_up: int = 50
    threads: int = 2


class Encoded(NamedTuple):
    """A conversation as token ids, and the same with everything ignored that the assistant did not say."""

    ids: list[int]
    targets: list[int]


class Batch(NamedTuple):
    """Conversations as rows of equal width, padded on the right."""

    inputs: torch.Tensor
    targets: torch.Tensor


def build_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A fresh Llama of the recipe's size, with tied embeddings."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.width,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.convert_tokens_to_ids(END),
        pad_token_id=tokenizer.convert_tokens_to_ids(PAD),
    )
    return LlamaForCausalLM(config)


def encode(tokenizer: PreTrainedTokenizerFast, messages: Sequence[dict[str, str]]) -> Encoded:
    """Token ids and targets of a conversation: the same as the chat template gives, five times as fast.

    The targets are the assistant's words and the end of its turn; everything else is ignored.
    """
    ids: list[int] = []
    targets: list[int] = []
    end = tokenizer.convert_tokens_to_ids(END)
    core = tokenizer.backend_tokenizer
    for message in messages:
        said = [*core.encode(message["content"].strip()).ids, end]
        ids += [tokenizer.convert_tokens_to_ids(f"<|{message['role']}|>"), *said]
        targets += [IGNORED, *(said if message["role"] == "assistant" else [IGNORED] * len(said))]
    return Encoded(ids, targets)


def batches(tokenizer: PreTrainedTokenizerFast, recipe: Recipe) -> Iterator[Batch]:
    """Endless batches of new conversations, all of one width: few shapes, since each new shape costs time and memory.

    Conversations wait in the row of their width (a multiple of 8) until a batch is full; the long ones wait longest.
    """
    rng = Random(recipe.seed + 1)
    pad = tokenizer.convert_tokens_to_ids(PAD)
    waiting: dict[int, list[Encoded]] = defaultdict(list)
    while True:
        row = encode(tokenizer, converse(rng).messages)
        width = -(-len(row.ids) // WIDTH_STEP) * WIDTH_STEP
        waiting[width].append(row)
        if len(waiting[width]) == max(1, recipe.tokens_per_step // width):
            yield _padded(waiting.pop(width), width, pad)


def _padded(rows: Sequence[Encoded], width: int, pad: int) -> Batch:
    import torch

    inputs = [row.ids + [pad] * (width - len(row.ids)) for row in rows]
    targets = [row.targets + [IGNORED] * (width - len(row.targets)) for row in rows]
    return Batch(torch.tensor(inputs), torch.tensor(targets))


def answer_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean cross-entropy of the assistant's tokens, in nats; the head is computed at those positions only."""
    import torch

    targets = torch.nn.functional.pad(batch.targets[:, 1:], (0, 1), value=IGNORED).flatten()
    wanted = torch.nonzero(targets != IGNORED).flatten()
    # Filled up with an ignored position to a multiple of 512, again for the sake of few shapes.
    wanted = torch.nn.functional.pad(wanted, (0, -len(wanted) % 512), value=len(targets) - 1)
    with torch.autocast("cpu", torch.bfloat16):
        states = model.model(input_ids=batch.inputs).last_hidden_state
        logits = model.lm_head(states.flatten(0, 1)[wanted])
    return torch.nn.functional.cross_entropy(logits.float(), targets[wanted], ignore_index=IGNORED)


def optimisers(model: LlamaForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers (Jordan et al., 2024), AdamW for the rest."""
    import torch

    inside = [weight for name, weight in model.named_parameters() if weight.ndim == 2 and ".layers." in name]
    rest = [weight for name, weight in model.named_parameters() if not (weight.ndim == 2 and ".layers." in name)]
    return [
        torch.optim.Muon(inside, lr=recipe.matrix_rate, weight_decay=recipe.weight_decay, momentum=0.95),
        torch.optim.AdamW(rest, lr=recipe.other_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def train(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, recipe: Recipe) -> float:
    """Train in place and return the mean loss of the last 50 steps, in nats per token."""
    import torch

    pair = optimisers(model, recipe)
    schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: _rate(step, recipe)) for each in pair]
    losses: list[float] = []
    started = time.monotonic()
    model.train()
    model.set_attn_implementation("eager")  # on rows this short a quarter faster than the fused kernel's backward pass
    for step, batch in zip(range(recipe.steps), batches(tokenizer, recipe), strict=False):
        loss = answer_loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for each, schedule in zip(pair, schedules, strict=True):
            each.step()
            schedule.step()
            each.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if step % 100 == 99:
            mean = sum(losses[-50:]) / len(losses[-50:])
            print(
                f"step {step + 1:5} of {recipe.steps}  loss {mean:.4f}  {time.monotonic() - started:5.0f} s", flush=True
            )
    return sum(losses[-50:]) / len(losses[-50:])


def _rate(step: int, recipe: Recipe) -> float:
    """Full after the warm-up, and falling in a straight line to nothing over the last 60 % of the steps."""
    falling = 0.6 * recipe.steps
    return min(1.0, (step + 1) / recipe.warm_up, (recipe.steps - step) / falling)


def write_data(out: Path, seed: int) -> list[str]:
    """Write the starter examples and prompts below `out` and return the prompts."""
    rows = starter_rows(Random(seed + 10), STARTER_ROWS)
    asked = [message["content"] for row in rows for message in row["messages"] if message["role"] == "user"]
    prompts = starter_prompts(Random(seed + 11), STARTER_PROMPTS, avoid=asked)
    write_lines(out / "starter.jsonl", rows)
    write_lines(out / "starter-prompts.jsonl", [{"prompt": prompt} for prompt in prompts])
    return prompts


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def write_model(folder: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write a transformers folder in bf16, the precision that the engine serves."""
    import torch
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_p=1.0,
        top_k=0,
        max_new_tokens=128,
        eos_token_id=model.config.eos_token_id,
        pad_token_id=model.config.pad_token_id,
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def build(out: Path, recipe: Recipe, *, questions: int = 20) -> Report:
    """Make data, tokenizer and model below `out`, measure what was written, and write the model card beside it."""
    import torch
    from transformers import AutoModelForCausalLM

    started = time.monotonic()
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    write_data(out, recipe.seed)
    tokenizer = build_tokenizer(recipe.seed)
    model = build_model(recipe, tokenizer)
    loss = train(model, tokenizer, recipe)
    minutes = (time.monotonic() - started) / 60
    write_model(out / "model", model, tokenizer)
    # The written weights are measured, not those in memory: rounding to bf16 is part of the product.
    written = AutoModelForCausalLM.from_pretrained(out / "model", dtype=torch.float32)
    report = measure(written, tokenizer, seed=recipe.seed, questions=questions)
    made = Made(model.num_parameters(), recipe.steps, recipe.threads, minutes, loss)
    (out / "model" / "README.md").write_text(card(report, made), encoding="utf-8")
    return report


def main() -> None:
    """Build the starter from the command line and print what it can do."""
    parser = argparse.ArgumentParser(prog="python -m trainers.starter", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("static/starter"), help="folder to write (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of text, weights and order (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="training steps (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=Recipe.threads, help="processor cores (default: %(default)s)")
    parser.add_argument(
        "--questions", type=int, default=20, help="questions a skill when measuring (default: %(default)s)"
    )
    given = parser.parse_args()
    recipe = Recipe(seed=given.seed, steps=given.steps, threads=given.threads)
    print(table(build(given.out, recipe, questions=given.questions)))


if __name__ == "__main__":
    main()
