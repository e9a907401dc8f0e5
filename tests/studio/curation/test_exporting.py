"""An export holds what its format can hold and counts the rest; importing it again gives the same hashes."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage import datasets, versions
from storage.errors import BadInput, NotFound, NotReady
from storage.store import Store
from studio.curation import editing
from studio.curation.export_sources import Source
from studio.curation.exporting import Wish, export, preview
from tests.conftest import ROOT
from tests.studio.curation.files import Write, chat, imported, rows_of

pytestmark = pytest.mark.heavy

CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 2, "b": 2}}}
SYSTEM = {"role": "system", "content": "Be brief."}
SFT: list[dict[str, Any]] = [
    {"messages": chat("2+2?", "4"), "tags": ["sums", "easy"]},
    {"messages": [SYSTEM, *chat("Hi", "Hello")]},
    {"messages": chat("a", "b", "c", "d")},
    {"messages": [SYSTEM, *chat(" a\n", "b\r\nc\rd", "\u2028.", "=1+1")]},
    {"messages": chat(" a\n", "b\r\nc\rd\n")},
    {"messages": chat("=cmd()", "'-1"), "tags": ["+tag"]},
    {"messages": chat("\u202eRTL 😀", "<b>&amp;</b>, \"two\";\tthree")},
    {"messages": [*chat("2+2?"), {"role": "assistant", "content": "", "tool_calls": [CALL]},
                  {"role": "tool", "content": "4"}, {"role": "assistant", "content": "Four."}],
     "tools": [{"name": "add"}]},
    {"messages": [*chat("x", "y"), *chat("z")]},
    {"messages": chat("nul \0", "half \ud83d")},
]  # fmt: skip
PREFERENCE: list[dict[str, Any]] = [
    {"prompt": "2+2?", "chosen": "4", "rejected": "5", "margin": 0.5, "tags": ["sums"]},
    {"prompt": [SYSTEM, *chat("Hi", "Hello", "Bye")], "chosen": "See you.", "rejected": "?"},
]
ROUNDS: list[tuple[str, list[dict[str, Any]], int, dict[str, int]]] = [
    ("messages", SFT, 10, {}),
    ("sharegpt", SFT, 10, {}),
    ("alpaca", SFT, 8, {"tool calls": 1, "turns that are not user and assistant by turns": 1}),
    ("prompt-completion", SFT, 6, {"more than one turn": 2, "tool calls": 1,
                                   "turns that are not user and assistant by turns": 1}),
    ("csv", SFT, 5, {"more than one turn": 2, "tool calls": 1, "turns that are not user and assistant by turns": 1,
                     "a NUL character": 1}),
    ("preference", PREFERENCE, 2, {}),
    ("dpo", PREFERENCE, 2, {}),
    ("prompts", [{"prompt": "2+2?"}, {"prompt": [SYSTEM, *chat("Hi")]}], 2, {}),
    ("messages", [{"prompt": "2+2?"}, {"prompt": [SYSTEM, *chat("Hi")]}], 2, {}),
    ("text", [{"text": "one\n\ntwo"}, {"text": " \ud83d half"}], 2, {}),
    ("json", SFT, 10, {}),
    ("json", PREFERENCE, 2, {}),
    ("parquet", SFT, 9, {"half a character that no text file can hold": 1}),
    ("parquet", PREFERENCE, 2, {}),
    ("parquet", [{"prompt": "2+2?"}, {"prompt": [SYSTEM, *chat("Hi")]}], 2, {}),
    ("reward", PREFERENCE, 2, {}),
    ("csv", PREFERENCE, 1, {"more than one turn": 1}),
    ("csv", [{"prompt": "2+2?"}, {"prompt": [SYSTEM, *chat("Hi")]}], 2, {}),
    ("csv", [{"text": "one\n\ntwo"}, {"text": "=1+1"}], 2, {}),
]  # fmt: skip


@pytest.mark.parametrize(("format_", "rows", "held", "dropped"), ROUNDS)
def test_what_is_exported_and_imported_again_has_the_same_hashes(
    store: Store, write: Write, tmp_path: Path, format_: str, rows: list[dict[str, Any]], held: int,
    dropped: dict[str, int],
) -> None:  # fmt: skip
    imported(store, write("a.jsonl", rows))
    out = tmp_path / f"out.{format_ if format_ in ('csv', 'json', 'parquet') else 'jsonl'}"

    report = export(store, "rows", format=format_, out=out)
    again = imported(store, out, "again")

    assert (report.rows, report.dropped) == (held, dropped)
    assert (again.imported, again.rejected) == (held, 0)
    before, after = rows_of(store, "rows", "sha256", "tags"), rows_of(store, "again", "sha256", "tags")
    assert [row for row in before if row in after] == after
    assert len(after) == held


def test_a_report_names_the_file_its_size_and_its_hash(store: Store, write: Write, tmp_path: Path) -> None:
    imported(store, write("a.jsonl", SFT[:2]))

    said = export(store, "rows", format="messages", out=tmp_path / "out.jsonl").to_json()

    content = (tmp_path / "out.jsonl").read_bytes()
    assert said == {
        "dataset": "rows", "format": "messages", "rows": 2, "dropped": {}, "path": str(tmp_path / "out.jsonl"),
        "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "total": 2, "policies": [],
    }  # fmt: skip
    assert json.loads(content.splitlines()[0]) == SFT[0]


def test_openai_gets_the_arguments_of_a_tool_call_as_text(store: Store, write: Write, tmp_path: Path) -> None:
    imported(store, write("a.jsonl", [row for row in SFT if "tools" in row]))
    export(store, "rows", format="messages", out=tmp_path / "out.jsonl")

    written = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))

    assert written["messages"][1]["tool_calls"][0]["function"]["arguments"] == '{"a": 2, "b": 2}'


def test_no_cell_of_a_table_is_a_formula(store: Store, write: Write, tmp_path: Path) -> None:
    rows = [{"prompt": f"{sign}SUM(A1)", "completion": f"{sign}1"} for sign in "=+-@\t"]
    imported(store, write("a.jsonl", rows))
    export(store, "rows", format="csv", out=tmp_path / "out.csv")

    lines = (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()

    assert [line.split(",")[1][:3] for line in lines[1:]] == [f"\"'{sign}" for sign in "=+-@\t"]


def test_a_format_that_holds_nothing_says_why(store: Store, write: Write, tmp_path: Path) -> None:
    imported(store, write("a.jsonl", PREFERENCE))

    report = export(store, "rows", format="alpaca", out=tmp_path / "out.jsonl")

    assert (report.rows, report.dropped, report.path) == (0, {"not one conversation": 2}, None)
    assert report.sentence == "0 examples for the format alpaca of 2; 2 left out: not one conversation."
    assert not (tmp_path / "out.jsonl").exists()


def test_a_frozen_version_is_exported_as_it_was(store: Store, write: Write, tmp_path: Path) -> None:
    imported(store, write("a.jsonl", SFT[:2]))
    versions.freeze(store, datasets.get_dataset(store, "rows"))
    editing.add(store, "rows", {"messages": chat("later", "on")})

    for reference in (1, "1"):
        assert export(store, "rows", version=reference, format="messages", out=tmp_path / "out.jsonl").rows == 2
    assert export(store, "rows", format="messages", out=tmp_path / "out.jsonl").rows == 3


@pytest.mark.parametrize(
    ("wish", "error", "message"),
    [
        ({"format": "xml"}, BadInput, '"xml" is no export format'),
        ({"format": "messages", "policy": "best"}, BadInput, '"best" is no policy'),
        ({"format": "messages", "version": 7}, NotFound, "has no version 7"),
        ({"format": "messages", "out": "/nowhere/at/all.jsonl"}, NotReady, "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_said_and_no_file_is_left(
    store: Store, write: Write, tmp_path: Path, wish: dict[str, Any], error: type[Exception], message: str
) -> None:
    imported(store, write("a.jsonl", SFT[:2]))

    with pytest.raises(error, match=message):
        export(store, "rows", **{"out": tmp_path / "out.jsonl", **wish})

    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.mark.parametrize(
    ("name", "format_"),
    [("sft/lf_glaive_toolcall_en_demo.json", "sharegpt"), ("sft/lf_glaive_toolcall_en_demo.json", "messages"),
     ("sft/lf_alpaca_en_demo.json", "alpaca"), ("sft/lf_alpaca_en_demo.json", "csv"),
     ("pref/lf_dpo_en_demo.json", "preference"), ("messy/blns.json", "text"),
     ("sft/lf_glaive_toolcall_en_demo.json", "parquet"), ("pref/lf_kto_en_demo.json", "kto"),
     ("pref/lf_kto_en_demo.json", "json"), ("pref/lf_dpo_en_demo.json", "parquet"),
     ("pref/lf_dpo_en_demo.json", "ranking"), ("sft/vicuna_bench_question.jsonl", "csv")],
)  # fmt: skip
def test_real_files_come_round_whole(store: Store, real_data: Path, tmp_path: Path, name: str, format_: str) -> None:
    first = imported(store, real_data / name)
    out = tmp_path / f"out.{format_ if format_ in ('csv', 'json', 'parquet') else 'jsonl'}"

    report = export(store, "rows", format=format_, out=out)
    again = imported(store, out, "again")

    assert (report.rows, again.imported, again.duplicates, again.rejected) == (first.imported, first.imported, 0, 0)
    assert rows_of(store, "again", "sha256") == rows_of(store, "rows", "sha256")


def test_a_preview_of_a_large_dataset_looks_at_its_beginning(store: Store, write: Write) -> None:
    imported(store, write("many.jsonl", [{"text": f"text {n}"} for n in range(5_100)]))

    seen = preview(store, Wish.of(Source("rows"), "text"))

    assert (seen.rows, seen.total, seen.exact, seen.sentence) == (5_000, 5_000, False, None)


PEAK = """
import resource, sys
from pathlib import Path
from storage.home import Home
from storage.store import Store
from studio.curation.export_sources import Source
from studio.curation.exporting import Wish, export, preview
report = export(Store.open(Home(Path(sys.argv[1]))), sys.argv[2], format=sys.argv[3], out=sys.argv[4])
print(report.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format_", "ending"), [("messages", "jsonl"), ("messages", "json"), ("csv", "csv"), ("parquet", "parquet")]
)
def test_the_memory_is_flat_whatever_the_number_of_rows(
    store: Store, write: Write, tmp_path: Path, format_: str, ending: str
) -> None:
    for name, count in (("few", 4_000), ("many", 60_000)):
        rows = [{"messages": chat(f"question {n} {'x' * 400}", "y" * 400)} for n in range(count)]
        imported(store, write(f"{name}.jsonl", rows), name)

    peaks = {}
    for name in ("few", "many"):
        command = [sys.executable, "-c", PEAK, str(store.home.path), name, format_, str(tmp_path / f"out.{ending}")]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
        rows_written, peaks[name] = map(int, said.split())
        assert rows_written == {"few": 4_000, "many": 60_000}[name]

    assert peaks["many"] - peaks["few"] < 30, peaks  # megabytes; the file of many has 60
