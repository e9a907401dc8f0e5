"""Measures the starter by asking it, and writes its model card from what was measured.

Every number in the card comes from sampling at temperature 1 with nothing cut off (top-p 1, no top-k): the plain
distribution of the model, which is also what people vote on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from trainers.grammar import SKILLS, STYLES, is_correct, style_of
from trainers.grammar.conversation import ask
from trainers.grammar.question import capital, nothing_reserved
from trainers.starter_tokenizer import CONTEXT, VOCABULARY

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

# Questions that people ask first; the card shows them and the tests demand nine right answers in ten.
COMMON_QUESTIONS = (
    "What is the capital of France?",
    "What is 4 plus 5?",
    "What is the opposite of hot?",
    "What is 12 minus 7?",
    "What is 3 times 4?",
    "What colour is the sky?",
    "Which is larger, 7 or 12?",
    "What sound does a cat make?",
    "What is the plural of mouse?",
    "What is the past tense of go?",
    "How many days are in a week?",
    "What day comes after Monday?",
    "Sort these numbers: 7, 3, 9.",
    "Sort these words: pear, apple, dog.",
    "How many letters are in the word apple?",
    "How do you spell cat?",
    "What rhymes with cat?",
    "The shop opens at 9 and closes at 17. When does it close?",
    "Is a carrot a vegetable?",
    "What is a baby dog called?",
    "Who are you?",
    "Hello!",
)
MAX_NEW_TOKENS = 96


class Score(NamedTuple):
    """How often a skill's answers were right, as shares of the samples; None where there is nothing to ask."""

    skill: str
    example: str
    trained: float
    unseen_wording: float | None
    unseen_combination: float | None


class Report(NamedTuple):
    """What was measured: skill by skill, on the common questions, and the styles' shares."""

    scores: list[Score]
    common: dict[str, float]
    styles: dict[str, float]
    empty: int
    samples: int


