"""What endpoints were asked and what they answered, added up by model and day (UTC).

Prices stand in the model's row, so that a day counts tokens and a price that changes tells everything anew.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from storage.clock import now
from storage.rows_training import Model
from storage.store import Store

_MILLION = 1_000_000


class Spent(NamedTuple):
    """Counts over some questions; `seconds` is time spent answering.

    `retries`: questions that were put again; `failures`: those that got no whole answer; `estimated`: those whose
    tokens the server did not tell, so that ours is an estimate.
    """

    requests: int = 0
    retries: int = 0
    failures: int = 0
    estimated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The counts of a row that holds more."""
        return cls(**{name: row[name] for name in cls._fields})

    def cost(self, model: Model) -> float | None:
        """What it cost by the model's prices for a million tokens, None where it has none."""
        if model.price_in is None and model.price_out is None:
            return None
        read, written = self.prompt_tokens * (model.price_in or 0), self.completion_tokens * (model.price_out or 0)
        return (read + written) / _MILLION


def record(store: Store, model_id: str, spent: Spent) -> None:
    """Add to what a model has spent today."""
    names = ", ".join(Spent._fields)
    marks = ", ".join("?" for _ in Spent._fields)
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in Spent._fields)
    day = datetime.fromtimestamp(now(), UTC).date().isoformat()
    with store.write():
        store.execute(
            f"insert into usage (model_id, day, {names}) values (?, ?, {marks}) "
            f"on conflict (model_id, day) do update set {added}",
            [model_id, day, *spent],
        )


def totals(store: Store) -> dict[str, Spent]:
    """What every model has spent so far, by its id."""
    sums = ", ".join(f"sum({name}) as {name}" for name in Spent._fields)
    rows = store.rows(f"select model_id, {sums} from usage group by model_id")
    return {row["model_id"]: Spent.of(row) for row in rows}


def by_day(store: Store, days: int) -> list[tuple[str, str, Spent]]:
    """(day, model's id, what it spent) of the last `days` days on which anything was asked, the newest first."""
    rows = store.rows(
        "select * from usage where day in (select distinct day from usage order by day desc limit ?) "
        "order by day desc, model_id",
        [days],
    )
    return [(row["day"], row["model_id"], Spent.of(row)) for row in rows]
