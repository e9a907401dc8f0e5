"""The schema as an append-only story: one migration, one function, one transaction. Never edit a shipped one."""

from collections.abc import Iterable
from typing import Any

from storage import migration_bulk, migration_endpoints, migration_lineage, migration_rounds, migration_training
from storage.migration_canaries import m023_canaries
from storage.migration_demos import m022_demos, m024_side_by_side
from storage.migration_judging import prepare
from storage.migration_segments import convert
from storage.sqlite import Database, Migrations


def _create(
    db: Database,
    name: str,
    columns: dict[str, Any],
    required: str,
    references: Iterable[tuple[str, str]] = (),
    defaults: dict[str, Any] | None = None,
) -> Any:
    """Create a strict table whose key is its first column; `required` lists the columns that must be filled."""
    return db[name].create(
        columns,
        pk=next(iter(columns)),
        not_null=set(required.split()),
        foreign_keys=[(column, table, "id") for column, table in references],
        defaults=defaults or {},
        strict=True,
    )


def build() -> Migrations:
    """The migrations in order."""
    migrations = Migrations("ratchet")
    for step in (
        _m001_data, _m002_models, _m003_feedback, _m004_jobs, _m005_rounds, _m006_tasks, _m007_segments,
        _m008_findings, _m009_editor, _m010_views, _m011_people, _m012_mappings,
        _m013_exclusions, _m014_judging, _m015_training, _m016_endpoints, _m017_bulk,
        _m018_rounds, _m019_counting, _m021_lineage, m022_demos, m023_canaries, m024_side_by_side,
    ):  # fmt: skip
        migrations(name=step.__name__.lstrip("_"))(step)
    return migrations


# Every example as it stands, deleted ones included (status says so).
_HEADS = """
select e.id, e.dataset_id, e.position, r.id as revision_id, r.content, r.sha256, r.tags, r.status, r.author,
       r.created_at as revised_at
from examples e
join revisions r on r.id = (
    select max(v.id) from revisions v join batches b on b.id = v.batch_id
    where v.example_id = e.id and b.state = 'published'
)
"""


def _m001_data(db: Database) -> None:
    """Datasets; batches (one change each, seen by its state alone); revisions (append-only); frozen versions."""
    db["meta"].create({"key": str, "value": str}, pk="key", strict=True)
    datasets = _create(
        db,
        "datasets",
        {"id": str, "name": str, "kind": str, "description": str, "created_at": float},
        "id name kind description created_at",
    )
    datasets.create_index(["name"], unique=True)
    batches = _create(
        db,
        "batches",
        {"id": str, "dataset_id": str, "kind": str, "state": str, "author": str, "detail": str,
         "created_at": float},
        "id dataset_id kind state author detail created_at",
        [("dataset_id", "datasets")],
    )  # fmt: skip
    batches.create_index(["dataset_id", "state"])
    examples = _create(
        db,
        "examples",
        {"id": str, "dataset_id": str, "position": int, "batch_id": str},
        "id dataset_id position batch_id",
        [("dataset_id", "datasets"), ("batch_id", "batches")],
    )
    examples.create_index(["dataset_id", "position"])
    # What an example said at a moment. The one that counts is the newest whose batch is published, so undoing a
    # batch is one write to one row, and history needs no table of its own.
    revisions = _create(
        db,
        "revisions",
        {"id": int, "example_id": str, "dataset_id": str, "batch_id": str, "content": str, "sha256": str,
         "tags": str, "status": str, "author": str, "created_at": float},
        "example_id dataset_id batch_id content sha256 tags status author created_at",
        [("example_id", "examples"), ("batch_id", "batches")],
    )  # fmt: skip
    revisions.create_index(["example_id", "id"])
    revisions.create_index(["batch_id"])
    revisions.create_index(["dataset_id", "sha256"])
    # Words of a revision for search; contentless, because revisions are never changed or removed.
    db.execute("create virtual table revision_words using fts5(words, content='', tokenize='unicode61')")
    db.create_view("heads", _HEADS)
    versions = _create(
        db,
        "versions",
        {"id": str, "dataset_id": str, "number": int, "sha256": str, "rows": int, "created_at": float},
        "id dataset_id number sha256 rows created_at",
        [("dataset_id", "datasets")],
    )
    versions.create_index(["dataset_id", "sha256"], unique=True)
    db["version_rows"].create(
        {"version_id": str, "position": int, "revision_id": int},
        pk=("version_id", "position"),
        foreign_keys=[("revision_id", "revisions", "id")],  # its version comes last, in one row
        strict=True,
    )


