"""The quick road makes the same rows as the ordinary one, and leaves to that what is unusual."""

import json
from pathlib import Path
from typing import Any

import pytest

from studio.curation import plain_rows
from studio.curation.import_rows import row_of
from studio.curation.import_writer import Row
from studio.curation.lines import decode
from studio.curation.mapping import SHAPES
from studio.curation.reading import open_source
from studio.curation.records import Record, RowError, Unreadable
from studio.curation.shapes import recognise
from tests.studio.curation.files import chat

pytestmark = pytest.mark.heavy

PLAIN: list[Any] = [
    {"messages": chat("2+2?", "4")},
    {"messages": [{"content": "2+2?", "role": "user"}, {"content": "4", "role": "assistant"}]},
    {"messages": [{"role": "system", "content": ""}, *chat("Grüße, 高血压", 'né "quoted" \\ \t\n\x7f\u2028😀')]},
    {"messages": [{"role": "assistant", "content": "I begin."}, *chat("And I?", "You follow.")]},
    {"messages": [*chat("call it", "yes"), {"role": "tool", "content": ""}, {"role": "assistant", "content": "done"}]},
    {"messages": chat("a", "b" * 300_000)},
    {"messages": chat("nul \0 in it", "\x01\x1f")},
    {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, *chat("c", "d", "e")]},
]
UNUSUAL: list[Any] = [
    {"messages": chat("only a question")}, {"messages": chat(" \n", "blank")}, {"messages": chat("", "")},
    {"messages": []}, {"messages": None}, {"messages": {}}, {"messages": [7]}, {}, [], 7, None, "text",
    {"messages": chat("a", "b"), "id": 1}, {"messages": chat("half \ud83d", "b")},
    {"messages": [{"role": "human", "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": ["user"], "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "tool calls", "content": "a"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": "a", "name": "n"}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": ["a"]}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": 12345678901234567890123}, {"role": "assistant", "content": "b"}]},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": None}]},
]  # fmt: skip


def _slow(value: Any) -> Row:
    """The row by the ordinary road, its JSON as plainly written as the quick one's."""
    recognised = recognise([value], SHAPES, None)
    assert recognised is not None
    (made,) = recognised.make(value)
    assert (recognised.shape.name, made.kind) == ("messages", "sft")
    return row_of(made)


def _same(quick: Row, slow: Row) -> bool:
    return (
        json.dumps(json.loads(quick.prepared.content)) == json.dumps(json.loads(slow.prepared.content))
        and quick.prepared._replace(content="") == slow.prepared._replace(content="")
        and quick.words == slow.words
    )


@pytest.mark.parametrize("value", PLAIN, ids=range(len(PLAIN)))
def test_a_plain_row_is_the_same_by_both_roads(value: Any) -> None:
    row = plain_rows.decoded(json.dumps(value, ensure_ascii=False))

    assert row is not None
    assert _same(plain_rows.row_of(row), _slow(value))


@pytest.mark.parametrize("value", UNUSUAL, ids=range(len(UNUSUAL)))
def test_what_is_unusual_takes_the_ordinary_road(value: Any) -> None:
    assert plain_rows.decoded(json.dumps(value)) is None


@pytest.mark.parametrize("line", ["", "{", '{"messages": NaN}', '{"messages": [}', "\ud800", '{"messages": []} x'])
def test_what_is_no_json_takes_the_ordinary_road_which_names_the_place(line: str) -> None:
    assert plain_rows.decoded(line) is None


def test_the_rows_of_real_files_are_the_same_by_both_roads(real_data: Path) -> None:
    compared = 0
    for path in sorted(real_data.glob("*/*.json*")):
        for value in _plain_values(path):
            row = plain_rows.decoded(json.dumps(value))
            if row is None:
                # Whatever the quick road refuses is refused, or has something that must be converted.
                continue
            assert _same(plain_rows.row_of(row), _slow(value)), path.name
            compared += 1

    assert compared > 1000


def _plain_values(path: Path) -> list[Any]:
    """The rows of a file as nothing but messages in the inner form, whatever dialect it speaks."""
    try:
        with open_source(path) as source:
            values = [item.value for item in source.items if isinstance(item, Record)]
    except Unreadable:
        return []
    recognised = recognise(values[:100], SHAPES)
    plain = []
    for value in values if recognised else ():
        try:
            made = recognised.make(value) if recognised else []
        except RowError:
            continue
        plain += [{"messages": one.content["messages"]} for one in made if one.kind == "sft"]
    return [decode(json.dumps(value)) for value in plain]
