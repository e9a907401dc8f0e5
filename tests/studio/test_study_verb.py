"""`ratchet studies` and `ratchet study`: made, shown, changed, closed and opened from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from studio.cli import main


def _run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    code = main([*words, "--home", str(home.path), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else {}, err


@pytest.fixture
def pairs(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """A home with two preferences."""
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(f'{{"prompt": "q {n}", "chosen": "good", "rejected": "bad"}}\n' for n in range(2)))
    assert _run(home, capsys, "import", str(file), "--dataset", "pairs")[0] == 0
    return home


def test_a_study_from_its_making_to_its_end(pairs: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "guidelines.md"
    text.write_text("Look at facts.")

    made = _run(pairs, capsys, "study", "old", "--create", "--answers", "pairs", "--set", "overlap=2",
                "--guidelines", str(text))  # fmt: skip
    changed = _run(pairs, capsys, "study", "old", "--set", "chips=wrong, too long", "--set", "overlap=3", "--close")
    opened = _run(pairs, capsys, "study", "old", "--open")
    listed = _run(pairs, capsys, "studies")

    assert (made[0], made[1]["wanted"], made[1]["guidelines"]["number"]) == (0, 4, 1)
    assert (changed[1]["state"], changed[1]["wanted"], changed[1]["before"]) == (
        "closed", 6, {"overlap": 2, "chips": []},
    )  # fmt: skip
    assert changed[1]["settings"]["chips"] == ["wrong", "too long"]
    assert opened[1]["state"] == "open"
    assert (listed[1]["studies"][0]["name"], listed[1]["studies"][0]["names"]) == ("old", [])


def test_a_study_of_contestants_is_made_without_asking_anybody(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    brief = '{"model": "starter", "name": "brief", "system": "Be brief."}'

    code, made, _ = _run(home, capsys, "study", "styles", "--create", "--models", "starter", "--contestant", brief,
                         "--prompts", "starter-prompts", "--n", "3")  # fmt: skip

    assert (code, [one["name"] for one in made["contestants"]], made["coming"]) == (0, ["starter", "brief"], 3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--models", "starter"), "add --create"),
        (("--set", "overlp=3"), 'no setting "overlp"'),
        (("--close",), 'There is no study "none"'),
        (("--create", "--prompts", "starter-prompts", "--models", "starter"), "needs two models"),
        (("--create", "--answers", "pairs", "--guidelines", "/nowhere.md"), "There is no file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    pairs: Home, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    code, data, said = _run(pairs, capsys, "study", "none", *words)

    assert (code, data) == (1, {})
    assert sentence in said
    assert said.count("\n") == 1


def test_a_known_answer_is_found_marked_and_lifted(pairs: Home, capsys: pytest.CaptureFixture[str]) -> None:
    _run(pairs, capsys, "study", "old", "--create", "--answers", "pairs")
    (one,) = _run(pairs, capsys, "study", "old", "--find", "q 1")[1]["comparisons"]

    marked = _run(pairs, capsys, "study", "old", "--gold", f"{one['comparison']}=a", "--note", "plainly")
    known = _run(pairs, capsys, "study", "old", "--find", "q 1")[1]["comparisons"][0]["expected"]
    lifted = _run(pairs, capsys, "study", "old", "--lift-gold", one["comparison"])
    wrong = _run(pairs, capsys, "study", "old", "--gold", f"{one['comparison']}=[[0]]")

    assert (marked[1]["expected"], marked[1]["note"], known) == ({"choice": "a"}, "plainly", {"choice": "a"})
    assert lifted[1]["lifted"] is True
    assert (wrong[0], "no ranking that a vote" in wrong[2]) == (1, True)


def test_what_choice_saved_is_a_sentence(pairs: Home, capsys: pytest.CaptureFixture[str]) -> None:
    _run(pairs, capsys, "study", "old", "--create", "--answers", "pairs")

    code, data, _ = _run(pairs, capsys, "study", "old", "--choice")

    assert (code, data["votes"]) == (0, 0)
    assert "nothing to compare" in data["sentence"]


def test_people_read_a_table(pairs: Home, capsys: pytest.CaptureFixture[str]) -> None:
    main(["study", "old", "--create", "--answers", "pairs", "--home", str(pairs.path)])
    main(["studies", "--home", str(pairs.path)])

    out = capsys.readouterr().out
    assert "old: open, 0 of 2 slots filled, 0 votes" in out
    assert "answers of pairs" in out
