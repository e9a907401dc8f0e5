"""Migration 23: what is expected of answers to the canary prompts, what every model answered, and votes on that.

All three go by hashes, so that they outlast a dataset that is edited and a model that is renamed: `prompt_sha256` of
the prompt, `answerer` of the weights and template that answered, `first_sha256` and `second_sha256` of the two texts
that somebody held against each other (the smaller hash is the first, whichever model stood left).
"""

from storage.sqlite import Database


def m023_canaries(db: Database) -> None:
    """Make the three tables."""
    db["expectations"].create(
        {"id": str, "prompt_sha256": str, "kind": str, "value": str, "author": str, "created_at": float,
         "lifted_at": float, "lifted_by": str},
        pk="id", strict=True, not_null={"prompt_sha256", "kind", "value", "author", "created_at"},
    )  # fmt: skip
    db["expectations"].create_index(["prompt_sha256"])
    db["canary_answers"].create(
        {"answerer": str, "prompt_sha256": str, "model_id": str, "text": str, "sha256": str, "tokens": int,
         "seconds": float, "stamp": str, "created_at": float},
        pk=("answerer", "prompt_sha256"), strict=True,
        not_null={"model_id", "text", "sha256", "tokens", "seconds", "stamp", "created_at"},
        foreign_keys=[("model_id", "models", "id")],
    )  # fmt: skip
    db["canary_votes"].create(
        {"id": str, "prompt_sha256": str, "first_sha256": str, "second_sha256": str, "choice": str, "annotator": str,
         "created_at": float},
        pk="id", strict=True, not_null={"prompt_sha256", "first_sha256", "second_sha256", "annotator", "created_at"},
    )  # fmt: skip
    db["canary_votes"].create_index(["prompt_sha256", "first_sha256", "second_sha256"])
