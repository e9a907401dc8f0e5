"""`ratchet demo`: a link is made and shown once, listed without what opens it, closed; votes are decided."""

import json
from typing import Any

import pytest

from storage import demos
from storage.home import Home
from storage.store import Store
from studio.cli import main
from studio.demos import making


def run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object and standard error of `ratchet demo`."""
    code = main(["demo", *words, "--home", str(home.path), "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


def test_a_demo_is_made_listed_and_closed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [
        "--title",
        "Ask us",
        "--example",
        "One?",
        "--example",
        "Two?",
        "--names",
        "--rate",
        "3",
        "--model",
        "starter",
    ]

    code, made, _ = run(home, capsys, "make", "fair", *flags)
    _, listed, _ = run(home, capsys, "list")
    token = made["path"].removeprefix("/demo/")
    store = Store.open(home)

    assert (code, made["name"], made["models"]) == (0, "fair", ["starter"])
    told = {name: made["terms"][name] for name in ("title", "examples", "names", "rate", "system")}
    assert told == {"title": "Ask us", "examples": ["One?", "Two?"], "names": True, "rate": 3, "system": False}
    assert [one["name"] for one in listed["demos"]] == ["fair"]
    assert token not in json.dumps(listed)
    assert making.demo_of(store, token).name == "fair"
    assert run(home, capsys, "close", "fair")[0] == 0
    assert demos.get(store, "fair").closed_at is not None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["close", "absent"], 'There is no demo "absent"; there are: none yet.'),
        (["make", "x", "--model", "absent"], 'There is no model "absent"'),
        (["make", "x", "--rate", "0"], '"rate" is a whole number from 1 to 600'),
        (["accept", "absent"], 'There is no demo "absent"'),
        (["take-back", "absent"], 'There is no demo "absent"'),
    ],
)
def test_what_cannot_be_is_one_sentence(
    home: Home, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    code, data, said = run(home, capsys, *words)

    assert (code, data) == (1, {})
    assert said.startswith(sentence)


def test_where_no_vote_waits_nothing_is_decided(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, capsys, "make", "fair")

    assert run(home, capsys, "votes", "fair")[1] == {"votes": []}
    for verb in ("accept", "refuse"):
        assert run(home, capsys, verb, "fair")[2] == "No vote waits here.\n"
