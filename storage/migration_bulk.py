"""Migration 17: answering whole datasets.

An `answering` is a wish: these models answer every prompt of a dataset version into a new dataset. `bulk_answers` are
its answers one by one, so that a process that was killed goes on where it stood and nothing is asked twice; `key`
names what decides an answer (weights, template, prompt, settings, seed), by which one that exists is found again.
"""

from sqlite_utils import Database


def prepare(db: Database) -> None:
    """Make the tables."""
    db["answerings"].create(
        {"id": str, "dataset_id": str, "target": str, "model_ids": str, "params": str, "system": str, "state": str,
         "total": int, "error": str, "task_id": str, "created_by": str, "created_at": float, "finished_at": float},
        pk="id", strict=True, not_null={"dataset_id", "target", "model_ids", "params", "state", "total", "created_at"},
        foreign_keys=[("dataset_id", "datasets", "id"), ("task_id", "tasks", "id")],
    )  # fmt: skip
    db["bulk_answers"].create(
        {"answering_id": str, "example_id": str, "model_id": str, "key": str, "text": str, "stamp": str,
         "tokens": int, "seconds": float, "error": str, "created_at": float},
        pk=("answering_id", "example_id", "model_id"), strict=True, not_null={"key", "created_at"},
        foreign_keys=[("answering_id", "answerings", "id"), ("model_id", "models", "id")],
    )  # fmt: skip
    db["bulk_answers"].create_index(["key"])
