"""Whatever an import made, an export that holds it gives back: the same hashes, for any text that people can write.

The rows are drawn by hypothesis, imported from a JSONL file (what an import refuses is no example), exported and
imported again.
"""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import BadInput
from storage.home import Home
from storage.store import Store
from studio.curation.export_files import cell
from studio.curation.export_formats import FORMATS
from studio.curation.exporting import export
from studio.curation.table_rows import plain
from tests.studio.curation.files import imported, rows_of

pytestmark = pytest.mark.heavy

NASTY = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''", "'", "＝1", '"', '""', "a,b;c|d\te", "\\",
    "\\N", "\u202eRTL\u202c", "\u0000", "\ud800", "\udfff", "\u2028", "\x85", "\x1c", "\ufeff", "\r\ufeff", "é",
    "e\u0301", "😀", "NULL", "nan", "true", "1e5", "0x10", "<script>alert(1)</script>", "{{7*7}}", "\r\n", "\n\n",
    "Human: hi\n\nAssistant: ho", "```", "[]", "{}", '{"role": "user"}', "a" * 70_000,
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(codec=None), min_size=1, max_size=40),
    st.lists(st.sampled_from(NASTY[:-1]), min_size=1, max_size=4).map("".join),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(TEXTS, JSON, max_size=3) | TEXTS
CALLED = st.fixed_dictionaries({"name": TEXTS, "arguments": ARGUMENTS})
CALLS = st.fixed_dictionaries({"type": st.just("function"), "function": CALLED}, optional={"id": TEXTS})
USER = st.fixed_dictionaries({"role": st.just("user"), "content": TEXTS}, optional={"name": TEXTS})
PLAIN = st.fixed_dictionaries({"role": st.just("assistant"), "content": TEXTS})
ASSISTANT = PLAIN | st.fixed_dictionaries(
    {
        "role": st.just("assistant"),
        "content": st.just("") | TEXTS,
        "tool_calls": st.lists(CALLS, min_size=1, max_size=2),
    },
    optional={"reasoning_content": TEXTS},
)
TOOL = st.fixed_dictionaries({"role": st.just("tool"), "content": TEXTS}, optional={"tool_call_id": TEXTS})
SYSTEM = st.fixed_dictionaries({"role": st.just("system"), "content": TEXTS | st.just("") | st.just(" ")})
ASKED = st.tuples(st.lists(SYSTEM, max_size=1), st.lists(USER, min_size=1, max_size=1)).map(
    lambda parts: [*parts[0], *parts[1]]
)
PAIRS = st.lists(st.tuples(USER, PLAIN).map(list), min_size=1, max_size=3).map(
    lambda pairs: [turn for pair in pairs for turn in pair]
)
TALKS = st.one_of(
    st.tuples(st.lists(SYSTEM, max_size=1), PAIRS).map(lambda parts: [*parts[0], *parts[1]]),
    st.tuples(st.lists(SYSTEM | USER | ASSISTANT | TOOL, max_size=5), ASSISTANT).map(
        lambda parts: [*parts[0], parts[1]]
    ),
)
BESIDE = {
    "tags": st.lists(st.text("abc ä", min_size=1, max_size=5), max_size=3),
    "tools": st.lists(st.dictionaries(TEXTS, JSON, min_size=1, max_size=2), min_size=1, max_size=2),
    "metadata": st.dictionaries(st.text("xyz", min_size=1, max_size=4), JSON, max_size=2),
}
NUMBERS = st.integers(-1000, 1000) | st.floats(-1e9, 1e9, allow_nan=False)
ANSWER = PLAIN.map(lambda turn: [turn]) | TEXTS
DRAWN: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sft": st.fixed_dictionaries({"messages": TALKS}, optional=BESIDE),
    "preference": st.fixed_dictionaries(
        {"prompt": ASKED | TEXTS, "chosen": ANSWER, "rejected": ANSWER},
        optional={**BESIDE, "margin": NUMBERS},
    ),
    "prompts": st.fixed_dictionaries({"prompt": ASKED | TEXTS}, optional=BESIDE),
    "text": st.fixed_dictionaries({"text": TEXTS}, optional={"tags": BESIDE["tags"], "metadata": BESIDE["metadata"]}),
}  # fmt: skip
# What can be read back as what it was: KTO takes pairs apart, prompts leave the answers out.
CONVERSIONS = (("preference", "kto"), ("preference", "scored"), ("preference", "prompts"), ("prompts", "ranking"))
WAYS = [
    (kind, name, container)
    for kind in DRAWN
    for name, one in FORMATS.items()
    if kind in one.kinds and (kind, name) not in CONVERSIONS
    for container in one.containers
]


