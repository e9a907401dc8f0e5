"""Plain texts, and conversations read as texts, in the shape of `data.parquet` that continued pretraining wants."""

import json
from typing import Any

from storage.errors import BadInput
from storage.prompts import content_sha256
from storage.rows import Dataset
from studio.training.shaped import Examples, Shaped


def texts(dataset: Dataset, examples: Examples) -> Shaped:
    """Every text that says something, and every conversation; the prompts are what the assistant answered to."""
    rows: list[dict[str, Any]] = []
    prompts: set[str] = set()
    for example_id, content in examples:
        if content.get("messages"):
            messages = content["messages"]
            tools = json.dumps(content["tools"]) if content.get("tools") else None
            rows.append({**_row(example_id), "messages": json.dumps(messages, ensure_ascii=True), "tools": tools})
            answers = [at for at, message in enumerate(messages) if message.get("role") == "assistant"]
            prompts |= {content_sha256(messages[:at]) for at in answers if at}
        elif str(content.get("text") or "").strip():
            rows.append({**_row(example_id), "text": content["text"]})
    if not rows:
        raise BadInput(f'No row of dataset "{dataset.name}" holds a text; write or import texts first.')
    return Shaped(rows, prompts)


def _row(example_id: str) -> dict[str, Any]:
    return {"id": example_id, "text": None, "messages": None, "tools": None}