def _m002_models(db: Database) -> None:
    """Anything that can answer: bases, adapters on them, endpoints."""
    models = _create(
        db,
        "models",
        {"id": str, "name": str, "kind": str, "base_id": str, "parent_id": str, "path": str, "url": str,
         "remote_name": str, "key_env": str, "base_sha256": str, "adapter_sha256": str,
         "template_sha256": str, "parameters": int, "job_id": str, "probe": str, "created_at": float,
         "retired_at": float},
        "id name kind created_at",
        [("base_id", "models"), ("parent_id", "models")],
    )  # fmt: skip
    models.create_index(["name"], unique=True)


def _m003_feedback(db: Database) -> None:
    """Studies, their comparisons and answers, and the votes: append-only, keyed by an id that the client made."""
    studies = _create(
        db,
        "studies",
        {"id": str, "name": str, "models": str, "prompts_id": str, "settings": str, "seed": int, "state": str,
         "created_at": float},
        "id name models settings seed state created_at",
        [("prompts_id", "datasets")],
    )  # fmt: skip
    studies.create_index(["name"], unique=True)
    comparisons = _create(
        db,
        "comparisons",
        {"id": str, "study_id": str, "number": int, "prompt": str, "prompt_sha256": str, "split": str,
         "source": str, "state": str, "error": str, "created_at": float, "ready_at": float},
        "id study_id number prompt prompt_sha256 split source state created_at",
        [("study_id", "studies")],
    )  # fmt: skip
    comparisons.create_index(["study_id", "number"], unique=True)
    comparisons.create_index(["study_id", "state"])
    answers = _create(
        db,
        "answers",
        {"id": str, "comparison_id": str, "position": int, "model_id": str, "model_name": str, "text": str,
         "sha256": str, "stamp": str, "tokens": int, "seconds": float, "created_at": float},
        "id comparison_id position model_name created_at",
        [("comparison_id", "comparisons"), ("model_id", "models")],
    )  # fmt: skip
    answers.create_index(["comparison_id", "position"], unique=True)
    votes = _create(
        db,
        "votes",
        {"id": str, "comparison_id": str, "study_id": str, "annotator": str, "choice": str, "ranking": str,
         "strength": int, "criteria": str, "rationale": str, "edited": str, "shown_order": str,
         "shown_sha256": str, "seconds": float, "source": str, "supersedes": str, "created_at": float},
        "id comparison_id study_id annotator choice shown_order shown_sha256 source created_at",
        [("comparison_id", "comparisons"), ("study_id", "studies"), ("supersedes", "votes")],
    )  # fmt: skip
    votes.create_index(["study_id", "annotator"])
    votes.create_index(["comparison_id", "annotator"])
    # One person's label of one item, for agreement alone: no texts, no models.
    db["labels"].create(
        {"study_id": str, "item": str, "annotator": str, "label": str, "created_at": float},
        pk=("study_id", "item", "annotator"),
        foreign_keys=[("study_id", "studies", "id")],
        strict=True,
    )


