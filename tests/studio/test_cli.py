"""The command line: one JSON object, one sentence on failure, exit codes 0, 1 and 2."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from storage.home import Home
from studio.cli import VERBS, main

CHAT = {"messages": [{"role": "user", "content": "What is 2+2?"}, {"role": "assistant", "content": "4"}]}


def run(home: Home, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object], str]:
    """Exit code, the JSON object and standard error of one verb."""
    code = main([*words, "--home", str(home.path), "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_explains_itself(verb: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb.name, "--help"])  # type: ignore[attr-defined]

    assert ended.value.code == 0
    assert "--home" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["import", "x.jsonl"], ["train", "magic", "--base", "starter", "--dataset", "d"], ["train", "sft"],
     ["show", "d", "--limit", "-1"],
     ["generate", "--model", "starter"], ["import", "x", "--dataset", "d", "--map", "nothing"], ["votes"]],
)  # fmt: skip
def test_wrong_use_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "usage: ratchet" in capsys.readouterr().err


def test_a_new_home_holds_the_starter(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    code, data, errors = run(home, capsys, "datasets")
    kinds = {item["name"]: (item["kind"], item["rows"] >= 100) for item in data["datasets"]}  # type: ignore[attr-defined]
    _, models, _ = run(home, capsys, "models")

    assert (code, errors) == (0, "")
    assert kinds == {"starter": ("sft", True), "starter-prompts": ("prompts", True)}
    (starter,) = models["models"]  # type: ignore[misc]
    assert (starter["name"], starter["base"], starter["parent"], starter["adapter_sha256"], starter["job"]) == (
        "starter", None, None, None, None,
    )  # fmt: skip


def test_import_show_freeze_and_export_go_together(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text(json.dumps(CHAT) + "\nnot json\n" + json.dumps(CHAT) + "\n")

    code, report, _ = run(home, capsys, "import", str(file), "--dataset", "mine")
    _, shown, _ = run(home, capsys, "show", "mine", "--search", "2+2")
    _, frozen, _ = run(home, capsys, "freeze", "mine")
    _, exported, _ = run(home, capsys, "export", "mine", "--format", "messages", "--out", str(tmp_path / "out.jsonl"))

    counts = {key: report[key] for key in ("dataset", "kind", "read", "imported", "duplicates", "rejected")}
    assert (code, counts) == (
        0,
        {"dataset": "mine", "kind": "sft", "read": 3, "imported": 1, "duplicates": 1, "rejected": 1},
    )
    assert report["errors"][0]["line"] == 2  # type: ignore[index]
    assert shown["rows"][0]["messages"] == CHAT["messages"]  # type: ignore[index]
    assert (frozen["version"], frozen["rows"]) == (1, 1)
    assert (exported["rows"], exported["dropped"]) == (1, {})
    assert json.loads((tmp_path / "out.jsonl").read_text())["messages"] == CHAT["messages"]


def test_an_export_that_comes_out_empty_prints_its_report_says_why_and_fails(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"

    code, report, errors = run(home, capsys, "export", "starter", "--format", "messages", "--out", str(out),
                               "--policy", "approved,train")  # fmt: skip

    total = report["total"]
    assert (code, errors) == (1, f"0 approved of {total:,}; {total:,} are drafts.\n")
    assert (report["rows"], report["dropped"], report["path"], report["sha256"]) == (0, {"draft": total}, None, None)
    assert not out.exists()


def test_a_failure_is_one_sentence_and_exit_code_1(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    code, data, errors = run(home, capsys, "show", "nowhere")

    assert (code, data) == (1, {})
    assert errors == 'There is no dataset "nowhere"; there are: starter, starter-prompts.\n'


def test_a_home_that_cannot_be_one_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "ratchet.db").write_text("no database" * 1000)

    codes = [main(["datasets", "--home", str(path)]) for path in (tmp_path / "file", tmp_path)]

    assert codes == [1, 1]
    no_folder, no_database = capsys.readouterr().err.splitlines()
    assert (
        no_folder == f'The folder "{tmp_path / "file"}" cannot be a home (File exists); name another one with --home.'
    )
    assert no_database.startswith(f"The file {tmp_path / 'ratchet.db'} is no sound database (file is not a database)")


def test_a_file_without_a_good_row_prints_its_report_and_fails(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "strange.jsonl"
    file.write_text('{"colour": "red", "weight": 3}\n')

    code, report, _ = run(home, capsys, "import", str(file), "--dataset", "mine")

    assert (code, report["imported"], sorted(report["columns"])) == (1, 0, ["colour", "weight"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "reach", [["--host", "0.0.0.0"], ["--allow-host", "studio.example"], ["--root-path", "/ratchet"]]
)
def test_nobody_is_reached_from_elsewhere_before_there_is_an_account(
    reach: list[str], home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, errors = run(home, capsys, "serve", *reach)

    assert code == 1
    assert "Ratchet does not listen on" in errors
    assert errors.endswith("Make an account first: ratchet people add NAME --role admin\n")


def test_the_command_line_works_without_gradio_and_torch(home: Home) -> None:
    script = (
        "import sys; from studio.cli import main; main(['datasets', '--home', sys.argv[1]]);"
        "print(sorted({'torch', 'gradio', 'transformers', 'trl', 'peft'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(home.path)], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
