"""What shapes share: rows of `data.parquet` with the hashes of their prompts, and how texts are put down in them."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from storage.rows import Dataset

Examples = Iterable[tuple[str, Mapping[str, Any]]]  # id and content

FEWEST_PAIRS = 4
"""Below this DPO learns the words of single answers rather than a taste."""


class Shaped(NamedTuple):
    """Rows of `data.parquet`, and the hashes of their prompts."""

    rows: list[dict[str, Any]]
    prompts: set[str]


Shape = Callable[[Dataset, Examples], Shaped]


def preference_row(prompt: Any, chosen: Any, rejected: Any, row_id: str, margin: float | None) -> dict[str, Any]:
    """A preference in the shape of `data.parquet`: every text as JSON messages."""
    return {
        "id": row_id,
        "prompt": json.dumps(prompt, ensure_ascii=True),
        "chosen": json.dumps(answer_turns(chosen), ensure_ascii=True),
        "rejected": json.dumps(answer_turns(rejected), ensure_ascii=True),
        "margin": None if margin is None else float(margin),
    }


def answer_turns(answer: Any) -> list[dict[str, Any]]:
    """An answer as messages: a text becomes one assistant message."""
    return [{"role": "assistant", "content": answer}] if isinstance(answer, str) else list(answer)


def counted(number: int, noun: str) -> str:
    """ "1 pair", "24 pairs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