def _m004_jobs(db: Database) -> None:
    """Training jobs, and which prompts each one trained on (votes on those measure nothing afterwards)."""
    jobs = _create(
        db,
        "jobs",
        {"id": str, "number": int, "name": str, "method": str, "base_id": str, "version_id": str,
         "study_id": str, "policy": str, "request": str, "status": str, "stop_requested": str, "phase": str,
         "step": int, "total_steps": int, "eta_seconds": float, "seconds_to_first_step": float,
         "metrics": str, "error": str, "model_id": str, "pid": int, "pid_started": float, "beat_at": float,
         "created_at": float, "started_at": float, "finished_at": float},
        "id number name method base_id request status step total_steps metrics created_at",
        [("base_id", "models"), ("version_id", "versions"), ("study_id", "studies"), ("model_id", "models")],
        {"step": 0, "total_steps": 0},
    )  # fmt: skip
    jobs.create_index(["status", "number"])
    jobs.create_index(["number"], unique=True)
    db["trained_prompts"].create(
        {"job_id": str, "prompt_sha256": str},
        pk=("job_id", "prompt_sha256"),
        foreign_keys=[("job_id", "jobs", "id")],
        strict=True,
    )


def _m005_rounds(db: Database) -> None:
    """The ledger: one row a turn of the loop; at most one is open."""
    rounds = _create(
        db,
        "rounds",
        {"id": str, "number": int, "state": str, "parent_id": str, "version_id": str,
         "training_study_id": str, "job_id": str, "model_id": str, "measuring_study_id": str,
         "verdict": str, "opened_at": float, "closed_at": float},
        "id number state opened_at",
        [("parent_id", "models"), ("version_id", "versions"), ("training_study_id", "studies"),
         ("job_id", "jobs"), ("model_id", "models"), ("measuring_study_id", "studies")],
    )  # fmt: skip
    rounds.create_index(["number"], unique=True)


def _m006_tasks(db: Database) -> None:
    """Work without a model that outlasts a click, done by `python -m studio.task ID`."""
    _create(
        db,
        "tasks",
        {"id": str, "kind": str, "payload": str, "status": str, "progress": float, "message": str,
         "cancel_requested": int, "result": str, "error": str, "pid": int, "pid_started": float,
         "created_at": float, "finished_at": float},
        "id kind payload status progress message cancel_requested created_at",
        defaults={"progress": 0.0, "cancel_requested": 0},
    )  # fmt: skip


def _m007_segments(db: Database) -> None:
    """Rows as they stand, in segments, with changes beside them; existing rows are brought over."""
    convert(db)


def _m008_findings(db: Database) -> None:
    """What checks found, which revisions they looked at, and how many tokens a revision has.

    No key leads to `examples`: rows of a dropped import go without asking. Everything here can be computed again.
    """
    # Ordered by check and example: a finding as a filter walks along the same ids as a page does.
    db.execute(
        "create table findings (check_name text not null, example_id integer not null, revision_id integer not null, "
        "severity text not null, detail text not null, primary key (check_name, example_id, revision_id)) "
        "strict, without rowid"
    )
    db.execute("create index idx_findings_example on findings (example_id)")
    # A suite is a set of checks with their versions; a revision notes by which one it was looked at.
    db.execute("create table check_suites (id integer primary key, checks text not null unique) strict")
    db.execute(
        "create table checked (revision_id integer primary key, "
        "suite_id integer not null references check_suites (id), language text) strict"
    )
    db.execute(
        "create table dataset_checks (dataset_id text not null references datasets (id), check_name text not null, "
        "state text not null, detail text not null, checked_at real not null, primary key (dataset_id, check_name)) "
        "strict, without rowid"
    )
    db.execute(
        "create table tokenizers (sha256 text primary key, model text not null, context integer, "
        "seen_at real not null) strict, without rowid"
    )
    # No number: the chat template refuses this text.
    db.execute(
        "create table tokens (tokenizer_sha256 text not null, revision_id integer not null, tokens integer, "
        "primary key (tokenizer_sha256, revision_id)) strict, without rowid"
    )


