"""Frozen answers that were called good or bad, as token ids: rows of KTO.

KTO estimates how far the model has moved from its reference by answers that stand behind prompts to which they do not
belong. TRL takes them from the neighbour in the batch, so the order of the rows is fixed here, once for all epochs.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

from storage.errors import BadInput
from trainers.data import Messages, Prepared, messages_in, render, shared_start, tools_in


class Thumb(NamedTuple):
    """One judged answer. `label`: whether it is good; `weight`: how much that counts, 1 on average."""

    id: str
    prompt: Messages
    completion: Messages
    label: bool
    tools: list[Any] | None
    weight: float = 1.0


def read_thumbs(rows: Iterable[dict[str, Any]]) -> list[Thumb]:
    """Judged answers from the frozen table, weights scaled to a mean of 1; raises BadInput with a bad row's id."""
    found = [
        Thumb(
            str(row.get("id")),
            messages_in(row, "prompt"),
            messages_in(row, "completion"),
            _label(row),
            tools_in(row),
            1.0 if row.get("weight") is None else float(row["weight"]),
        )
        for row in rows
    ]
    mean = sum(row.weight for row in found) / max(1, len(found)) or 1.0
    return [row._replace(weight=round(row.weight / mean, 9)) for row in found]


def _label(row: dict[str, Any]) -> bool:
    if not isinstance(row.get("label"), bool):
        raise BadInput(f'Row "{row.get("id")}": column "label" says neither true nor false.')
    return bool(row["label"])


def prepare_thumbs(tokenizer: Any, rows: Sequence[Thumb], max_length: int, seed: int) -> Prepared:
    """`prompt_ids`, `completion_ids` and `label` of every row whose prompt leaves room for an answer, shuffled."""
    kept = []
    truncated = dropped = longest = 0
    weighted = any(row.weight != 1.0 for row in rows)
    for row in rows:
        prompt = render(tokenizer, row, row.prompt, add_generation_prompt=True)["input_ids"]
        whole = render(tokenizer, row, row.prompt + row.completion)["input_ids"]
        start = shared_start(prompt, whole)
        if start >= max_length:
            dropped += 1
            continue
        truncated += len(whole) > max_length
        longest = max(longest, min(max_length, len(whole)))
        made: dict[str, Any] = {"prompt_ids": whole[:start], "completion_ids": whole[start:], "label": row.label}
        kept.append(made | ({"weight": row.weight} if weighted else {}))
    Random(seed).shuffle(kept)
    return Prepared(kept, truncated, dropped, 0, longest)


def with_neighbours(rows: Sequence[dict[str, Any]], together: int) -> list[dict[str, Any]]:
    """Rows with the answer of the row before them in their batch; `together`: rows of a batch."""
    return [
        row | {"KL_completion_ids": rows[at - 1 if at % together else _end(at, together, len(rows))]["completion_ids"]}
        for at, row in enumerate(rows)
    ]


def _end(start: int, together: int, rows: int) -> int:
    """The last row of the batch that begins at `start`."""
    return min(start + together, rows) - 1
