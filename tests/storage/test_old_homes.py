"""A home of the first schema comes up to date: rows, texts, history, undo, versions and search as they were."""

import json
import sqlite3

import pytest
from sqlite_utils import Database

from storage import batches, datasets, examples, search, versions
from storage.contents import words_of
from storage.history import history
from storage.home import Home
from storage.migrations import build
from storage.prompts import example_sha256
from storage.queries import Query
from storage.store import Store

# id, kind, state
BATCHES = [
    ("b1", "import", "published"),
    ("b2", "edit", "published"),
    ("b3", "delete", "published"),
    ("b4", "import", "dropped"),
    ("b5", "edit", "undone"),
]
# example, batch, answer, tags, status
REVISIONS = [
    ("e1", "b1", "5", ["sums"], "active"),
    ("e2", "b1", "6", [], "active"),
    ("e3", "b1", "7", [], "active"),
    ("e1", "b2", "4", ["sums", "mended"], "active"),
    ("e3", "b3", "7", [], "deleted"),
    ("e4", "b4", "never seen", [], "active"),
    ("e2", "b5", "six", [], "active"),
]


def _content(answer: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": "What?"}, {"role": "assistant", "content": answer}]}


@pytest.fixture
def old(home: Home) -> Store:
    """A home with rows of the schema before segments, brought up to date."""
    home.make()
    migrations = build()
    db = Database(sqlite3.connect(home.database, isolation_level=None))
    migrations.apply(db, stop_before="m007_segments")
    db["datasets"].insert({"id": "d", "name": "mine", "kind": "sft", "description": "", "created_at": 1.0})
    for at, (batch, kind, state) in enumerate(BATCHES):
        detail = json.dumps({"label": f"did {batch}", "examples": ["e1"]})
        db["batches"].insert({"id": batch, "dataset_id": "d", "kind": kind, "state": state, "author": f"by-{batch}",
                              "detail": detail, "created_at": 10.0 + at})  # fmt: skip
    for place, example in enumerate(("e1", "e2", "e3", "e4"), start=1):
        db["examples"].insert({"id": example, "dataset_id": "d", "position": place,
                               "batch_id": "b4" if example == "e4" else "b1"})  # fmt: skip
    for example, batch, answer, tags, status in REVISIONS:
        content = _content(answer)
        db["revisions"].insert(
            {"example_id": example, "dataset_id": "d", "batch_id": batch, "content": json.dumps(content),
             "sha256": example_sha256(content), "tags": json.dumps(tags), "status": status, "author": f"by-{batch}",
             "created_at": 20.0}
        )  # fmt: skip
    db["versions"].insert({"id": "v", "dataset_id": "d", "number": 1, "sha256": "old", "rows": 2, "created_at": 30.0})
    db["version_rows"].insert_all(
        [{"version_id": "v", "position": 0, "revision_id": 1}, {"version_id": "v", "position": 1, "revision_id": 3}]
    )
    db.conn.close()
    return Store.open(home)


def _answers(store: Store) -> list[str]:
    return [item.content["messages"][1]["content"] for item in examples.page(store, "d", Query()).examples]


def test_rows_stand_as_they_stood_with_tags_author_and_hash(old: Store) -> None:
    first = examples.page(old, "d", Query()).examples[0]

    assert _answers(old) == ["4", "6"]
    assert datasets.count_examples(old, "d") == 2
    assert (first.id, first.number, first.revision_id, first.tags, first.status, first.author, first.revised_at) == (
        "1-1", 1, 4, ["sums", "mended"], "draft", "by-b2", 20.0,
    )  # fmt: skip
    assert first.sha256 == example_sha256(_content("4"))


def test_every_step_can_still_be_undone_and_redone(old: Store) -> None:
    seen = []
    for step in (batches.redo, batches.undo, batches.undo, batches.undo, batches.undo, batches.redo, batches.redo):
        step(old, "d")
        seen.append(_answers(old))

    assert seen == [["4", "six"], ["4", "6"], ["4", "6", "7"], ["5", "6", "7"], [], ["5", "6", "7"], ["4", "6", "7"]]


def test_history_and_the_steps_name_the_examples_as_they_are_called_now(old: Store) -> None:
    said = [
        (item["kind"], item["author"], item["state"], item["content"]["messages"][1]["content"], item["tags"])
        for item in history(old, "1-1")
    ]

    assert said == [
        ("import", "by-b1", "published", "5", ["sums"]),
        ("edit", "by-b2", "published", "4", ["sums", "mended"]),
    ]
    assert [(batch.detail["label"], batch.detail["examples"]) for batch in batches.list_batches(old, "d")] == [
        (f"did {name}", ["1-1"]) for name in ("b5", "b3", "b2", "b1")
    ]


def test_versions_keep_their_texts_and_search_finds_what_stands_there(old: Store) -> None:
    version = versions.get_version(old, "v")
    frozen = [json.loads(row["content"])["messages"][1]["content"] for row in versions.contents(old, version)]
    search.catch_up(old)

    assert frozen == ["5", "7"]
    assert words_of(_content("4")) == "What?\n4"
    assert [item.number for item in examples.page(old, "d", Query(search="what")).examples] == [1, 2]
    assert [examples.page(old, "d", Query(search=text)).total for text in ("4", "5", "never")] == [1, 0, 0]


def test_nothing_in_the_file_is_broken(old: Store) -> None:
    assert old.value("pragma integrity_check") == "ok"
    assert old.rows("pragma foreign_key_check") == []
    assert old.rows("select name from sqlite_master where name like 'old_%' or name like 'revision_words%'") == []
