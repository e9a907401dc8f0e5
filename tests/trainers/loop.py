"""What the tests that the loop works need: votes by a rule, a new fact pattern, and the measuring of answers."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.trainers import building
from trainers.grammar import is_correct, is_terse, starter_prompts
from trainers.grammar.language import invented

PROMPTS, HELD_OUT = 130, 50
SAMPLES = 10  # answers to each held-out prompt
THINGS = ("rose", "hammer", "eagle", "moon", "anchor", "wolf", "bell", "crown", "fish", "tree")


def starter_examples(count: int) -> list[dict[str, Any]]:
    """The first rows of the starter dataset, as a run has them."""
    path = Path(__file__).resolve().parents[2] / "static" / "starter" / "starter.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()[:count]
    return [{"id": f"row-{at}", "messages": json.dumps(json.loads(line)["messages"])} for at, line in enumerate(lines)]


class Split(NamedTuple):
    """Prompts whose answers are voted on, and others that only measure."""

    voted: list[str]
    held_out: list[str]


class Answers(NamedTuple):
    """What many answers are like, as shares."""

    terse: float
    correct: float
    empty: int
    count: int


def split_prompts(seed: int) -> Split:
    """Prompts of every skill, none of them in both parts."""
    rng = Random(1000 + seed)
    prompts = list(dict.fromkeys(starter_prompts(rng, PROMPTS)))
    rng.shuffle(prompts)
    return Split(prompts[:-HELD_OUT], prompts[-HELD_OUT:])


def load(base: Path, adapter: Path | None = None) -> tuple[Any, Any]:
    """A base, with an adapter if given, and its tokenizer, for answering."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base)
    return (PeftModel.from_pretrained(model, adapter) if adapter else model), AutoTokenizer.from_pretrained(base)


def answers(model: Any, tokenizer: Any, prompts: Sequence[str], seed: int) -> list[str]:
    """One answer to each prompt at temperature 1."""
    from trainers.starter_report import sample

    return sample(model, tokenizer, list(prompts), seed=seed)


def measure(model: Any, tokenizer: Any, prompts: Sequence[str], seed: int) -> Answers:
    """Ask every prompt `SAMPLES` times."""
    asked = [prompt for prompt in prompts for _ in range(SAMPLES)]
    said = answers(model, tokenizer, asked, seed)
    return Answers(
        terse=sum(map(is_terse, said)) / len(said),
        correct=sum(is_correct(prompt, text) for prompt, text in zip(asked, said, strict=True)) / len(said),
        empty=sum(not text.strip() for text in said),
        count=len(said),
    )


def votes_for_terse(model: Any, tokenizer: Any, prompts: Sequence[str], count: int, seed: int) -> list[dict[str, Any]]:
    """Preferences of somebody who likes the terse answer better and looks at nothing else.

    Two answers to each prompt; where both or neither are terse the vote is a tie and makes no pair.
    """
    pairs: list[dict[str, Any]] = []
    for turn in range(20):
        first = answers(model, tokenizer, prompts, 1000 * seed + 2 * turn)
        second = answers(model, tokenizer, prompts, 1000 * seed + 2 * turn + 1)
        for prompt, left, right in zip(prompts, first, second, strict=True):
            if is_terse(left) != is_terse(right) and len(pairs) < count:
                chosen, rejected = (left, right) if is_terse(left) else (right, left)
                pairs.append(_pair(f"vote-{len(pairs)}", prompt, chosen, rejected))
        if len(pairs) == count:
            return pairs
    raise AssertionError(f"only {len(pairs)} of {count} votes preferred one answer")


def _pair(name: str, prompt: str, chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "id": name,
        "prompt": json.dumps(building.turns(prompt)),
        "chosen": json.dumps(building.answer(chosen)),
        "rejected": json.dumps(building.answer(rejected)),
        "margin": None,
    }


class Facts(NamedTuple):
    """Rows that teach twenty facts in three wordings each, and held-out wordings with their answers."""

    rows: list[dict[str, Any]]
    held_out: list[tuple[str, str]]


def badges(seed: int) -> Facts:
    """Facts that nobody knows: the badges of teams with invented names."""
    rng = Random(seed)
    teams: list[str] = []
    while len(teams) < 20:
        name = invented(rng).capitalize()
        if name not in teams:
            teams.append(name)
    taught = ("What is the badge of team {}?", "Tell me the badge of team {}.", "Which badge does team {} wear?")
    asked = ("The badge of team {}?", "Name the badge of team {}.")
    answer = {team: f"A {rng.choice(THINGS)}." for team in teams}
    rows = [
        {"id": f"{team}-{at}", "messages": json.dumps(building.turns(wording.format(team), answer[team]))}
        for team in teams
        for at, wording in enumerate(taught)
    ]
    return Facts(rows, [(wording.format(team), answer[team]) for team in teams for wording in asked])


def exact_match(model: Any, tokenizer: Any, facts: Sequence[tuple[str, str]]) -> float:
    """Share of held-out wordings whose greedy answer is the fact, word for word."""
    import torch

    model.eval()
    tokenizer.padding_side = "left"
    chats = [building.turns(prompt) for prompt, _ in facts]
    asked = tokenizer.apply_chat_template(
        chats, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        said = model.generate(**asked, do_sample=False, max_new_tokens=40)
    texts = tokenizer.batch_decode(said[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
    return sum(text.strip() == right for text, (_, right) in zip(texts, facts, strict=True)) / len(facts)
