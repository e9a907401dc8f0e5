"""Migrations 22 and 24: demos, by whose links strangers talk to the champion or to chosen models.

`demos` knows a link by its hash alone; `models` is empty where the champion answers. `demo_answers` holds what was said
there, so that the next question goes on from what was really answered, and `demo_votes` what visitors thought of it.
Both are kept apart from studies: a visitor's vote becomes one (`votes.source` "demo") when a curator accepts it.
Answers that were given side by side have one `question`: only they were seen against each other, so only they are.
"""

from storage.sqlite import Database


def m022_demos(db: Database) -> None:
    """Make the tables."""
    db["demos"].create(
        {"id": str, "name": str, "token_sha256": str, "models": str, "settings": str, "study_id": str,
         "created_by": str, "created_at": float, "closed_at": float},
        pk="id", strict=True, not_null={"name", "token_sha256", "models", "settings", "created_by", "created_at"},
        foreign_keys=[("study_id", "studies", "id")],
    )  # fmt: skip
    db["demos"].create_index(["token_sha256"], unique=True)
    db["demo_answers"].create(
        {"id": str, "demo_id": str, "visitor": str, "prompt": str, "model_id": str, "model_name": str, "text": str,
         "finish": str, "stamp": str, "tokens": int, "seconds": float, "created_at": float},
        pk="id", strict=True,
        not_null={"demo_id", "visitor", "prompt", "model_id", "model_name", "text", "finish", "stamp", "created_at"},
        foreign_keys=[("demo_id", "demos", "id"), ("model_id", "models", "id")],
    )  # fmt: skip
    db["demo_answers"].create_index(["demo_id", "created_at"])
    db["demo_votes"].create(
        {"id": str, "demo_id": str, "visitor": str, "answers": str, "choice": str, "state": str, "comparison_id": str,
         "decision": str, "decided_by": str, "decided_at": float, "created_at": float},
        pk="id", strict=True, not_null={"demo_id", "visitor", "answers", "choice", "state", "created_at"},
        foreign_keys=[("demo_id", "demos", "id"), ("comparison_id", "comparisons", "id")],
    )  # fmt: skip
    db["demo_votes"].create_index(["demo_id", "visitor", "answers"], unique=True)
    db["demo_votes"].create_index(["demo_id", "state"])


def m024_side_by_side(db: Database) -> None:
    """Add the column; of answers from before nobody knows which stood together."""
    db.execute("alter table demo_answers add column question text")
