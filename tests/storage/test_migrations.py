"""The schema grows by appended migrations; a database of any age comes up to date and is copied before."""

import sqlite3

import pytest
from sqlite_utils import Database

from storage.home import Home
from storage.migrations import build
from storage.store import Store

TABLES = {
    "meta", "datasets", "batches", "segments", "examples", "revisions", "tagged", "zones", "changes", "search_due",
    "freezes", "versions", "version_rows", "models",
    "searches", "trials", "scores", "preflights", "usage", "answerings", "bulk_answers", "promotions", "api_keys",
    "demos", "demo_answers", "demo_votes",
    "studies", "comparisons", "answers", "votes", "labels", "jobs", "trained_prompts", "rounds", "tasks",
    "comments", "drafts", "findings", "check_suites", "checked", "dataset_checks", "tokenizers", "tokens",
    "views", "people", "invitations", "sessions", "attempts",
    "mappings", "exclusions", "leases", "guidelines", "gold", "second_looks", "standings", "lulls",
    "workdays", "adjudications", "saved", "model_parents", "blends",
    "expectations", "canary_answers", "canary_votes",
}  # fmt: skip


def test_a_new_home_gets_every_table_and_no_backup(home: Home) -> None:
    store = Store.open(home)

    tables = {name for name in store.db.table_names() if not name.startswith("_sqlite")}
    assert tables == TABLES
    assert list(home.backups.iterdir()) == []


def test_the_database_and_its_folders_are_for_their_owner_only(home: Home) -> None:
    Store.open(home)

    assert [oct(path.stat().st_mode & 0o777) for path in (home.path, home.runs, home.uploads)] == ["0o700"] * 3


@pytest.mark.parametrize("applied", range(1, len(build()._migrations)))
def test_a_database_of_any_age_with_rows_in_it_comes_up_to_date_and_is_backed_up(home: Home, applied: int) -> None:
    home.make()
    migrations = build()
    old = Database(sqlite3.connect(home.database, isolation_level=None))
    migrations.apply(old, stop_before=migrations._migrations[applied].name)
    old["datasets"].insert({"id": "d", "name": "mine", "kind": "sft", "description": "", "created_at": 1.0})
    old.conn.close()

    store = Store.open(home)

    assert store.rows("select name from datasets") == [{"name": "mine"}]
    assert build().pending(store.db) == []
    (backup,) = home.backups.iterdir()
    copy = sqlite3.connect(backup)
    assert copy.execute("select name from datasets").fetchall() == [("mine",)]
    assert oct(backup.stat().st_mode & 0o777) == "0o600"


def test_opening_twice_changes_nothing(home: Home) -> None:
    first = Store.open(home).rows("select name, sql from sqlite_master order by name")

    assert Store.open(home).rows("select name, sql from sqlite_master order by name") == first
    assert list(home.backups.iterdir()) == []


def test_a_home_from_before_leases_knows_how_many_people_judged_each_comparison(home: Home) -> None:
    home.make()
    migrations = build()
    old = Database(sqlite3.connect(home.database, isolation_level=None))
    migrations.apply(old, stop_before="m014_judging")
    old["studies"].insert({"id": "s", "name": "s", "models": "[]", "settings": "{}", "seed": 0, "state": "open",
                           "created_at": 1.0})  # fmt: skip
    for number, identity in enumerate("cde", start=1):
        old["comparisons"].insert({"id": identity, "study_id": "s", "number": number, "prompt": "[]",
                                   "prompt_sha256": "p", "split": "train", "source": "prompts", "state": "ready",
                                   "created_at": 1.0})  # fmt: skip
    said = [("c", "ann", "a"), ("c", "bea", "skip"), ("c", "ann", "b"), ("d", "ann", "a"), ("d", "ann", "undo")]
    for number, (comparison, annotator, choice) in enumerate(said):
        old["votes"].insert({"id": f"v{number}", "comparison_id": comparison, "study_id": "s", "annotator": annotator,
                             "choice": choice, "shown_order": "[0,1]", "shown_sha256": "[]", "source": "studio",
                             "created_at": 1.0})  # fmt: skip
    old.conn.close()

    store = Store.open(home)

    given = {row["id"]: row["given"] for row in store.rows("select id, given from comparisons")}
    assert given == {"c": 1, "d": 0, "e": 0}
