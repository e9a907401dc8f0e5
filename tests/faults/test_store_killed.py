"""A bulk change, a freeze and an edit are whole or absent wherever they are killed, and the store is intact."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from storage import batches, datasets, examples, indexing, search, settling, versions
from storage.home import Home
from storage.queries import Query
from storage.store import Store
from studio.curation import leftovers
from tests.conftest import ROOT
from tests.faults.killed_store import ACTIONS
from tests.storage.filled import filled

pytestmark = pytest.mark.heavy

# More than one chunk, so that the bulk change is published before it is settled.
ROWS = 1300
FEW, MANY = 5, 50


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a dataset, its index, and a version that is there already."""
    home = Home(tmp_path_factory.mktemp("template") / "home")
    store = Store.open(home)
    dataset = filled(store, ROWS)
    indexing.fill(store)
    filled(store, 3, "other")
    versions.freeze(store, datasets.get_dataset(store, "other"))
    store.value("pragma wal_checkpoint(truncate)")
    store.close()
    assert dataset.name == "facts"
    return home.path


@pytest.mark.parametrize("action", ACTIONS)
def test_a_killed_action_is_whole_or_absent(template: Path, tmp_path: Path, action: str) -> None:
    _kill_and_check(template, tmp_path, action, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_a_killed_action_is_whole_or_absent_at_fifty_points(template: Path, tmp_path: Path, action: str) -> None:
    _kill_and_check(template, tmp_path, action, MANY)


def _kill_and_check(template: Path, tmp_path: Path, action: str, count: int) -> None:
    seed = Random().randrange(1 << 30)
    command = [sys.executable, "-m", "tests.faults.killed_store", action, template, tmp_path, str(seed), str(count)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    kills = [json.loads(line) for line in said.splitlines()]
    look = LOOKS[action]
    before, after = look(_opened(template)), look(_opened(tmp_path / "whole"))

    assert before != after
    assert len(kills) == count
    between = [kill for kill in kills if kill["killed"] and kill["first"] <= kill["killed_at"] <= kill["last"]]
    assert len(between) >= count / 2, (seed, kills)
    for kill in kills:
        store = _opened(Path(kill["home"]))
        seen = look(store)  # by those who read on, before anybody has swept
        leftovers.sweep(store)
        search.catch_up(store)
        swept = look(store)
        assert seen == swept, (seed, kill)
        assert swept in (before, after), (seed, kill)
        _assert_intact(store, (seed, kill))
        if swept == before:
            ACTIONS[action](store)
            assert look(store) == after, (seed, kill)
        store.close()


def _opened(path: Path) -> Store:
    return Store.open(Home(path))


def _rows(store: Store) -> Any:
    """All that is said of every row, and what undo would take back."""
    dataset = datasets.get_dataset(store, "facts")
    rows = [(row.content, row.tags, row.status, row.author) for row in examples.stream(store, dataset.id, Query())]
    tagged = examples.page(store, dataset.id, Query(tags=["loud"])).total
    return rows, tagged, [batch.kind for batch in batches.list_batches(store, dataset.id)]


def _versions(store: Store) -> Any:
    """The versions and their rows."""
    dataset = datasets.get_dataset(store, "facts")
    return [
        (version.number, version.sha256, [row["revision_id"] for row in versions.contents(store, version)])
        for version in versions.list_versions(store, dataset)
    ]


LOOKS: dict[str, Callable[[Store], Any]] = {"bulk": _rows, "edit": _rows, "freeze": _versions}

_ORPHANS = """select count(*) from revisions where id not in (select revision_id from examples where revision_id > 0)
and id not in (select before_revision from changes) and id not in (select after_revision from changes)"""
_LOST = """select count(*) from (select revision_id from examples union select revision_id from version_rows
union select before_revision from changes union select after_revision from changes)
where revision_id not in (select id from revisions)"""
_UNNAMED = "select count(*) from version_rows where version not in (select key from versions)"
_UNTAGGED = """select count(*) from examples e, json_each(e.tags) t where not exists
(select 1 from tagged where tag = t.value and example_id = e.id)"""


def _assert_intact(store: Store, what: Any) -> None:
    """Nothing is broken, nothing is left over, and search finds what stands there."""
    assert store.value("pragma integrity_check") == "ok", what
    assert store.rows("pragma foreign_key_check") == [], what
    for orphans in (_ORPHANS, _LOST, _UNNAMED, _UNTAGGED):
        assert store.value(orphans) == 0, (orphans, what)
    assert batches.open_batches(store) == [], what
    assert settling.unsettled(store) == [], what
    assert store.value("select count(*) from freezes") == 0, what
    dataset = datasets.get_dataset(store, "facts")
    purple = [row.id for row in examples.stream(store, dataset.id, Query()) if "purple" in str(row.content)]
    found = [row.id for row in examples.stream(store, dataset.id, Query(search="purple"))]
    assert found == purple, what