def _m009_editor(db: Database) -> None:
    """Comments on examples, and what people have unsaved in the editor; both name the example as the pages do."""
    comments = _create(
        db,
        "comments",
        {"id": str, "dataset_id": str, "example_id": str, "author": str, "text": str, "created_at": float,
         "edited_at": float, "removed_at": float},
        "id dataset_id example_id author text created_at",
        [("dataset_id", "datasets")],
    )  # fmt: skip
    comments.create_index(["dataset_id", "example_id"])
    db["drafts"].create(
        {"dataset_id": str, "example_id": str, "author": str, "tab": str, "revision": int, "body": str,
         "saved_at": float},
        pk=("dataset_id", "example_id", "author"),
        not_null={"dataset_id", "example_id", "author", "tab", "body", "saved_at"},
        foreign_keys=[("dataset_id", "datasets", "id")],
        strict=True,
    )  # fmt: skip


def _m010_views(db: Database) -> None:
    """Saved views of a person; deleted datasets keep the name that they had."""
    views = _create(
        db,
        "views",
        {"id": str, "dataset_id": str, "author": str, "name": str, "state": str, "created_at": float},
        "id dataset_id author name state created_at",
        [("dataset_id", "datasets")],
    )
    views.create_index(["dataset_id", "author", "name"], unique=True)
    db.execute("alter table datasets add column deleted_name text")
    db.execute("alter table datasets add column deleted_at real")


def _m011_people(db: Database) -> None:
    """Accounts, invitations, sessions, failed attempts to sign in; secrets only as hashes."""
    _create(
        db,
        "people",
        {"id": str, "name": str, "role": str, "password": str, "created_at": float, "disabled_at": float},
        "id name role password created_at",
    )
    db.execute("create unique index people_name on people (name collate nocase)")
    invitations = _create(
        db,
        "invitations",
        {"id": str, "token_sha256": str, "role": str, "created_by": str, "created_at": float,
         "expires_at": float, "used_by": str},
        "id token_sha256 role created_by created_at expires_at",
        [("used_by", "people")],
    )  # fmt: skip
    invitations.create_index(["token_sha256"], unique=True)
    sessions = _create(
        db,
        "sessions",
        {"token_sha256": str, "person_id": str, "created_at": float, "seen_at": float, "expires_at": float},
        "token_sha256 person_id created_at seen_at expires_at",
        [("person_id", "people")],
    )
    sessions.create_index(["person_id"])
    attempts = _create(db, "attempts", {"id": str, "key": str, "at": float}, "id key at")
    attempts.create_index(["key", "at"])


def _m012_mappings(db: Database) -> None:
    """What people said that the columns of a file hold, by those columns, to be offered the next time."""
    _create(
        db,
        "mappings",
        {"columns": str, "mapping": str, "dataset": str, "used_at": float},
        "columns mapping dataset used_at",
    )


def _m013_exclusions(db: Database) -> None:
    """Votes that do not count in a study: those of a person, a day or a source; lifted, never deleted."""
    exclusions = _create(
        db,
        "exclusions",
        {"id": str, "study_id": str, "kind": str, "value": str, "reason": str, "author": str,
         "created_at": float, "lifted_at": float, "lifted_by": str},
        "id study_id kind value reason author created_at",
        [("study_id", "studies")],
    )  # fmt: skip
    exclusions.create_index(["study_id"])


def _m014_judging(db: Database) -> None:
    """Judging together: leases, gold, second looks, guidelines, adjudications; what a vote says in its second stage."""
    prepare(db)


def _m015_training(db: Database) -> None:
    """Training: a queue with an order, chains and searches, evaluations, scores, preflights."""
    migration_training.prepare(db)


def _m016_endpoints(db: Database) -> None:
    """See `storage.migration_endpoints`."""
    migration_endpoints.prepare(db)


def _m017_bulk(db: Database) -> None:
    """See `storage.migration_bulk`."""
    migration_bulk.prepare(db)


def _m018_rounds(db: Database) -> None:
    """See `storage.migration_rounds`."""
    migration_rounds.prepare(db)


def _m019_counting(db: Database) -> None:
    """The newest vote of a study is found without passing all of its votes: whether a leaderboard still holds."""
    db.execute("create index idx_votes_study on votes (study_id)")


def _m021_lineage(db: Database) -> None:
    """See `storage.migration_lineage`."""
    migration_lineage.prepare(db)
