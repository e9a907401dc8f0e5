"""`ratchet people`: accounts from the command line; a password comes from standard input, never as an argument."""

import io
import json

import pytest

from storage import people
from storage.home import Home
from storage.store import Store
from studio.cli import main
from studio.people.passwords import matches

PASSWORD = "correct horse"


def run(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = ""
) -> tuple[int, dict[str, object], str]:
    """Exit code, JSON and standard error of one command."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    code = main(["people", *words, "--home", str(home.path), "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else {}, err


def test_an_account_from_its_making_to_its_end(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run(home, capsys, monkeypatch, "add", "ada", "--role", "admin", typed=f"{PASSWORD}\n")
    run(home, capsys, monkeypatch, "add", "ann", typed=f"{PASSWORD}\n")
    run(home, capsys, monkeypatch, "role", "ann", "curator")
    run(home, capsys, monkeypatch, "password", "ann", typed="another horse\n")
    run(home, capsys, monkeypatch, "disable", "ann")
    listed = run(home, capsys, monkeypatch, "list")[1]

    assert (made[0], made[1]["name"], made[1]["role"]) == (0, "ada", "admin")
    assert [(one["name"], one["role"], one["disabled"]) for one in listed["people"]] == [  # type: ignore[attr-defined]
        ("ada", "admin", False), ("ann", "curator", True),
    ]  # fmt: skip
    ann = people.get_person(Store.open(home), "ann")
    assert [matches(word, ann.password) for word in (PASSWORD, "another horse")] == [False, True]


def test_the_first_account_is_an_administrators(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, said = run(home, capsys, monkeypatch, "add", "ann", typed=f"{PASSWORD}\n")

    assert (code, said) == (
        1, "The first account must be an administrator's: nobody could make the others otherwise.\n",
    )  # fmt: skip
    assert people.list_people(Store.open(home)) == []


def test_an_invitation_is_a_path_with_a_secret_that_the_store_does_not_know(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(home, capsys, monkeypatch, "add", "ada", "--role", "admin", typed=f"{PASSWORD}\n")

    code, made, _ = run(home, capsys, monkeypatch, "invite", "--role", "trainer")

    token = str(made["path"]).removeprefix("/join/")
    assert (code, made["role"], len(token)) == (0, "trainer", 32)
    assert token not in str(Store.open(home).rows("select * from invitations"))


def test_a_password_is_no_argument(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["people", "add", "ada", PASSWORD, "--home", str(home.path)])

    assert "unrecognized arguments" in capsys.readouterr().err
