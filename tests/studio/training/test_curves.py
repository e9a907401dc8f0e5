"""Curves stay thin, keep their peaks, and go on from where somebody stopped reading."""

import json
import math
from pathlib import Path

from storage.runs import append_event
from studio.training.curves import curves, thinned


def test_metrics_become_series_by_name(tmp_path: Path) -> None:
    append_event(tmp_path, "progress", step=1, total_steps=2, eta_seconds=3.0)
    append_event(tmp_path, "metric", step=1, loss=2.0, learning_rate=0.1)
    append_event(tmp_path, "metric", step=2, loss=1.0, learning_rate=0.05)
    append_event(tmp_path, "warning", sentence="3 rows were cut.")

    found = curves(tmp_path)

    assert found.series == {"loss": [(1, 2.0), (2, 1.0)], "learning_rate": [(1, 0.1), (2, 0.05)]}
    assert found.warnings == ["3 rows were cut."]


def test_asking_from_an_offset_gives_only_what_is_new(tmp_path: Path) -> None:
    append_event(tmp_path, "metric", step=1, loss=2.0)
    first = curves(tmp_path)
    append_event(tmp_path, "metric", step=2, loss=1.0)

    second = curves(tmp_path, first.offset)

    assert (second.series, curves(tmp_path, second.offset).series) == ({"loss": [(2, 1.0)]}, {})


def test_a_resumed_run_repeats_steps_and_the_last_value_of_each_counts(tmp_path: Path) -> None:
    for step, loss in ((1, 3.0), (2, 2.5), (3, 2.0), (2, 2.4), (3, 1.9), (4, 1.5)):
        append_event(tmp_path, "metric", step=step, loss=loss)

    assert curves(tmp_path).series == {"loss": [(1, 3.0), (2, 2.4), (3, 1.9), (4, 1.5)]}


def test_a_value_that_is_no_number_is_a_gap_and_fits_into_json(tmp_path: Path) -> None:
    append_event(tmp_path, "metric", step=1, loss=math.nan)
    append_event(tmp_path, "metric", step=2, loss=math.inf)
    append_event(tmp_path, "metric", step=3, loss=0.5)

    found = curves(tmp_path)

    assert found.series == {"loss": [(1, None), (2, None), (3, 0.5)]}
    assert json.dumps(found.to_json(), allow_nan=False)


def test_a_long_run_is_thinned_to_five_hundred_points_that_keep_every_peak(tmp_path: Path) -> None:
    points = [(step, 1.0) for step in range(20_000)]
    points[7_777] = (7_777, 99.0)
    points[12_345] = (12_345, -99.0)

    thin = thinned(points, 500)

    assert len(thin) <= 500
    assert (thin[0], thin[-1]) == (points[0], points[-1])
    assert {(7_777, 99.0), (12_345, -99.0)} <= set(thin)
    assert [step for step, _ in thin] == sorted(step for step, _ in thin)


def test_a_run_of_gaps_is_thinned_too() -> None:
    assert len(thinned([(step, None) for step in range(5_000)], 500)) <= 500


def test_a_run_that_has_not_begun_has_no_curves(tmp_path: Path) -> None:
    assert curves(tmp_path) == ({}, 0, [])
