"""Judged answers as token ids: pairs of a better and a worse answer, or single answers with a score."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from trainers.data import Conversation, Messages, Prepared, encode_plainly, messages_in
from trainers.data_pairs import encode_preference, read_preferences, scaled

FEWEST_PAIRS = 4

Row = dict[str, Any]


class Scored(NamedTuple):
    """An answer with its conversation, and how good somebody says that it is."""

    id: str
    messages: Messages
    score: float


def learnt_from(rows: Sequence[Row], wish: str) -> str:
    """What a run learns from, "pairs" or "scores"; `wish`: the option. Raises BadInput where the rows hold none."""
    pairs = sum(row.get("chosen") is not None for row in rows)
    scores = sum(row.get("score") is not None for row in rows)
    found = {"pairs": pairs, "scores": scores}
    chosen = wish if wish != "auto" else "pairs" if pairs >= FEWEST_PAIRS or not scores else "scores"
    if not found[chosen]:
        raise BadInput(f"There are {pairs} pairs and {scores} single scores, so nothing to learn from {chosen}.")
    return chosen


def prepare_pairs(tokenizer: Any, rows: Sequence[Row], options: Any) -> Prepared:
    """`chosen_ids` and `rejected_ids` of whole conversations, and `margin`, `weight` and `tie` where rows say them."""
    kept, truncated, dropped, identical = [], 0, 0, 0
    found = scaled(read_preferences(row for row in rows if row.get("chosen") is not None), options.margin_scale)
    plain = all(row.plain for row in found)
    for row in found:
        start, chosen, rejected = encode_preference(tokenizer, row)
        identical += chosen == rejected
        dropped += chosen != rejected and start >= options.max_length
        if chosen == rejected or start >= options.max_length:
            continue
        truncated += max(len(chosen), len(rejected)) > options.max_length
        made: Row = {"chosen_ids": chosen[: options.max_length], "rejected_ids": rejected[: options.max_length]}
        kept.append(made if plain else {**made, "margin": row.margin, "weight": row.weight, "tie": row.tie})
    longest = max((len(row[side]) for row in kept for side in ("chosen_ids", "rejected_ids")), default=0)
    return Prepared(kept, truncated, dropped, identical, longest)


def prepare_scores(tokenizer: Any, rows: Sequence[Row], options: Any) -> Prepared:
    """`chosen_ids` of whole conversations and their `score`; TRL's name of the column is kept."""
    kept: list[Row] = []
    truncated = 0
    for row in read_scores(rows):
        ids = encode_judged(tokenizer, row.id, row.messages)
        truncated += len(ids) > options.max_length
        kept.append({"chosen_ids": ids[: options.max_length], "score": row.score})
    return Prepared(kept, truncated, 0, 0, max((len(row["chosen_ids"]) for row in kept), default=0))


def read_scores(rows: Sequence[Row]) -> list[Scored]:
    """The rows that hold a score; raises BadInput with the row's id for one that is none."""
    return [
        Scored(str(row.get("id")), messages_in(row, "prompt") + messages_in(row, "completion"), float(row["score"]))
        for row in rows
        if row.get("score") is not None
    ]


def encode_judged(tokenizer: Any, row_id: str, messages: Messages) -> list[int]:
    """What a judge reads: the conversation with its answer, through the chat template."""
    return encode_plainly(tokenizer, Conversation(row_id, messages, None))


def sequences_of(prepared: Prepared) -> list[list[int]]:
    """Every answer that was learnt from."""
    return [row[side] for row in prepared.rows for side in ("chosen_ids", "rejected_ids") if side in row]
