"""Migration 17: answering whole datasets, and finding an answer again that exists already.

An `answering` is a wish: these models answer every prompt of a dataset version into a new dataset. `bulk_answers` are
its answers one by one, so that a process that was killed goes on where it stood and nothing is asked twice. `key`,
there and among the answers of studies, names what decides an answer (weights, template, prompt, settings, seed); one
that is drawn without a seed has none. Typed questions are found among many that wait by an index of their own, and
the pace of a study by when its comparisons became ready.
"""

from storage.sqlite import Database


def prepare(db: Database) -> None:
    """Make the tables, add the column and the indexes."""
    db["answerings"].create(
        {"id": str, "dataset_id": str, "version_id": str, "target": str, "model_ids": str, "params": str, "system": str,
         "state": str, "total": int, "result": str, "error": str, "task_id": str, "made_id": str, "created_by": str,
         "created_at": float, "finished_at": float},
        pk="id", strict=True, not_null={"dataset_id", "target", "model_ids", "params", "state", "total", "created_at"},
        foreign_keys=[("dataset_id", "datasets", "id"), ("version_id", "versions", "id"), ("task_id", "tasks", "id")],
    )  # fmt: skip
    db["bulk_answers"].create(
        {"answering_id": str, "example_id": str, "model_id": str, "key": str, "text": str, "stamp": str,
         "tokens": int, "seconds": float, "error": str, "reused": int, "created_at": float},
        pk=("answering_id", "example_id", "model_id"), strict=True, not_null={"reused", "created_at"},
        foreign_keys=[("answering_id", "answerings", "id"), ("model_id", "models", "id")],
    )  # fmt: skip
    db.execute("create index idx_bulk_answers_key on bulk_answers (key) where key is not null")
    db.execute("alter table answers add column key text")
    db.execute("create index idx_answers_key on answers (key) where key is not null")
    db.execute("create index idx_comparisons_free on comparisons (study_id, state) where source = 'free'")
    db.execute("create index idx_comparisons_pace on comparisons (study_id, ready_at) where ready_at is not null")