class Project(NamedTuple):
    """A store for all cases, each with datasets and files of its own."""

    store: Store
    folder: Path
    numbers: Iterator[int]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("round-trips")
    store = Store.open(Home(folder / "home"))
    yield Project(store, folder, count(1))
    store.close()


def _there_and_back(project: Project, kind: str, format_: str, container: str, rows: list[dict[str, Any]]) -> None:
    store, number = project.store, next(project.numbers)
    source = project.folder / f"{number}.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if not imported(store, source, f"rows-{number}", kind=kind).imported:
        return
    out = project.folder / f"out-{number}.{container}"
    report = export(store, f"rows-{number}", format=format_, out=out)
    before = rows_of(store, f"rows-{number}", "sha256")
    assert out.exists() == bool(report.rows) == (report.sentence is None)
    after = []
    if report.rows:
        again = imported(store, out, f"again-{number}", kind=kind)
        assert (again.imported, again.errors) == (report.rows, [])
        after = rows_of(store, f"again-{number}", "sha256")
    assert set(after) <= set(before)
    assert len(set(after)) == len(before) - sum(report.dropped.values())


@pytest.mark.parametrize(("kind", "format_", "container"), WAYS)
@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_what_comes_back_is_what_went_out(
    project: Project, kind: str, format_: str, container: str, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(DRAWN[kind], min_size=1, max_size=5))
    _there_and_back(project, kind, format_, container, rows)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "format_", "container"), WAYS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_what_comes_back_is_what_went_out_many_times(
    project: Project, kind: str, format_: str, container: str, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(DRAWN[kind], min_size=1, max_size=5))
    _there_and_back(project, kind, format_, container, rows)


@given(text=TEXTS)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_no_cell_can_be_run_and_each_comes_back(text: str) -> None:
    shown = cell(text)

    assert shown[0] not in "=+-@\t\r\n＝＋－＠"
    assert plain(shown) == text


@pytest.mark.parametrize("container", ["jsonl", "json", "parquet", "csv"])
def test_every_naughty_string_comes_back(container: str, real_data: Path, store: Store, tmp_path: Path) -> None:
    naughty = [text for text in json.loads((real_data / "messy" / "blns.json").read_text("utf-8")) if text.strip()]
    source, out = tmp_path / "rows.jsonl", tmp_path / f"out.{container}"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in naughty), encoding="utf-8")

    first = imported(store, source)
    report = export(store, "rows", format="text", out=out)
    again = imported(store, out, "again")

    assert (report.rows, report.dropped) == (first.imported, {})
    assert (again.imported, again.errors) == (first.imported, [])
    assert rows_of(store, "again", "sha256") == rows_of(store, "rows", "sha256")


@pytest.mark.slow
@pytest.mark.parametrize("container", ["jsonl", "json", "parquet", "csv"])
def test_a_cell_of_ten_megabytes_comes_back(container: str, store: Store, tmp_path: Path) -> None:
    rows = [{"text": "ab\n,\"' 0" * 1_250_000}, {"text": "short"}]
    source, out = tmp_path / "rows.jsonl", tmp_path / f"out.{container}"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    first = imported(store, source)
    export(store, "rows", format="text", out=out)
    again = imported(store, out, "again")

    assert (len(rows[0]["text"]), first.imported, again.imported) == (10_000_000, 2, 2)
    assert rows_of(store, "again", "sha256") == rows_of(store, "rows", "sha256")


@pytest.mark.parametrize(("name", "container"), [("messages", "csv"), ("preference", "parquet"), ("ranking", "csv")])
def test_a_format_that_a_file_cannot_hold_is_refused_by_name(
    store: Store, name: str, container: str, tmp_path: Path
) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps({"prompt": "a", "chosen": "b", "rejected": "c"}) + "\n", encoding="utf-8")
    imported(store, source, "rows")

    with pytest.raises(BadInput, match=f'The format "{name}" does not fit into a {container} file'):
        export(store, "rows", format=name, out=tmp_path / f"out.{container}")
