"""The shapes that reward models and rewarded training learn from: judged answers, and questions with references."""

import json
from collections.abc import Mapping
from typing import Any

from storage.errors import BadInput
from storage.prompts import as_messages, content_sha256
from storage.rows import Dataset
from studio.training.shaped import FEWEST_PAIRS, Examples, Shaped, answer_turns, counted, preference_row

Content = Mapping[str, Any]


def judged(dataset: Dataset, examples: Examples) -> Shaped:
    """Pairs of a better and a worse answer, and single answers with a score; thumbs are passed over."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        row = _judged_row(example_id, content)
        if row is not None:
            rows.append(row)
            prompts.add(content_sha256(as_messages(content["prompt"])))
    if len(rows) < FEWEST_PAIRS:
        raise BadInput(
            f'Dataset "{dataset.name}" holds {counted(len(rows), "judgement")} (pairs whose answers differ, or answers '
            f"with a score); a reward model needs at least {FEWEST_PAIRS}."
        )
    return Shaped(rows, prompts)


def _judged_row(example_id: str, content: Content) -> dict[str, Any] | None:
    prompt = as_messages(content["prompt"])
    single = {"completion": None, "score": None}
    if "chosen" in content:
        if content["chosen"] == content["rejected"]:
            return None
        pair = preference_row(prompt, content["chosen"], content["rejected"], example_id, content.get("margin"))
        return {**pair, **single}
    if content.get("score") is None:
        return None
    return {
        "id": example_id,
        "prompt": json.dumps(prompt, ensure_ascii=True),
        "chosen": None,
        "rejected": None,
        "margin": None,
        "completion": json.dumps(answer_turns(content["completion"]), ensure_ascii=True),
        "score": float(content["score"]),
    }


def questions(dataset: Dataset, examples: Examples) -> Shaped:
    """Prompts to be answered, with the answer that is known to be right where there is one."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        prompt, reference = _question(content)
        if prompt:
            rows.append({"id": example_id, "prompt": json.dumps(prompt, ensure_ascii=True), "reference": reference})
            prompts.add(content_sha256(prompt))
    if not rows:
        raise BadInput(f'No row of dataset "{dataset.name}" asks anything; write prompts first.')
    return Shaped(rows, prompts)


def _question(content: Content) -> tuple[list[dict[str, Any]], str | None]:
    """What is asked and the best answer that the row holds: its last one, the chosen one, or the best rated one."""
    if "messages" in content:
        messages = list(content["messages"])
        answers = [at for at, turn in enumerate(messages) if turn.get("role") == "assistant"]
        return (messages[: answers[-1]], _text(messages[answers[-1]])) if answers else (messages, None)
    prompt = as_messages(content["prompt"])
    if "chosen" in content:
        return prompt, _last(content["chosen"])
    known = [answer for answer in content.get("answers") or () if answer.get("score") is not None]
    best = max(known, key=lambda answer: float(answer["score"]), default=None)
    return prompt, _last(best["messages"]) if best else None


def _last(answer: Any) -> str | None:
    turns = [turn for turn in answer_turns(answer) if turn.get("role") == "assistant"]
    return _text(turns[-1]) if turns else None


def _text(turn: Mapping[str, Any]) -> str | None:
    """A turn's words; parts that are no text have none."""
    content = turn.get("content")
    return content if isinstance(content, str) else None
