"""What the soak calls growth: what stays more, after the warm-up."""

import os

from bench.watched import Growth, Sample, Watch, growth


def _samples(*each: tuple[float, float, int]) -> list[Sample]:
    return [Sample(at, megabytes, megabytes, descriptors, 4) for at, megabytes, descriptors in each]


def test_a_process_that_settles_has_not_grown() -> None:
    samples = _samples((0, 50, 9), (10, 100, 20), (20, 100, 31), (30, 101, 20), (40, 100, 45), (50, 101, 20))

    assert growth(samples, warm_up=10) == Growth(101, 1.0, 101, 20, 0, 4, 0)


def test_what_leaks_is_growth_although_connections_come_and_go() -> None:
    samples = _samples(*((at, 100 + at, 20 + at + 15 * (at % 2)) for at in range(16)))

    found = growth(samples, warm_up=0)

    assert found is not None
    assert (found.descriptors_grown, found.growth_percent) == (12, 11.82)


def test_a_process_that_lived_too_briefly_is_not_told() -> None:
    watch = Watch()
    for _ in range(3):
        watch.look({"me": os.getpid(), "nobody": None})

    assert [len(one) for one in watch.samples.values()] == [3]
    assert watch.told(warm_up=0) == {}


def test_a_process_that_was_started_again_is_followed_on() -> None:
    watch = Watch()
    for pid in (os.getpid(), os.getpid(), os.getppid(), os.getppid()):
        watch.look({"me": pid})

    assert (watch.restarts("me"), watch.told(0)["me"]["restarts"]) == (1, 1)
