"""People vote while a large file is imported: every vote is taken, none waits for more than a thousand rows."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.chat_rows import write_rows
from studio.curation.importing import import_files
from studio.curation.listing import list_all
from studio.curation.reports import ImportReport
from tests.studio.feedback.conftest import Bench

pytestmark = pytest.mark.heavy

PROGRAM = """
import sys
from pathlib import Path
from storage.home import Home
from storage.store import Store
from studio.curation.importing import import_files
import_files(Store.open(Home(Path(sys.argv[1]))), [Path(sys.argv[2])], "rows")
"""


@pytest.mark.parametrize("rows", [50_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_every_vote_is_taken_while_rows_are_imported(bench: Bench, tmp_path: Path, rows: int) -> None:
    file = tmp_path / "rows.jsonl"
    write_rows(file, rows)
    acknowledged = []
    during = 0

    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(bench.store.home.path), str(file)]) as importer:
        while importer.poll() is None:
            before = _written(bench)
            acknowledged.append(bench.vote(bench.compare(f"question {len(acknowledged)}"), "a"))
            during += 0 < before < rows
        assert importer.wait() == 0

    assert [item.rows for item in list_all(bench.store).datasets] == [rows]
    stored = {row["id"] for row in bench.store.rows("select id from votes")}
    assert stored == set(acknowledged)
    assert during >= 10, "too few votes fell between the first and the last row to show anything"


def _written(bench: Bench) -> int:
    return int(bench.store.value("select coalesce(sum(places), 0) from segments"))


def test_no_transaction_of_an_import_writes_more_than_a_thousand_rows(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    write_rows(file, 3500)
    transactions: list[int] = []

    def watch(statement: str) -> None:
        words = statement.lower().split()
        if words[0] == "begin":
            transactions.append(0)
        elif words[:3] == ["insert", "into", "examples"]:
            transactions[-1] += 1

    bench.store.db.conn.set_trace_callback(watch)
    report = import_files(bench.store, [file], "rows")
    bench.store.db.conn.set_trace_callback(None)

    assert isinstance(report, ImportReport)
    assert report.imported == 3500
    assert [count for count in transactions if count] == [1000, 1000, 1000, 500]
    assert transactions[-1] == 0, "what lets the rows be seen writes none of them"
