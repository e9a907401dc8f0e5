"""The tables that the README shows: every goal a line, what was missed marked, what broke off told."""

import json
from pathlib import Path

import pytest

from bench import __main__ as everything
from bench.figures import ratio, report
from bench.table import number, tables

MACHINE = {"system": "Linux", "processor": "Thing 1", "cores": 2, "gigabytes": 25, "python": "3.11.2"}


def _result(**figures: object) -> dict[str, object]:
    return {"at": "2030-01-02T03:04:05+00:00", "commit": "abc1234", "seconds": 61.2, "words": [], **figures}


def test_goals_missed_are_marked_and_counted() -> None:
    good, bad, told = ratio("goal, ms", 8.61, 50.0), ratio("votes", 480.0, 500.0, "higher"), ratio("peer", 3.0, None)
    found = {
        "machine": MACHINE,
        "results": {
            "vote": _result(figures=report("vote", {}, {}, [good, told])),
            "burst": _result(figures=report("burst", {}, {}, [bad]), words=["--small"]),
            "soak": _result(error="It broke off with exit code 1."),
        },
    }

    assert tables(found) == "\n".join([
        "Thing 1, 2 cores, 25 GB, Linux, Python 3.11.2. 2 goals, 1 missed.",
        "",
        "| measurement | against | measured | goal | |",
        "|---|---|---|---|---|",
        "| `vote` | goal, ms | 8.61 | at most 50 |  |",
        "| `vote` | peer | 3 |  |  |",
        "| `burst` | votes | 480 | at least 500 | **missed** |",
        "",
        "| measurement | commit | when | took | |",
        "|---|---|---|---|---|",
        "| `vote` | abc1234 | 2030-01-02T03:04 | 61 s | met |",
        "| `burst` | abc1234 | 2030-01-02T03:04 | 61 s | not met (trial run) |",
        "| `soak` | abc1234 | 2030-01-02T03:04 | 61 s | It broke off with exit code 1. |",
    ])  # fmt: skip


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (24026.4, "24,026"), (0.7843, "0.784"), (12.0, "12")])
def test_numbers_have_the_digits_that_tell_something(value: float, text: str) -> None:
    assert number(value) == text


def test_all_measurements_have_a_place_and_the_half_hour_is_last() -> None:
    names = everything.planned()

    assert sorted(names) == sorted(everything.benches(everything.ROOT))
    assert names[-1] == "soak"


@pytest.mark.heavy
def test_a_run_of_some_keeps_what_the_file_holds_of_others(tmp_path: Path) -> None:
    out = tmp_path / "last.json"
    kept = _result(figures=report("soak", {}, {}, [ratio("x", 1.0, 2.0)]))
    out.write_text(json.dumps({"machine": {}, "results": {"soak": kept}}))

    code = everything.main(["leaderboard", "--small", "--out", str(out)])

    found = json.loads(out.read_text())
    assert code == 0
    assert found["results"]["soak"] == kept
    assert found["results"]["leaderboard"]["figures"]["name"] == "leaderboard"
    assert found["results"]["leaderboard"]["words"] == ["--small"]
    assert set(found["machine"]) == set(MACHINE)


def test_an_unknown_name_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        everything.main(["nothing"])

    assert ended.value.code == 2
    assert "there is no measurement nothing; there are" in capsys.readouterr().err
