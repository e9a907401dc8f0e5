"""Migration 21: models that were mixed from others, and where a base was fetched from.

`model_parents` names every model that a mixture's weights come from, with its weight; `models.parent_id` of a mixture
is the first of them, so that whoever follows one line still arrives at the base. `blends` says how they were mixed and
what was measured of it, as `jobs.evaluation` does for what was trained. `models.hub_id`: the id on the Hub that a
model was fetched from, by which others can fetch the same base.
"""

from storage.sqlite import Database


def prepare(db: Database) -> None:
    """Make the tables, add the column."""
    db["model_parents"].create(
        {"model_id": str, "parent_id": str, "place": int, "weight": float},
        pk=("model_id", "parent_id"), strict=True, not_null={"place", "weight"},
        foreign_keys=[("model_id", "models", "id"), ("parent_id", "models", "id")],
    )  # fmt: skip
    db["model_parents"].create_index(["parent_id"])
    db["blends"].create(
        {"model_id": str, "how": str, "density": float, "seed": int, "author": str, "evaluation": str,
         "created_at": float},
        pk="model_id", strict=True, not_null={"how", "seed", "author", "created_at"},
        foreign_keys=[("model_id", "models", "id")],
    )  # fmt: skip
    db.execute("alter table models add column hub_id text")
