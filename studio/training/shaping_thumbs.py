"""Answers that were judged one by one, as rows of KTO: from thumbs, and from pairs (the better one is good).

Good and bad must both be there: from good answers alone a model learns to say them and nothing else, from bad ones
alone it forgets how to speak.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from storage.errors import BadInput
from storage.prompts import as_messages, content_sha256
from storage.rows import Dataset
from studio.training.shaped import FEWEST_PAIRS, Examples, Shaped, answer_turns, counted


def thumbs(dataset: Dataset, examples: Examples) -> Shaped:
    """Answers that are good or bad: judged ones as they are, of a pair the chosen one is good and the rejected bad."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        judged = _judged(content)
        if judged:
            prompt = as_messages(content["prompt"])
            rows += [thumb_row(prompt, text, good, f"{example_id}-{name}") for name, text, good in judged]
            prompts.add(content_sha256(prompt))
    refuse_few([bool(row["label"]) for row in rows], f'Dataset "{dataset.name}" holds')
    return Shaped(rows, prompts)


LOOKED_AT = 100
"""Rows from which it is told how many answers a dataset holds, before it is read whole."""


def answers_per_row(contents: Sequence[Mapping[str, Any]]) -> float:
    """How many judged answers an example holds: two where it is a pair, one where it is a thumb, none where a score."""
    return sum(len(_judged(content)) for content in contents) / max(1, len(contents))


def _judged(content: Mapping[str, Any]) -> list[tuple[str, Any, bool]]:
    """The answers of an example that somebody judged, by name, and whether each is good."""
    if isinstance(content.get("label"), bool):
        return [("answer", content["completion"], content["label"])]
    if "chosen" in content and content["chosen"] != content["rejected"]:
        return [("chosen", content["chosen"], True), ("rejected", content["rejected"], False)]
    return []


def thumb_row(prompt: Sequence[Any], completion: Any, good: bool, row_id: str, weight: float = 1.0) -> dict[str, Any]:
    """A judged answer in the shape of `data.parquet`: turns before the last one belong to what was asked."""
    turns: list[Any] = [*prompt, *answer_turns(completion)]
    *before, said = turns
    return {
        "id": row_id,
        "prompt": json.dumps(before, ensure_ascii=True),
        "completion": json.dumps([said], ensure_ascii=True),
        "label": good,
        "weight": float(weight),
    }


def refuse_few(labels: Sequence[bool], who: str) -> None:
    """Raise BadInput where there are too few judged answers, or only good or only bad ones; `who` "holds" them."""
    good = sum(labels)
    bad = len(labels) - good
    if min(good, bad) < FEWEST_PAIRS:
        raise BadInput(
            f"{who} {counted(good, 'good answer')} and {counted(bad, 'bad answer')}; KTO needs at least {FEWEST_PAIRS} "
            "of each, to learn the difference."
        )
