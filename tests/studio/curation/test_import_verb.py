"""`ratchet import` says in one JSON object and one exit code what became of its files."""

import json
from pathlib import Path

import pytest

from storage.home import Home
from studio.cli import main
from tests.studio.curation.files import Write, chat


def _import(home: Home, *words: str | Path) -> int:
    return main(["import", *map(str, words), "--home", str(home.path)])


def test_a_good_file_exits_0_with_its_counts(home: Home, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("a.jsonl", [{"messages": chat("2+2?", "4")}, {"messages": []}])

    code = _import(home, path, "--dataset", "rows", "--json")

    said = json.loads(capsys.readouterr().out)
    assert (code, said["read"], said["imported"], said["rejected"]) == (0, 2, 1, 1)
    assert _import(home, path, "--dataset", "rows") == 0  # nothing new is no failure


def test_a_file_without_a_good_row_exits_1_with_json_and_a_sentence(
    home: Home, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _import(home, write("a.csv", "frage,antwort\n1+1?,2\n"), "--dataset", "rows", "--json")

    out, err = capsys.readouterr()
    assert (code, json.loads(out)["columns"]) == (1, ["frage", "antwort"])
    assert "a.csv: The file has no known shape. Its columns are frage, antwort" in err


def test_an_archive_of_several_files_without_a_good_row_says_why_of_each(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "frage,antwort\n1+1?,2\n")
        archive.writestr("b.json", "[1")

    code = _import(home, tmp_path / "a.zip", "--dataset", "rows", "--json")

    out, err = capsys.readouterr()
    assert (code, [one["file"] for one in json.loads(out)["files"]]) == (1, ["a.csv", "b.json"])
    assert "a.csv: The file has no known shape" in err
    assert "b.json: The file is no valid JSON" in err


def test_the_encoding_is_named_on_the_command_line(
    home: Home, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("a.csv", "prompt,completion\nкак?,так\n".encode("koi8-r"))

    code = _import(home, path, "--dataset", "rows", "--encoding", "koi8-r", "--json")
    said = json.loads(capsys.readouterr().out)
    wrong = _import(home, path, "--dataset", "rows", "--encoding", "klingon")

    assert (code, said["encoding"], said["imported"], wrong) == (0, "koi8-r", 1, 1)
    assert '"klingon" is no encoding' in capsys.readouterr().err


def test_columns_are_mapped_from_the_command_line(home: Home, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = write("a.csv", "frage,antwort\n1+1?,2\n")

    code = _import(home, path, "--dataset", "rows", "--map", "frage=prompt", "--map", "antwort=answer", "--json")

    assert (code, json.loads(capsys.readouterr().out)["imported"]) == (0, 1)


def test_what_stands_against_the_whole_import_is_a_report_too(
    home: Home, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("a.csv", "frage,antwort\n1+1?,2\n")

    code = _import(home, path, "--dataset", "rows", "--map", "gone=prompt", "--json")

    out, err = capsys.readouterr()
    sentence = 'There is no column "gone"; the columns are frage, antwort.'
    assert (code, err) == (1, f"{sentence}\n")
    assert json.loads(out)["errors"] == [{"line": None, "column": None, "message": sentence}]
