"""Migration 15: what a training studio needs beside a first job and its run.

Jobs gain their place in the queue (`position`, `held_at` where a person holds one back, `when_idle`), the devices that
they want and got, what they wait for (`after_id`), what they belong to (`plan_id`: phases of a plan in a row;
`search_id`: trials of a search), what the evaluation after the run found, how often they were started again by
themselves (`restarts`), and when their end was told to the webhook (`notified_at`). Models gain the labels that a
classifier knows. Searches, the scores that reward models and classifiers gave, and preflights by what was asked are
new.
"""

from storage.sqlite import Database


def prepare(db: Database) -> None:
    """Add the columns, make the tables."""
    for column in (
        "position real", "held_at real", "when_idle integer not null default 0", "devices integer not null default 1",
        "device text", "after_id text references jobs(id)", "plan_id text", "search_id text", "evaluation text",
        "restarts integer not null default 0", "notified_at real",
    ):  # fmt: skip
        db.execute(f"alter table jobs add column {column}")
    db.execute("update jobs set position = number, notified_at = finished_at")
    db.execute("create index idx_jobs_plan on jobs (plan_id) where plan_id is not null")
    db.execute("create index idx_jobs_search on jobs (search_id) where search_id is not null")
    db.execute("alter table models add column labels text")
    _searches(db)
    _scores(db)
    _preflights(db)


def _searches(db: Database) -> None:
    db["searches"].create(
        {"id": str, "name": str, "method": str, "request": str, "space": str, "sampler": str, "trials": int,
         "seconds": float, "objectives": str, "state": str, "error": str, "created_at": float, "finished_at": float},
        pk="id",
        strict=True,
        not_null={"name", "method", "request", "space", "sampler", "trials", "objectives", "state", "created_at"},
    )  # fmt: skip
    db["trials"].create(
        {"job_id": str, "search_id": str, "number": int, "options": str, "result": str, "state": str},
        pk="job_id", strict=True, not_null={"search_id", "number", "options", "state"},
        foreign_keys=[("job_id", "jobs", "id"), ("search_id", "searches", "id")],
    )  # fmt: skip
    db["trials"].create_index(["search_id", "number"], unique=True)


def _scores(db: Database) -> None:
    db["scores"].create(
        {"id": str, "model_id": str, "subject": str, "subject_id": str, "text_sha256": str, "score": float,
         "label": str, "created_at": float},
        pk="id", strict=True, not_null={"model_id", "subject", "subject_id", "text_sha256", "created_at"},
        foreign_keys=[("model_id", "models", "id")],
    )  # fmt: skip
    db["scores"].create_index(["model_id", "subject", "subject_id", "text_sha256"], unique=True)


def _preflights(db: Database) -> None:
    db["preflights"].create(
        {"key": str, "result": str, "created_at": float}, pk="key", strict=True, not_null={"result", "created_at"}
    )
