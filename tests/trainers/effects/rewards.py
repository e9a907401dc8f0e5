"""What reward models and rewarded training do to the starter model."""

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from storage.specs.advice import advise
from storage.specs.rewards import parse_rules
from storage.specs.run import Helper, RunSpec
from storage.weights import count_weights
from tests.trainers import building, loop
from trainers.grammar import SKILLS, is_correct
from trainers.grammar.conversation import ask
from trainers.grammar.styles import say
from trainers.rewards import Judged as Answered
from trainers.rewards import reward_of

STARTER = Path(__file__).resolve().parents[3] / "static" / "starter" / "model"
TASTE = ("warm", "terse", "formal", "rambling")
"""Somebody's taste, best first; length alone does not explain it."""
PAIRS, HELD_OUT = 160, 100
RIGHT = 0.8


class Judged(NamedTuple):
    """A prompt with a better and a worse answer, and how many places of `TASTE` lie between them."""

    prompt: str
    better: str
    worse: str
    apart: int


def judged(count: int, seed: int, unseen: bool = False) -> list[Judged]:
    """Answers of the grammar, judged by taste alone; `unseen`: in wordings that no other part uses."""
    rng = Random(seed)
    skills = [skill for skill in SKILLS if skill.unseen]
    found: list[Judged] = []
    while len(found) < count:
        question = ask(rng, rng.choice(skills), unseen=unseen)
        first, second = sorted(rng.sample(range(len(TASTE)), 2))
        better, worse = (say(question.answer, TASTE[at], rng) for at in (first, second))
        if not question.answer.ready:  # finished sentences have no style
            found.append(Judged(question.prompt, better, worse, second - first))
    return found


def pair_rows(pairs: list[Judged]) -> list[dict[str, Any]]:
    """Rows of a run."""
    return [
        {
            "id": f"pair-{at}", "prompt": json.dumps(building.turns(pair.prompt)),
            "chosen": json.dumps(building.answer(pair.better)), "rejected": json.dumps(building.answer(pair.worse)),
            "margin": float(pair.apart), "completion": None, "score": None,
        }
        for at, pair in enumerate(pairs)
    ]  # fmt: skip


def score_rows(pairs: list[Judged]) -> list[dict[str, Any]]:
    """The same answers one by one, with a score from 2 to 8."""
    from trainers.grammar import style_of

    return [
        {
            "id": f"answer-{at}-{text[:3]}", "prompt": json.dumps(building.turns(pair.prompt)), "chosen": None,
            "rejected": None, "margin": None, "completion": json.dumps(building.answer(text)),
            "score": 8.0 - 2 * TASTE.index(style_of(text)) if style_of(text) in TASTE else 5.0,
        }
        for at, pair in enumerate(pairs)
        for text in (pair.better, pair.worse)
    ]  # fmt: skip


def train(folder: Path, method: str, rows: list[dict[str, Any]], seed: int = 0, **own: Any) -> Path:
    """A run on the starter with the advised options and `own` ones; `rewards` are reward models. Its folder."""
    spec = {"rewards": own.pop("rewards", [])}
    advised = advise(method, count_weights(STARTER), len(rows)).options
    building.make_run(folder, method, STARTER, rows, options={**advised, "seed": seed, **own}, **spec)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder


def scores(folder: Path, pairs: list[Judged]) -> tuple[list[float], list[float]]:
    """What a trained reward model gives the better answers, and the worse ones."""
    from trainers.judges import Judge

    judge = Judge.load(RunSpec.read(folder), folder / "adapter")
    given = judge.scores([building.turns(pair.prompt, text) for pair in pairs for text in (pair.better, pair.worse)])
    return given[::2], given[1::2]


def ranking(folder: Path, rows: list[dict[str, Any]], seed: int = 0, **own: Any) -> dict[str, Any]:
    """The share of held-out pairs, in wordings that were not learnt, that the reward model puts in the right order."""
    held = judged(HELD_OUT, 900 + seed, unseen=True)
    train(folder, "reward", rows, seed, **own)
    better, worse = scores(folder, held)
    right = sum(one > other for one, other in zip(better, worse, strict=True)) / len(held)
    longer = sum(len(pair.better) > len(pair.worse) for pair in held) / len(held)
    return {
        "measure": "share of held-out pairs ranked rightly (before: by length alone)", "better": "higher",
        "before": round(max(longer, 1 - longer), 4), "after": round(right, 4), "met": right > RIGHT,
        "mean": [round(sum(side) / len(side), 3) for side in (better, worse)],
    }  # fmt: skip


