"""Examples of a dataset in the shape of `data.parquet` that a method wants, with the prompts that they train on.

A shape is a function in `SHAPES`, named by `Method.shape`. Rows that say nothing of use to it are passed over; where
none is left it raises BadInput with what is missing.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from storage.errors import BadInput
from storage.prompts import as_messages, content_sha256
from storage.rows import Dataset
from studio.training.shaped import FEWEST_PAIRS, Examples, Shape, Shaped, counted, preference_row
from studio.training.shaping_labels import labelled
from studio.training.shaping_rewards import judged, questions
from studio.training.shaping_texts import texts
from studio.training.shaping_thumbs import thumbs


def conversations(dataset: Dataset, examples: Examples) -> Shaped:
    """Conversations that hold an answer, and the prompts before each answer."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        messages = content["messages"]
        answers = [at for at, message in enumerate(messages) if message.get("role") == "assistant"]
        if answers:
            row = {"id": example_id, "messages": json.dumps(messages, ensure_ascii=True)}
            rows.append({**row, "tools": json.dumps(content["tools"]) if content.get("tools") else None})
            prompts |= {content_sha256(messages[:at]) for at in answers if at}
    if not rows:
        raise BadInput(f'No row of dataset "{dataset.name}" holds an answer of the assistant; write answers first.')
    return Shaped(rows, prompts)


def pairs(dataset: Dataset, examples: Examples) -> Shaped:
    """Preferences whose two answers differ, and their prompts."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        if "chosen" not in content:  # a thumb or a score: no pair
            continue
        prompt = as_messages(content["prompt"])
        if content["chosen"] != content["rejected"]:
            rows.append(
                preference_row(prompt, content["chosen"], content["rejected"], example_id, content.get("margin"))
            )
            prompts.add(content_sha256(prompt))
    if len(rows) < FEWEST_PAIRS:
        raise BadInput(
            f'Dataset "{dataset.name}" holds {counted(len(rows), "pair")} whose answers differ; '
            f"DPO needs at least {FEWEST_PAIRS}."
        )
    return Shaped(rows, prompts)


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        "conversations": conversations,
        "texts": texts,
        "pairs": pairs,
        "thumbs": thumbs,
        "judged": judged,
        "questions": questions,
        "labelled": labelled,
    }
)
