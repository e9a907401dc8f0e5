"""`ratchet check` and `ratchet mend`, as somebody types them."""

import json
from pathlib import Path

import pytest

from storage.home import Home
from studio.cli import main
from tests.studio.test_cli import run

ROWS = [("Hi there", "Write to a@b.de"), ("Hi you", "Write to c@d.fr, As an AI")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"prompt": ask, "completion": say}) + "\n" for ask, say in ROWS), "utf-8")
    return path


def test_check_then_mend(home: Home, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, capsys, "import", str(file), "--dataset", "rows")

    code, told, errors = run(home, capsys, "check", "rows")
    mended = run(home, capsys, "mend", "rows", "personal-data")
    _, after, _ = run(home, capsys, "check", "rows")

    assert (code, errors) == (0, "")
    found = {item["check"]: (item["severity"], item["count"], len(item["examples"])) for item in told["findings"]}  # type: ignore[attr-defined]
    assert found == {"personal-data": ("warning", 2, 2), "boilerplate": ("warning", 1, 1)}
    assert (mended[0], mended[1]["mended"], mended[1]["left"]) == (0, 2, 0)
    assert [item["check"] for item in after["findings"]] == ["boilerplate"]  # type: ignore[attr-defined]


def test_people_read_a_table(home: Home, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(home, capsys, "import", str(file), "--dataset", "rows")

    assert main(["check", "rows", "--home", str(home.path)]) == 0

    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split() == ["check", "severity", "count", "title"]
    assert second.split()[:3] == ["boilerplate", "warning", "1"]
    assert third.split()[:3] == ["personal-data", "warning", "2"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["check", "nowhere"], 'no dataset "nowhere"'),
        (["check", "starter", "--against", "nowhere"], 'no dataset "nowhere"'),
        (["mend", "starter", "nonsense"], 'There is no check "nonsense"'),
        (["mend", "starter", "empty"], "has no safe mend"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    home: Home, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    code, data, errors = run(home, capsys, *words)

    assert (code, data, len(errors.splitlines())) == (1, {}, 1)
    assert sentence in errors


def test_tokens_without_a_model_that_counts_them_are_refused(
    home: Home, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(home, capsys, "import", str(file), "--dataset", "rows")

    code, _, errors = run(home, capsys, "check", "rows", "--max-tokens", "20")

    assert (code, errors) == (1, "Name the model whose tokenizer counts to 20 tokens.\n")
