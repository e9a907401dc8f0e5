"""The book of curves gives any range of a long run, reads only what is new, and counts resumed steps once."""

import json
import math
from pathlib import Path

from storage.runs import append_event
from studio.training.curve_book import CurveBook
from studio.training.curves import curves

LONG = 20_000


def _write(folder: Path, values: dict[int, float]) -> None:
    lines = [json.dumps({"t": 1.0, "kind": "metric", "step": step, "loss": loss}) for step, loss in values.items()]
    with (folder / "events.jsonl").open("a") as file:
        file.write("\n".join(lines) + "\n")


def test_a_whole_run_keeps_its_ends_and_its_peaks(tmp_path: Path) -> None:
    values = dict.fromkeys(range(1, LONG + 1), 1.0) | {7_777: 99.0, 12_345: -99.0}
    _write(tmp_path, values)

    (points,) = CurveBook().curves(tmp_path, most=500).series.values()

    assert len(points) <= 500
    assert (points[0], points[-1]) == ((1, 1.0), (LONG, 1.0))
    assert {(7_777, 99.0), (12_345, -99.0)} <= set(points)
    assert [step for step, _ in points] == sorted({step for step, _ in points})


def test_a_range_comes_in_full_with_a_neighbour_on_each_side(tmp_path: Path) -> None:
    _write(tmp_path, {step: step / 10 for step in range(1, LONG + 1)})

    (points,) = CurveBook().curves(tmp_path, 5_000, 5_003).series.values()

    assert points == [(step, step / 10) for step in range(4_999, 5_005)]


def test_what_is_appended_is_read_on_from_where_the_book_stopped(tmp_path: Path) -> None:
    book = CurveBook()
    _write(tmp_path, {1: 3.0, 2: 2.0})
    first = book.curves(tmp_path)
    _write(tmp_path, {3: 1.0})
    append_event(tmp_path, "warning", sentence="3 rows were cut.")

    second = book.curves(tmp_path)

    assert (first.series, second.series) == ({"loss": [(1, 3.0), (2, 2.0)]}, {"loss": [(1, 3.0), (2, 2.0), (3, 1.0)]})
    assert second.warnings == ["3 rows were cut."]
    assert curves(tmp_path, first.offset).series == {"loss": [(3, 1.0)]}


def test_what_was_measured_after_the_checkpoint_is_undone_by_a_resumed_run(tmp_path: Path) -> None:
    for step, loss in ((1, 3.0), (2, 2.5), (3, 2.0), (2, 2.4), (3, 1.9), (4, 1.5)):
        append_event(tmp_path, "metric", step=step, loss=loss)

    assert CurveBook().curves(tmp_path).series == {"loss": [(1, 3.0), (2, 2.4), (3, 1.9), (4, 1.5)]}


def test_a_value_that_is_no_number_is_a_gap_however_long_the_run_is(tmp_path: Path) -> None:
    _write(tmp_path, {step: math.nan if step < 9_000 else 1.0 for step in range(1, LONG + 1)})
    found = CurveBook().curves(tmp_path, most=100)

    assert {value for _, value in found.series["loss"]} == {None, 1.0}
    assert json.dumps(found.to_json(), allow_nan=False)


def test_the_book_holds_few_runs_and_reads_the_others_again(tmp_path: Path) -> None:
    book = CurveBook()
    folders = [tmp_path / str(number) for number in range(9)]
    for number, folder in enumerate(folders):
        folder.mkdir()
        append_event(folder, "metric", step=1, loss=float(number))

    found = [book.curves(folder).series["loss"][0][1] for folder in [*folders, *folders]]

    assert found == [*range(9), *range(9)]


def test_a_run_that_has_not_begun_has_no_curves(tmp_path: Path) -> None:
    assert CurveBook().curves(tmp_path) == ({}, 0, [])
