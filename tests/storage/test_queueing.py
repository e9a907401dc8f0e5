"""The queue keeps an order that people change, holds back whom it is told to, and lets nobody starve."""

import pytest

from storage import jobs, models, queueing
from storage.clock import new_id
from storage.errors import BadInput, Conflict
from storage.rows_training import Job
from storage.store import Store


def enqueue(store: Store, name: str, **more: object) -> Job:
    if not models.list_models(store):
        models.add_model(store, "starter", "base")
    base = models.get_model(store, "starter")
    return jobs.enqueue(store, jobs.NewJob(new_id(), name, "sft", base.id, {}, **more))  # type: ignore[arg-type]


def order(store: Store) -> list[str]:
    return [job.name for job in queueing.waiting(store)]


def test_a_moved_job_comes_before_the_one_that_was_named_or_last(store: Store) -> None:
    made = {name: enqueue(store, name) for name in ("a", "b", "c", "d")}

    queueing.move(store, made["d"].id, made["b"].id)
    assert order(store) == ["a", "d", "b", "c"]
    queueing.move(store, "1", None)
    assert order(store) == ["d", "b", "c", "a"]
    enqueue(store, "e")
    assert order(store) == ["d", "b", "c", "a", "e"]
    first = jobs.claim(store)
    assert first is not None and first.name == "d"


def test_a_job_that_runs_or_is_named_before_itself_is_not_moved(store: Store) -> None:
    running, waiting = enqueue(store, "a"), enqueue(store, "b")
    jobs.claim(store)

    with pytest.raises(Conflict, match="Job 1 is running; only a job that waits in the queue can be moved"):
        queueing.move(store, running.id, waiting.id)
    with pytest.raises(BadInput, match="Job 2 cannot be moved before itself; name another job"):
        queueing.move(store, waiting.id, waiting.id)
    assert order(store) == ["b"]


def test_a_held_job_is_passed_over_until_it_is_released(store: Store) -> None:
    held, other = enqueue(store, "held"), enqueue(store, "other")
    queueing.hold(store, held.id)

    assert queueing.reason(store, jobs.get_job(store, held.id)).startswith("Held back by a person")
    first, second = jobs.claim(store), jobs.claim(store)
    assert first is not None and (first.id, second) == (other.id, None)
    assert queueing.ready(store) == 0

    queueing.release(store, held.id)
    third = jobs.claim(store)
    assert third is not None and third.id == held.id


def test_a_job_that_waits_for_idleness_lets_others_by_while_people_work(store: Store) -> None:
    idle, other = enqueue(store, "idle", when_idle=True), enqueue(store, "other")

    busy = jobs.Room(idle=False)
    first, second = jobs.claim(store, busy), jobs.claim(store, busy)

    assert first is not None and (first.id, second) == (other.id, None)
    third = jobs.claim(store)
    assert third is not None and third.id == idle.id


def test_a_job_that_wants_two_devices_is_not_overtaken_and_takes_what_there_is(store: Store) -> None:
    large, small = enqueue(store, "large", devices=2), enqueue(store, "small")

    assert jobs.claim(store, jobs.Room(free=1, slots=2)) is None
    assert jobs.claim(store, jobs.Room(free=0, slots=1)) is None
    first = jobs.claim(store, jobs.Room(free=1, slots=1))  # a machine with one device gives all it has
    second = jobs.claim(store, jobs.Room(free=1, slots=2))

    assert first is not None and first.id == large.id
    assert second is not None and second.id == small.id


def test_a_phase_waits_for_the_one_before_and_says_so(store: Store) -> None:
    first = enqueue(store, "first")
    second = enqueue(store, "second", after_id=first.id)
    third = enqueue(store, "third", after_id=second.id)
    claimed = jobs.claim(store)

    assert claimed is not None and claimed.id == first.id
    assert jobs.claim(store) is None
    assert queueing.reason(store, second) == "It begins when job 1 (first) is done."
    assert queueing.ready(store) == 2

    jobs.finish(store, first.id, "failed", error={"kind": "x", "sentence": "x", "fix": "x"})
    assert jobs.claim(store) is None
    assert queueing.reason(store, second) == (
        "It builds on job 1 (first), which has failed: resume or retry that one, or stop this."
    )
    assert queueing.ready(store) == 0, "nothing comes by itself: a worker may end"
    assert [queueing.stuck(store, job) for job in (first, second, third)] == [False, True, True]

    jobs.resume(store, first.id)
    jobs.claim(store)
    jobs.finish(store, first.id, "done")
    going_on = jobs.claim(store)
    assert going_on is not None and going_on.id == second.id
    assert [job.id for job in queueing.followers(store, second.id)] == [third.id]


def test_a_lost_run_is_begun_again_once_and_a_person_may_do_so_as_often_as_they_like(store: Store) -> None:
    job = enqueue(store, "lost")
    first = jobs.claim(store)
    again, no_more = jobs.claim_again(store, job.id, 1), jobs.claim_again(store, job.id, 1)

    assert first is not None and again is not None and no_more is None
    assert again.started_at != first.started_at
    jobs.finish(store, job.id, "failed", error={"kind": "lost", "sentence": "x", "fix": "x"})
    jobs.resume(store, job.id)
    jobs.claim(store)
    assert jobs.claim_again(store, job.id, 1) is not None


def test_withdrawn_jobs_leave_nothing_and_those_that_run_stay(store: Store) -> None:
    running, queued = enqueue(store, "a"), enqueue(store, "b")
    jobs.claim(store)

    queueing.withdraw(store, [running.id, queued.id])

    assert [job.id for job in jobs.list_jobs(store)] == [running.id]
