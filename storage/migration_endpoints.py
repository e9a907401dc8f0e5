"""Migration 16: what is known of endpoints beside their address, and what they have cost.

Models gain the kind of server (`dialect`), how many questions it takes at once, its patience, prices, and the base of
ours that it holds (`serves`). `usage` counts by model and day what was asked and answered, so that a price can be told
without reading every answer; `estimated` counts the answers whose tokens the server did not tell.
"""

from storage.sqlite import Database


def prepare(db: Database) -> None:
    """Add the columns, make the table."""
    for column in ("dialect text", "at_once integer", "timeout real", "price_in real", "price_out real",
                   "serves text references models(id)"):  # fmt: skip
        db.execute(f"alter table models add column {column}")
    db["usage"].create(
        {"model_id": str, "day": str, "requests": int, "retries": int, "failures": int, "estimated": int,
         "prompt_tokens": int, "completion_tokens": int, "seconds": float},
        pk=("model_id", "day"), strict=True,
        not_null={"requests", "retries", "failures", "estimated", "prompt_tokens", "completion_tokens", "seconds"},
        foreign_keys=[("model_id", "models", "id")],
    )  # fmt: skip
