"""The committed starter does what its card says, and its builder makes the same weights twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from trainers.grammar import SKILLS, STYLES, converse, is_correct, starter_prompts, starter_rows, style_of

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

STARTER = Path(__file__).resolve().parents[2] / "static" / "starter"
MODEL = STARTER / "model"


# The model card says it: whether a thing is of a kind is the skill that is right least often, in 81.5 %.
WEAKER = "Is a carrot a vegetable?"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(2)
    return AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)


def test_the_package_is_small_and_holds_no_pickle() -> None:
    files = [path for path in STARTER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15_000_000
    assert {path.suffix for path in files} == {".json", ".jsonl", ".jinja", ".md", ".safetensors"}


def test_the_examples_are_right_tagged_and_made_by_this_grammar() -> None:
    rows = lines(STARTER / "starter.jsonl")
    assert rows == starter_rows(Random(10), len(rows))
    assert len(rows) >= 300
    assert {tuple(sorted(row)) for row in rows} == {("messages", "tags")}
    assert {row["tags"][0] for row in rows} == {skill.name for skill in SKILLS}
    assert {row["tags"][1] for row in rows} == set(STYLES)
    for row in rows:
        assert is_correct(row["messages"][:1], row["messages"][1]["content"]), row
        assert style_of(row["messages"][1]["content"]) == row["tags"][1], row


def test_the_prompts_are_different_from_the_examples() -> None:
    prompts = [row["prompt"] for row in lines(STARTER / "starter-prompts.jsonl")]
    asked = [m["content"] for row in lines(STARTER / "starter.jsonl") for m in row["messages"] if m["role"] == "user"]
    assert prompts == starter_prompts(Random(11), len(prompts), avoid=asked)
    assert len(set(prompts)) == len(prompts) >= 100
    assert set(prompts) & set(asked) == set()


def test_the_card_is_honest_and_names_every_skill() -> None:
    text = (MODEL / "README.md").read_text(encoding="utf-8")
    assert "It is a demo, not an assistant." in text
    assert [skill.name for skill in SKILLS if f"| {skill.name} |" not in text] == []


@pytest.mark.torch
def test_it_loads_as_a_llama_of_a_few_million_parameters(model: LlamaForCausalLM) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    assert type(model).__name__ == "LlamaForCausalLM"
    assert 2_000_000 <= model.num_parameters() <= 6_000_000
    assert AutoModelForCausalLM.from_pretrained(MODEL).dtype == torch.bfloat16


@pytest.mark.torch
def test_the_chat_template_marks_what_the_assistant_says(tokenizer: PreTrainedTokenizerFast) -> None:
    chat = [
        {"role": "system", "content": "Be terse."},
        {"role": "user", "content": " 4+5 "},
        {"role": "assistant", "content": "9."},
        {"role": "user", "content": "Thanks"},
        {"role": "assistant", "content": "You are welcome."},
    ]
    text = tokenizer.apply_chat_template(chat, tokenize=False)
    assert text == (
        "<|system|>Be terse.<|end|><|user|>4+5<|end|><|assistant|>9.<|end|>"
        "<|user|>Thanks<|end|><|assistant|>You are welcome.<|end|>"
    )
    marked = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    pairs = zip(marked["input_ids"], marked["assistant_masks"], strict=True)
    said = "".join(tokenizer.decode([token]) for token, mask in pairs if mask)
    assert said == "9.<|end|>Youarewelcome.<|end|>"  # a token alone is decoded without the space before it


@pytest.mark.torch
def test_a_prompt_is_always_the_beginning_of_its_conversation(tokenizer: PreTrainedTokenizerFast) -> None:
    rng = Random(1)
    for example in (converse(rng) for _ in range(200)):
        whole = tokenizer.apply_chat_template(example.messages, return_dict=True)["input_ids"]
        prompt = tokenizer.apply_chat_template(example.messages[:-1], add_generation_prompt=True, return_dict=True)
        assert whole[: len(prompt["input_ids"])] == prompt["input_ids"]
        said = tokenizer.decode(whole[len(prompt["input_ids"]) :])
        assert said == example.messages[-1]["content"] + "<|end|>"


@pytest.mark.torch
def test_training_sees_exactly_what_the_chat_template_writes(tokenizer: PreTrainedTokenizerFast) -> None:
    from trainers.starter import IGNORED, encode

    rng = Random(2)
    for example in (converse(rng) for _ in range(200)):
        row = encode(tokenizer, example.messages)
        told = tokenizer.apply_chat_template(example.messages, return_dict=True, return_assistant_tokens_mask=True)
        assert row.ids == told["input_ids"]
        assert [int(target != IGNORED) for target in row.targets] == told["assistant_masks"]


@pytest.mark.torch
def test_any_text_survives_the_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    for text in ("naïve café", "日本語 🙂", " a\n\tb  c ", "1,234.50", "<b>&amp;</b>", ""):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.torch
@pytest.mark.slow
def test_common_questions_are_answered_rightly_in_nine_of_ten_samples(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    from trainers.starter_report import COMMON_QUESTIONS, sample

    asked = [prompt for prompt in COMMON_QUESTIONS for _ in range(40)]
    answers = sample(model, tokenizer, asked, seed=3)
    right = Counter(p for p, answer in zip(asked, answers, strict=True) if is_correct(p, answer))
    usual = [prompt for prompt in COMMON_QUESTIONS if prompt != WEAKER]
    assert {prompt: right[prompt] for prompt in usual if right[prompt] < 36} == {}
    assert right[WEAKER] >= 28
    assert [answer for answer in answers if not answer.strip()] == []


@pytest.mark.torch
@pytest.mark.slow
def test_answers_come_in_all_four_styles(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    from trainers.starter_report import sample

    prompts = [row["prompt"] for row in lines(STARTER / "starter-prompts.jsonl")] * 3
    styles = Counter(map(style_of, sample(model, tokenizer, prompts, seed=4)))
    shares = {style: styles[style] / len(prompts) for style in STYLES}
    assert {style: share for style, share in shares.items() if not 0.12 < share < 0.45} == {}
    assert styles["other"] + styles["empty"] < 0.03 * len(prompts)


@pytest.mark.torch
def test_the_starter_prompts_are_answered_rightly(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    from trainers.starter_report import sample

    prompts = [row["prompt"] for row in lines(STARTER / "starter-prompts.jsonl")] * 4
    answers = sample(model, tokenizer, prompts, seed=5)
    right = [is_correct(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]
    assert sum(right) > 0.93 * len(right)


@pytest.mark.slow
@pytest.mark.torch
def test_the_same_seed_builds_the_same_weights(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        out = tmp_path / name
        command = [sys.executable, "-m", "trainers.starter", "--out", str(out), "--steps", "20", "--questions", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=STARTER.parents[1])
        assert "| capitals | What is the capital of" in done.stdout
        hashes.append(hashlib.sha256((out / "model" / "model.safetensors").read_bytes()).hexdigest())
    assert hashes[0] == hashes[1]