def sample(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], *, seed: int, rows: int = 192
) -> list[str]:
    """One answer to each prompt at temperature 1, in batches of like length; the same for the same seed."""
    import torch

    torch.manual_seed(seed)
    model.eval()
    answers = [""] * len(prompts)
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for start in range(0, len(order), rows):
        chosen = order[start : start + rows]
        chats = [[{"role": "user", "content": prompts[i]}] for i in chosen]
        inputs = tokenizer.apply_chat_template(
            chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        with torch.no_grad():
            out = model.generate(
                **inputs, do_sample=True, temperature=1.0, top_p=1.0, top_k=0, max_new_tokens=MAX_NEW_TOKENS
            )
        texts = tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        for i, text in zip(chosen, texts, strict=True):
            answers[i] = text
    return answers


def measure(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, *, seed: int, questions: int = 20, times: int = 10
) -> Report:
    """Ask each skill `questions` questions of each kind, every one `times` times, and the common ones 50 times."""
    rng = Random(seed + 2)
    groups = {
        (skill.name, kind): [
            ask(rng, skill, unseen=kind == "wording", held_out=kind == "combination", vary=kind == "trained").prompt
            for _ in range(questions)
        ]
        for skill in SKILLS
        for kind in ("trained", "wording", "combination")
        if (kind != "wording" or skill.unseen) and (kind != "combination" or skill.reserved is not nothing_reserved)
    }
    asked = [(key, prompt) for key, prompts in groups.items() for prompt in prompts for _ in range(times)]
    asked += [(("common", prompt), prompt) for prompt in COMMON_QUESTIONS for _ in range(50)]
    answers = sample(model, tokenizer, [prompt for _, prompt in asked], seed=seed)
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for (key, prompt), answer in zip(asked, answers, strict=True):
        right[key].append(is_correct(prompt, answer))
    return _report(right, groups, answers)


def _report(right: dict[tuple[str, str], list[bool]], groups: Iterable[tuple[str, str]], answers: list[str]) -> Report:
    def share(skill: str, kind: str) -> float | None:
        marks = right.get((skill, kind))
        return sum(marks) / len(marks) if marks else None

    counts = Counter(map(style_of, answers))
    return Report(
        [
            Score(
                skill.name,
                capital(skill.phrasings[0].format(**skill.draw(Random(1)))),
                share(skill.name, "trained") or 0.0,
                share(skill.name, "wording"),
                share(skill.name, "combination"),
            )
            for skill in SKILLS
        ],
        {prompt: share("common", prompt) or 0.0 for prompt in COMMON_QUESTIONS},
        {style: counts[style] / len(answers) for style in (*STYLES, "other")},
        counts["empty"],
        len(answers),
    )


class Made(NamedTuple):
    """How the weights came about."""

    parameters: int
    steps: int
    threads: int
    minutes: float
    loss: float


def table(report: Report) -> str:
    """The report as a Markdown table, skill by skill, then the styles."""
    lines = [
        "| skill | for example | right | in unseen wording | unseen combination |",
        "|---|---|---|---|---|",
        *(
            f"| {skill} | {example} | " + " | ".join(map(_percent, shares)) + " |"
            for skill, example, *shares in report.scores
        ),
        "",
        "| common question | right |",
        "|---|---|",
        *(f"| {prompt} | {_percent(share)} |" for prompt, share in report.common.items()),
        "",
        "Styles: " + ", ".join(f"{style} {_percent(share)}" for style, share in report.styles.items()) + ".",
        f"Empty answers: {report.empty} of {report.samples}.",
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


_CARD = """\
---
license: apache-2.0
language: en
pipeline_tag: text-generation
library_name: transformers
tags: [demo, llama]
---

# The Ratchet starter

A tiny chat model ({parameters:.1f} million parameters, Llama architecture, {context} tokens of context) that
lets you try Ratchet on a machine without a GPU and without a download. **It is a demo, not an assistant.** It
knows a few hundred everyday facts, does small sums, and says "I do not know" about the rest, or is wrong. For
real work choose a real base model.

## What it can do

Each answer comes in one of four styles, drawn at random: terse ("Paris."), warm, formal or rambling. So two
answers to one prompt differ in taste rather than in truth, and votes have something to decide. A system
message such as "Answer briefly." or "Be formal." asks for one style. It follows conversations of up to about
four questions.

Measured on {samples} answers at temperature 1 with nothing cut off (top-p 1, no top-k). "Unseen wording" is
phrased in a way that training never used; "unseen combination" asks about numbers, words or names that
training never put together.

{table}

## What it cannot do

* Facts outside the tables in `trainers/grammar`: it says that it does not know, or makes something up.
* Sums with terms above 20, times tables above 10, lists of more than four numbers or three words.
* Long conversations: it was trained on at most four questions, about 300 tokens. Reasoning, code and any
  language but English.
* It has no opinions, no memory between conversations and no access to anything.

## How it was made

`python -m trainers.starter` writes everything: a byte-level BPE tokenizer with {vocabulary} tokens (one a
digit), a Llama with tied embeddings, and {steps} steps of training on conversations that a grammar writes
(Muon inside the layers, AdamW for the rest, bfloat16 arithmetic, loss on the assistant's words only). No text
from the web and nobody's data went into it. The build took {minutes:.0f} minutes on {threads} cores; the last
loss was {loss:.3f} nats a token. The weights are bfloat16.

The chat template has the roles system, user and assistant and marks the assistant's words for assistant-only
losses.
"""


def card(report: Report, made: Made) -> str:
    """The model card: what the starter is, what it can and cannot do, how it was made and what was measured."""
    return _CARD.format(
        parameters=made.parameters / 1e6,
        context=CONTEXT,
        vocabulary=VOCABULARY,
        samples=report.samples,
        table=table(report),
        steps=made.steps,
        minutes=made.minutes,
        threads=made.threads,
        loss=made.loss,
    )
