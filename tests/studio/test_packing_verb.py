"""`ratchet backup` and `pack` where no file is named: it tells the project and the moment."""

import json
import re
from pathlib import Path

import pytest

from storage.home import Home
from storage.models import get_model
from storage.store import Store
from studio.cli import main


def _run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--home", str(home.path)]) == 0
    return capsys.readouterr().out


def test_a_backup_without_a_name_lies_with_the_others_and_opens_elsewhere(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = json.loads(_run(home, capsys, "backup", "--json"))

    assert [str(path) for path in home.backups.glob("*.zip")] == [said["path"]]
    assert re.fullmatch(rf"{home.path.name.lstrip('.')}-\d{{8}}-\d{{6}}\.zip", Path(said["path"]).name)
    other = Home(tmp_path / "elsewhere" / "home")
    _run(other, capsys, "restore", said["path"])
    assert get_model(Store.open(other), "starter").kind == "base"


def test_a_pack_without_a_name_lies_where_it_was_asked_for(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    said = json.loads(_run(home, capsys, "pack", "--json"))

    assert (said["kind"], Path(said["path"]).parent, Path(said["path"]).is_file()) == ("pack", tmp_path, True)
    assert list(home.backups.iterdir()) == []
