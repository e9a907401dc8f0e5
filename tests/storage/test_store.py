"""Short write transactions, one connection a thread, no lost writes under contention."""

import sqlite3
import threading

import pytest

from storage.clock import new_id, now
from storage.store import Store


def _insert(store: Store, name: str) -> None:
    store.insert("datasets", {"id": new_id(), "name": name, "kind": "sft", "description": "", "created_at": now()})


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write():
        _insert(store, "half")
        raise RuntimeError("the power went")

    assert store.rows("select * from datasets") == []


def test_a_nested_write_belongs_to_the_outer_one(store: Store) -> None:
    with pytest.raises(RuntimeError), store.write():
        with store.write():
            _insert(store, "inner")
        raise RuntimeError("the outer one failed")

    assert store.rows("select * from datasets") == []


def test_each_thread_has_its_own_connection(store: Store) -> None:
    seen = [store.db]
    thread = threading.Thread(target=lambda: seen.append(store.db))
    thread.start()
    thread.join()

    assert seen[0] is not seen[1]


def test_eight_threads_write_a_hundred_rows_each_and_none_is_lost(store: Store) -> None:
    def write(worker: int) -> None:
        for row in range(100):
            with store.write():
                _insert(store, f"{worker}-{row}")

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.value("select count(*) from datasets") == 800


def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        store.insert("batches", {"id": "x", "dataset_id": "nobody", "kind": "edit", "state": "open", "author": "me",
                                 "detail": "{}", "created_at": 1.0})  # fmt: skip


def test_ids_sort_by_the_moment_they_were_made() -> None:
    ids = [new_id() for _ in range(3)]

    assert all(len(item) == 26 for item in ids)
    assert len(set(ids)) == 3
    assert ids[0][:9] <= ids[1][:9] <= ids[2][:9]
