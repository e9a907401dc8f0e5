"""`ratchet canaries`: asked, shown, expected and lifted from the command line, as a test suite for models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.home import Home
from storage.models import add_model
from storage.store import Store
from studio.cli import main
from tests.talker import Talker


@pytest.fixture
def talker(home: Home) -> Iterator[Talker]:
    """A server of two models that a home knows."""
    talker = Talker({"knows": lambda messages, seed: "Paris \x1b[31mand red", "no": lambda messages, seed: "No."})
    store = Store.open(home)
    for name, remote in (("knows", "knows"), ("curt", "no")):
        add_model(store, name, "endpoint", url=talker.url, remote_name=remote)
    store.close()
    yield talker
    talker.close()


def _run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["canaries", *words, "--home", str(home.path)])
    out, err = capsys.readouterr()
    return code, out, err


def _json(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = _run(home, capsys, *words, "--json")
    return code, json.loads(out)


def test_models_are_asked_and_the_exit_code_says_whether_they_pass(
    home: Home, talker: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _json(home, capsys, "begin")[1]["own"] is True

    code, told = _json(home, capsys, "run", "knows", "curt")
    strict = _run(home, capsys, "run", "knows", "--strict")

    assert code == 0
    assert told["asked"] == [
        {"model": "knows", "answered": 8, "fresh": 8, "error": None},
        {"model": "curt", "answered": 8, "fresh": 8, "error": None},
    ]
    assert [one["cells"][2]["state"] for one in told["models"]] == ["passed", "failed"]
    assert strict[0] == 1
    assert "knows: 4 of 6 expectations" in strict[1]


def test_what_is_expected_is_said_and_taken_back(
    home: Home, talker: Talker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "array"}')

    _, made = _json(home, capsys, "expect", "3", "--contains", "Paris", "--json-schema", str(schema), "--words", "9")
    said = _run(home, capsys, "lift", made["expected"][0]["id"])

    assert [one["says"] for one in made["expected"]] == [
        'contains "Paris"', 'is JSON that fits {"type": "array"}', "at most 9 words",
    ]  # fmt: skip
    assert said[:2] == (0, 'No longer expected: contains "Paris"\n')
    kinds = [one["kind"] for one in _json(home, capsys)[1]["prompts"][2]["expected"]]
    assert kinds == ["json-schema", "words"]


def test_two_models_stand_side_by_side_and_cannot_steer_the_terminal(
    home: Home, talker: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(home, capsys, "run", "knows", "curt")

    code, out, _ = _run(home, capsys, "show", "curt", "knows")

    assert code == 0
    assert out.startswith("knows -> curt\n")
    assert "3. What is the capital of France?\n  - Paris [31mand red\n  + No.\n" in out


def test_flags_may_stand_before_the_names(home: Home, talker: Talker, capsys: pytest.CaptureFixture[str]) -> None:
    _run(home, capsys, "run", "knows")

    code, again = _json(home, capsys, "run", "--again", "knows")
    told = json.loads(_run(home, capsys, "run", "--json", "curt")[1])
    expected = _json(home, capsys, "expect", "--contains", "Paris", "3")[1]["expected"]

    assert (code, again["asked"]) == (0, [{"model": "knows", "answered": 8, "fresh": 8, "error": None}])
    assert [one["model"] for one in told["asked"]] == ["curt"]
    assert [(one["number"], one["says"]) for one in expected] == [(3, 'contains "Paris"')]


def test_without_an_action_the_table_of_all_models_is_shown_and_strict_holds_there_too(
    home: Home, talker: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(home, capsys, "run", "knows", "curt")
    _run(home, capsys, "expect", "3", "--contains", "Paris")

    bare, strict = _run(home, capsys), _run(home, capsys, "--strict")

    assert (bare[0], strict[0]) == (0, 1)
    assert bare[1].splitlines()[0].split() == ["number", "prompt", "knows", "curt", "starter"]
    assert bare[1] == strict[1] == _run(home, capsys, "show")[1]


def test_what_a_model_lost_fails_a_strict_look_at_its_changes(
    home: Home, talker: Talker, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(home, capsys, "run", "knows", "curt")
    _run(home, capsys, "expect", "3", "--contains", "Paris")

    codes = [_run(home, capsys, "show", *words)[0] for words in (
        ("curt", "knows"), ("curt", "knows", "--strict"), ("--strict", "knows", "curt"))]  # fmt: skip

    assert codes == [0, 1, 0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["expect", "3"], "Say what is expected"),
        (["expect", "--contains", "x"], "Name the prompt"),
        (["expect", "99", "--contains", "x"], 'There is no canary "99"'),
        (["expect", "3", "--json-schema", "/no/such/file"], "cannot be read"),
        (["expect", "3", "--score", "starter>=1"], "is of kind base and scores nothing"),
        (["lift", "nothing"], 'There is no expectation "nothing"'),
        (["show", "a", "b", "c"], "Name one model, or two"),
        (["run", "nobody"], 'There is no model "nobody"'),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    home: Home, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    code, out, err = _run(home, capsys, *words)

    assert (code, out) == (1, "")
    assert sentence in err
