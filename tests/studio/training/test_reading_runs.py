"""What a run wrote on the way, and the lines of its log that somebody seeks."""

from pathlib import Path

from storage.runs import append_event
from studio.training.log_search import search_log
from studio.training.samples import samples


def test_samples_come_by_step_and_the_last_text_of_a_step_counts(tmp_path: Path) -> None:
    append_event(tmp_path, "sample", step=10, prompt="Hello?", text="Hm.")
    append_event(tmp_path, "metric", step=10, loss=1.0)
    append_event(tmp_path, "sample", step=10, prompt="Hello?", text="Hello!")
    append_event(tmp_path, "sample", prompt="Hello?", text="Hello to you!", before="Hm.")

    assert samples(tmp_path) == [
        {"step": 10, "prompt": "Hello?", "text": "Hello!"},
        {"step": None, "prompt": "Hello?", "text": "Hello to you!", "before": "Hm."},
    ]


def test_a_long_run_shows_its_first_samples_and_its_newest(tmp_path: Path) -> None:
    for step in range(1_000):
        append_event(tmp_path, "sample", step=step, prompt="Hello?", text=str(step))

    found = [one["step"] for one in samples(tmp_path)]

    assert (len(found), found[0], found[99], found[100], found[-1]) == (400, 0, 99, 700, 999)


def test_the_log_is_searched_whole_whatever_the_case_and_without_colours(tmp_path: Path) -> None:
    lines = ["loading", *["step"] * 5_000, "\x1b[31mWARNING\x1b[0m: row 7", "10%\r100% warning too"]
    (tmp_path / "train.log").write_text("\n".join(lines))

    found = search_log(tmp_path, " Warning ")

    assert found.lines == [{"line": 5_002, "text": "WARNING: row 7"}, {"line": 5_003, "text": "100% warning too"}]
    assert found.total == 2


def test_many_lines_are_counted_and_the_newest_shown(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("step\n" * 5_000)

    found = search_log(tmp_path, "step")

    assert (len(found.lines), found.lines[-1]["line"], found.total) == (200, 5_000, 5_000)


def test_nothing_sought_and_nothing_written_are_nothing_found(tmp_path: Path) -> None:
    assert search_log(tmp_path, "x") == ([], 0)
    (tmp_path / "train.log").write_text("x")
    assert search_log(tmp_path, "  ") == ([], 0)
