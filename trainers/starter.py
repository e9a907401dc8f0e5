"""Builds the starter: a tiny chat model, its tokenizer and its data, from the grammar, on two cores in minutes.

`python -m trainers.starter [--out static/starter] [--seed 0]` writes the folder that the package carries, and prints
how often the model is right. The text is endless (each step draws new conversations), and what is measured at the end
on reserved combinations was never trained on. Same seed, threads and machine: same weights.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from trainers.grammar import starter_prompts, starter_rows
from trainers.grammar.conversation import EVENLY, converse
from trainers.starter_report import Made, Report, card, measure, table
from trainers.starter_tokenizer import CONTEXT, END, PAD, build_tokenizer

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

IGNORED = -100
# Early on most answers are terse: a bare fact teaches as much as a long-winded one and costs a fifth of the time.
TERSE_MOSTLY = (7.0, 1.0, 1.0, 1.0)
WIDTH_STEP = 8
STARTER_ROWS = 400
STARTER_PROMPTS = 150


@dataclass(frozen=True)
class Recipe:
    """Every choice behind the weights. The rates were found by trial at this size."""

    seed: int = 0
    steps: int = 2600
    tokens_per_batch: int = 1_536
    batches_per_step: int = 2  # of different widths, so that no step sees short conversations only
    facts_first: int = 140_000  # conversations in which most answers are terse
    width: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 704
    matrix_rate: float = 0.005  # Muon, for the matrices inside the layers
    other_rate: float = 2e-3  # AdamW, for embeddings and norms
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
    for made in itertools.count():
        weights = TERSE_MOSTLY if made < recipe.facts_first else EVENLY
        row = encode(tokenizer, converse(rng, weights=weights).messages)
        width = -(-len(row.ids) // WIDTH_STEP) * WIDTH_STEP
        waiting[width].append(row)
        if len(waiting[width]) == max(1, recipe.tokens_per_batch // width):
            yield _padded(waiting.pop(width), width, pad)


def _padded(rows: Sequence[Encoded], width: int, pad: int) -> Batch:
    import torch

    inputs = [row.ids + [pad] * (width - len(row.ids)) for row in rows]
    targets = [row.targets + [IGNORED] * (width - len(row.targets)) for row in rows]
    return Batch(torch.tensor(inputs), torch.tensor(targets))


def answer_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Summed cross-entropy of the assistant's tokens, in nats; the head is computed at those positions only."""
    import torch

    targets = torch.nn.functional.pad(batch.targets[:, 1:], (0, 1), value=IGNORED).flatten()
    wanted = torch.nonzero(targets != IGNORED).flatten()
    # Filled up with an ignored position to a multiple of 256, again for the sake of few shapes.
    wanted = torch.nn.functional.pad(wanted, (0, -len(wanted) % 256), value=len(targets) - 1)
    with torch.autocast("cpu", torch.bfloat16):
        states = model.model(input_ids=batch.inputs).last_hidden_state
        logits = model.lm_head(states.flatten(0, 1)[wanted])
    return torch.nn.functional.cross_entropy(logits.float(), targets[wanted], ignore_index=IGNORED, reduction="sum")


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
    """Train in place and return the mean loss of the last 100 steps, in nats per token of the assistant."""
    import torch

    pair = optimisers(model, recipe)
    schedules = [torch.optim.lr_scheduler.LambdaLR(each, lambda step: _rate(step, recipe)) for each in pair]
    source = batches(tokenizer, recipe)
    losses: list[float] = []
    started = time.monotonic()
    model.train()
    model.set_attn_implementation("eager")  # on rows this short a quarter faster than the fused kernel's backward pass
    for step in range(recipe.steps):
        losses.append(_accumulate(model, [next(source) for _ in range(recipe.batches_per_step)]))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for each, schedule in zip(pair, schedules, strict=True):
            each.step()
            schedule.step()
            each.zero_grad(set_to_none=True)
        if step % 100 == 99:
            passed = time.monotonic() - started
            print(f"step {step + 1:5} of {recipe.steps}  loss {mean(losses[-100:]):.4f}  {passed:5.0f} s", flush=True)
    return mean(losses[-100:])


def _accumulate(model: LlamaForCausalLM, group: Sequence[Batch]) -> float:
    """Add up the gradients of several batches, every token weighing the same; the mean loss."""
    tokens = sum(int((batch.targets != IGNORED).sum()) for batch in group)
    total = 0.0
    for batch in group:
        loss = answer_loss(model, batch) / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    return total


def _rate(step: int, recipe: Recipe) -> float:
    """Full after the warm-up, and falling in a straight line to nothing over the last 80 % of the steps."""
    falling = 0.8 * recipe.steps
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
