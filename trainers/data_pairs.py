"""Frozen pairs of a better and a worse answer as token ids, with what they say beyond that: margin, weight, tie."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from trainers.data import Messages, Prepared, messages_in, render, shared_start, tools_in


class Preference(NamedTuple):
    """A row of preference data."""

    id: str
    prompt: Messages
    chosen: Messages
    rejected: Messages
    tools: list[Any] | None
    margin: float = 0.0
    weight: float = 1.0
    tie: bool = False

    @property
    def plain(self) -> bool:
        """Whether it says better and worse and nothing else."""
        return not self.margin and self.weight == 1.0 and not self.tie


def read_preferences(rows: Iterable[dict[str, Any]]) -> list[Preference]:
    """Preference rows from the frozen table; raises BadInput with the row's id for one that is none."""
    return [
        Preference(
            str(row.get("id")),
            messages_in(row, "prompt"),
            messages_in(row, "chosen"),
            messages_in(row, "rejected"),
            tools_in(row),
            float(row.get("margin") or 0.0),
            1.0 if row.get("weight") is None else float(row["weight"]),
            bool(row.get("tie")),
        )
        for row in rows
    ]


def scaled(rows: Sequence[Preference], margin_scale: float) -> list[Preference]:
    """Margins in units of reward, and weights whose mean is 1."""
    mean = sum(row.weight for row in rows) / max(1, len(rows)) or 1.0
    return [row._replace(margin=row.margin * margin_scale, weight=round(row.weight / mean, 9)) for row in rows]


def prepare_preferences(tokenizer: Any, rows: Sequence[Preference], max_length: int) -> Prepared:
    """`prompt_ids`, `chosen_ids` and `rejected_ids` of every row whose prompt leaves room for an answer."""
    kept = []
    truncated = dropped = identical = longest = 0
    plain = all(row.plain for row in rows)
    talks = any(len(row.chosen) > 1 or len(row.rejected) > 1 for row in rows)
    for row in rows:
        start, chosen, rejected = encode_preference(tokenizer, row)
        if chosen == rejected:
            identical += 1
            continue
        if start >= max_length:
            dropped += 1
            continue
        truncated += max(len(chosen), len(rejected)) > max_length
        longest = max(longest, min(max_length, max(len(chosen), len(rejected))))
        made: dict[str, Any] = {
            "prompt_ids": chosen[:start], "chosen_ids": chosen[start:], "rejected_ids": rejected[start:],
        }  # fmt: skip
        if not plain:
            made |= {"margin": row.margin, "weight": row.weight, "tie": row.tie}
        if talks:
            made |= {"chosen_learnt": _said(tokenizer, row, row.chosen, chosen)[start:],
                     "rejected_learnt": _said(tokenizer, row, row.rejected, rejected)[start:]}  # fmt: skip
        kept.append(made)
    return Prepared(kept, truncated, dropped, identical, longest)


def _said(tokenizer: Any, row: Preference, tail: Messages, ids: list[int]) -> list[int]:
    """Which tokens of a conversation the assistant says in its tail, 1; what the user says there is read only, 0."""
    learnt = [0] * len(ids)
    for at, turn in enumerate(tail):
        if turn["role"] == "assistant":
            before = render(tokenizer, row, row.prompt + tail[:at], add_generation_prompt=True)["input_ids"]
            after = render(tokenizer, row, row.prompt + tail[: at + 1])["input_ids"]
            begin, end = shared_start(before, ids), shared_start(after, ids)
            learnt[begin:end] = [1] * (end - begin)
    return learnt


class EncodedPreference(NamedTuple):
    """Both answers with their prompt as token ids; the prompt's are the first `start` of each."""

    start: int
    chosen: list[int]
    rejected: list[int]


def encode_preference(tokenizer: Any, row: Preference) -> EncodedPreference:
    """A pair through the chat template."""
    prompt = render(tokenizer, row, row.prompt, add_generation_prompt=True)["input_ids"]
    chosen = render(tokenizer, row, row.prompt + row.chosen)["input_ids"]
    rejected = render(tokenizer, row, row.prompt + row.rejected)["input_ids"]
    return EncodedPreference(min(shared_start(prompt, chosen), shared_start(prompt, rejected)), chosen, rejected)
