"""Folders that may be imported from: named once, by the environment or the flag, and real."""

import os
from pathlib import Path

import pytest

from storage.errors import BadInput
from studio.cli import main
from studio.settings import Settings


def test_folders_come_from_the_environment_each_once(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    said = os.pathsep.join([str(one), str(two), "", str(one)])

    settings = Settings.from_env({"RATCHET_ALLOW_FOLDER": said}, home=tmp_path / "home")

    assert settings.allow_folder == (one.resolve(), two.resolve())


def test_the_flag_wins_over_the_environment(tmp_path: Path) -> None:
    environ = {"RATCHET_ALLOW_FOLDER": str(tmp_path / "one")}

    settings = Settings.from_env(environ, home=tmp_path / "home", allow_folder=[str(tmp_path / "two")])

    assert settings.allow_folder == ((tmp_path / "two").resolve(),)


def test_no_folder_is_allowed_unless_somebody_says_so(tmp_path: Path) -> None:
    assert Settings.from_env({}, home=tmp_path / "home").allow_folder == ()


def test_serve_refuses_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing"

    code = main(["serve", "--home", str(tmp_path / "home"), "--port", "0", "--allow-folder", str(missing)])

    assert (code, capsys.readouterr().err) == (1, f'There is no folder "{missing}" to allow imports from.\n')


def test_the_zygote_is_on_unless_somebody_says_off(tmp_path: Path) -> None:
    words = {"": True, "on": True, " OFF ": False}
    found = {word: Settings.from_env({"RATCHET_ZYGOTE": word} if word else {}, home=tmp_path).zygote for word in words}

    assert found == words
    with pytest.raises(BadInput, match=r'RATCHET_ZYGOTE is on or off, not "maybe".'):
        Settings.from_env({"RATCHET_ZYGOTE": "maybe"}, home=tmp_path)
