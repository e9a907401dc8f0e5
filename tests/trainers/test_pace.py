"""Speed and memory of a run, as its events tell them."""

import pytest

from trainers.pace import Pace

pytestmark = pytest.mark.torch


def test_memory_is_told_always_and_speed_from_the_second_count_of_tokens_on() -> None:
    pace = Pace()

    told = [pace.told({"num_tokens": 100.0}), pace.told({"num_tokens": 400.0}), pace.told({"loss": 1.0})]

    assert [sorted(one) for one in told] == [["memory_gb"], ["memory_gb", "tokens_per_second"], ["memory_gb"]]
    assert told[1]["tokens_per_second"] > 0
    assert 0.05 < told[0]["memory_gb"] < 64


def test_a_resumed_trainer_that_counts_anew_tells_no_negative_speed() -> None:
    pace = Pace()
    pace.told({"num_tokens": 400.0})

    assert sorted(pace.told({"num_tokens": 100.0})) == ["memory_gb"]
