"""Migration 18: who is the champion, and since when; and keys by which programs ask for it.

`promotions` says in order which model became champion, by the gate, by a person's word, or by rolling back; nothing is
taken away. Rounds gain `against_id`: the champion that their candidate is compared with, which need not be the model
that it was trained from. `gate` in `meta` holds the project's limits where somebody has changed them. `api_keys` knows
keys by their hashes alone. Models gain the names that they had before (`former_names`), by which jobs and answers of
that time still name them, and `gone_at`: when their weights were deleted.
"""

from storage.sqlite import Database


def prepare(db: Database) -> None:
    """Make the table, add the column."""
    db["promotions"].create(
        {"id": str, "number": int, "kind": str, "model_id": str, "before_id": str, "round_id": str, "reason": str,
         "evidence": str, "author": str, "created_at": float},
        pk="id", strict=True, not_null={"number", "kind", "model_id", "reason", "author", "created_at"},
        foreign_keys=[("model_id", "models", "id"), ("before_id", "models", "id"), ("round_id", "rounds", "id")],
    )  # fmt: skip
    db["promotions"].create_index(["number"], unique=True)
    db.execute("alter table rounds add column against_id text references models(id)")
    db.execute("alter table models add column former_names text")
    db.execute("alter table models add column gone_at real")
    db["api_keys"].create(
        {"id": str, "name": str, "token_sha256": str, "scope": str, "created_by": str, "created_at": float,
         "used_at": float, "revoked_at": float},
        pk="id", strict=True, not_null={"name", "token_sha256", "scope", "created_by", "created_at"},
    )  # fmt: skip
    db["api_keys"].create_index(["token_sha256"], unique=True)
