"""Writes of many people are committed together: each by itself, none told before it is on the disk."""

import sqlite3
import threading
from concurrent.futures import Future

import pytest

from storage.committing import Committer
from storage.store import Store


@pytest.fixture
def committer(store: Store) -> Committer:
    store.execute("create table said (name text primary key) strict")
    return Committer(store)


def _say(committer: Committer, store: Store, name: str) -> "Future[str]":
    def write() -> str:
        store.execute("insert into said (name) values (?)", [name])
        return name

    return committer.submit(write)


def _outside(store: Store) -> list[str]:
    """What another process would see."""
    connection = sqlite3.connect(store.home.database)
    try:
        return [row[0] for row in connection.execute("select name from said order by name")]
    finally:
        connection.close()


def test_who_is_answered_is_stored(store: Store, committer: Committer) -> None:
    for number in range(20):
        assert _say(committer, store, f"{number:02}").result(10) == f"{number:02}"
        assert f"{number:02}" in _outside(store)


def test_what_waits_at_one_moment_is_committed_together(store: Store, committer: Committer) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(10)

    first = committer.submit(hold)
    begun.wait(10)
    waiting = [_say(committer, store, f"{number:02}") for number in range(10)]
    seen_before_the_commit = committer.submit(lambda: _outside(store))
    go_on.set()

    first.result(10)
    assert seen_before_the_commit.result(10) == []  # ten writes made, none seen: the commit is still to come
    assert [one.result(10) for one in waiting] == _outside(store)


def test_one_that_fails_takes_nothing_of_the_others_with_it(store: Store, committer: Committer) -> None:
    def half() -> None:
        store.execute("insert into said (name) values ('half')")
        raise ValueError("no further")

    good, bad, after = _say(committer, store, "good"), committer.submit(half), _say(committer, store, "after")

    assert (good.result(10), after.result(10)) == ("good", "after")
    with pytest.raises(ValueError, match="no further"):
        bad.result(10)
    assert _outside(store) == ["after", "good"]


def test_a_write_inside_a_write_is_part_of_it(store: Store, committer: Committer) -> None:
    def nested() -> None:
        with store.write():
            store.execute("insert into said (name) values ('inner')")
        raise ValueError("and yet")

    with pytest.raises(ValueError, match="and yet"):
        committer.submit(nested).result(10)

    assert _outside(store) == []


def test_a_commit_that_cannot_be_is_said_to_everybody_who_waits(store: Store, committer: Committer) -> None:
    def refer_to_nothing() -> str:
        store.execute("pragma defer_foreign_keys = on")
        store.execute("update comparisons set study_id = 'none'")
        store.execute(
            "insert into gold (comparison_id, study_id, expected, author, created_at) values ('x', 'y', '{}', 'a', 0)"
        )
        return "done"

    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        committer.submit(refer_to_nothing).result(10)

    assert store.value("select count(*) from gold") == 0
    assert _say(committer, store, "later").result(10) == "later"


def test_many_threads_are_all_answered_once(store: Store, committer: Committer) -> None:
    answers: list[str] = []

    def person(name: str) -> None:
        answers.extend(_say(committer, store, f"{name}{number}").result(30) for number in range(50))

    threads = [threading.Thread(target=person, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == _outside(store)
    assert len(answers) == 400


def test_what_would_end_a_thread_ends_one_write_alone(store: Store, committer: Committer) -> None:
    def leave() -> None:
        store.execute("insert into said (name) values ('half')")
        raise SystemExit("no exception like others")

    good, bad, after = _say(committer, store, "good"), committer.submit(leave), _say(committer, store, "after")

    assert (good.result(10), after.result(10)) == ("good", "after")
    with pytest.raises(SystemExit, match="like others"):
        bad.result(10)
    assert _say(committer, store, "later").result(10) == "later"
    assert _outside(store) == ["after", "good", "later"]


def test_a_write_that_was_given_up_stops_nobody(store: Store, committer: Committer) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold_and_leave_it_unsound() -> None:
        begun.set()
        go_on.wait(10)
        store.db.conn.rollback()  # as the database does by itself where the disk is full

    first = committer.submit(hold_and_leave_it_unsound)
    begun.wait(10)
    given_up, unsound = _say(committer, store, "given up"), committer.submit(lambda: store.db.conn.rollback())
    other = _say(committer, store, "other")
    given_up.cancel()
    go_on.set()

    with pytest.raises(sqlite3.OperationalError, match="no such savepoint"):
        first.result(10)
    assert [type(one.exception(10)) for one in (unsound, other)] == [sqlite3.OperationalError] * 2
    assert _say(committer, store, "later").result(10) == "later"
    assert _outside(store) == ["later"]