def from_pairs(folder: Path, seed: int = 0) -> dict[str, Any]:
    """Bradley and Terry's loss, without margins."""
    return ranking(folder, pair_rows(judged(PAIRS, seed)), seed)


def from_margins(folder: Path, seed: int = 0) -> dict[str, Any]:
    """The same with margins."""
    return ranking(folder, pair_rows(judged(PAIRS, seed)), seed, margin_scale=0.333)


def from_scores(folder: Path, seed: int = 0) -> dict[str, Any]:
    """Single scores."""
    return ranking(folder, score_rows(judged(PAIRS, seed)), seed)


RULES = "words<6, 0.5*sentence"
"""Short answers that are whole sentences; the starter's usual answer has about twelve words."""
ASKED, STEPS = 80, 16
_SAMPLES = 2


def question_rows(seed: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of prompts to learn from, and prompts that measure."""
    prompts = loop.split_prompts(seed)
    rows = [
        {"id": f"prompt-{at}", "prompt": json.dumps(building.turns(text)), "reference": None}
        for at, text in enumerate(prompts.voted[:ASKED])
    ]
    return rows, prompts.held_out


def by_rules(texts: list[str]) -> float:
    """The mean reward of answers by `RULES`."""
    rules = parse_rules(RULES)
    given = [sum(rule.weight * (reward_of(rule)(Answered([], text, None)) or 0.0) for rule in rules)
             for text in texts]  # fmt: skip
    return sum(given) / len(given)


def rewarded(folder: Path, method: str, judge: Path | None, rules: str, seed: int = 0, **own: Any) -> dict[str, Any]:
    """Train on rewards; the mean reward of answers to held-out prompts before and after."""
    rows, held = question_rows(seed)
    asked = [prompt for prompt in held for _ in range(_SAMPLES)]

    def reward(adapter: Path | None) -> tuple[float, float]:
        texts = loop.answers(*loop.load(STARTER, adapter), asked, seed)
        given = by_rules(texts) if rules else 0.0
        if judge is not None:
            from trainers.judges import Judge

            chats = [building.turns(prompt, text) for prompt, text in zip(asked, texts, strict=True)]
            scores = Judge.load(RunSpec.read(judge), judge / "adapter").scores(chats)
            given += sum(scores) / len(scores)
        right = sum(is_correct(prompt, text) for prompt, text in zip(asked, texts, strict=True)) / len(asked)
        return given, right

    models = [] if judge is None else [Helper("taste", "reward", str(STARTER), str(judge / "adapter"))._asdict()]
    before, right_before = reward(None)
    train(
        folder,
        method,
        rows,
        seed,
        rules=rules,
        rewards=models,
        max_steps=STEPS,
        learning_rate=1e-3,
        answer_tokens=40,
        held_out=0.0,
        **own,
    )
    after, right_after = reward(folder / "adapter")
    metrics = [event for event in building.events(folder, "metric") if "reward" in event]
    return {
        "measure": "mean reward of answers to held-out prompts", "better": "higher", "before": round(before, 4),
        "after": round(after, 4), "met": after > before + 0.2, "right": [round(right_before, 3), round(right_after, 3)],
        "kl": metrics[-1].get("kl"), "length": [metrics[at]["completions/mean_length"] for at in (0, -1)],
    }  # fmt: skip


def with_rules(method: str, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Rules alone."""
    return rewarded(folder, method, None, RULES, seed)


def with_model(method: str, folder: Path, seed: int = 0) -> dict[str, Any]:
    """A reward model that learnt `TASTE` from pairs."""
    judge = train(folder.with_name("judge"), "reward", pair_rows(judged(PAIRS, seed)), seed)
    return rewarded(folder, method, judge, "", seed)


def with_both(method: str, folder: Path, seed: int = 0) -> dict[str, Any]:
    """The reward model and rules together."""
    judge = train(folder.with_name("judge"), "reward", pair_rows(judged(PAIRS, seed)), seed)
    return rewarded(folder, method, judge, RULES, seed)


EFFECTS: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "reward/pairs": functools.partial(from_pairs),
    "reward/margins": functools.partial(from_margins),
    "reward/scores": functools.partial(from_scores),
    "grpo/rules": functools.partial(with_rules, "grpo"),
    "grpo/model": functools.partial(with_model, "grpo"),
    "rloo/rules": functools.partial(with_rules, "rloo"),
    "rloo/both": functools.partial(with_both, "rloo"),
}
