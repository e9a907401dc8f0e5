"""An import goes in whole or not at all, good rows beside bad ones, and every row is accounted for."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from storage import batches, datasets
from storage.errors import BadInput, Conflict, NotFound
from storage.store import Store
from studio.curation.importing import Stopped, import_files
from studio.curation.listing import list_all, show
from studio.curation.reports import ImportReports
from tests.studio.curation.files import Write, chat, faults, imported, rows_of

GOOD = {"messages": chat("2+2?", "4")}


def _asked(number: int) -> dict[str, str]:
    return {"prompt": f"{number}+1?", "completion": str(number + 1)}


def test_bad_rows_are_reported_by_line_and_field_while_good_ones_go_in(store: Store, write: Write) -> None:
    wrong = {"messages": [{"role": "user", "content": "Hi"}, {"role": "asistant", "content": "Hello"}]}
    content = "\n".join([json.dumps(GOOD), json.dumps(wrong), '{"messages": [', "", json.dumps(GOOD), "7",
                         json.dumps({"messages": chat("Hi", "Hello")})])  # fmt: skip

    report = imported(store, write("a.jsonl", content))

    assert (report.read, report.imported, report.duplicates, report.rejected) == (6, 2, 1, 3)
    assert faults(report) == [
        (2, "messages[1].role", '"asistant" is no role; use system, user, assistant or tool.'),
        (3, 15, "The line is no valid JSON: Expecting value."),
        (6, None, 'A row is an object with named fields, and this is a number ("7").'),
    ]
    assert rows_of(store, "rows", "messages") == [chat("2+2?", "4"), chat("Hi", "Hello")]


def test_the_json_of_a_report_has_the_keys_of_the_command_line(store: Store, write: Write) -> None:
    said = imported(store, write("a.jsonl", [GOOD])).to_json()

    assert isinstance(said.pop("seconds"), float)
    assert len(said.pop("batch")) == 26
    assert said == {
        "file": "a.jsonl", "dataset": "rows", "kind": "sft", "format": "jsonl", "shape": "messages",
        "encoding": "utf-8", "read": 1, "imported": 1, "duplicates": 0, "rejected": 0, "made": 1, "errors": [],
        "rejected_file": None, "ok": True,
    }  # fmt: skip


def test_rejected_rows_can_be_mended_in_their_file_and_imported_again(store: Store, write: Write) -> None:
    rows = [_asked(1), {"prompt": "2+1?", "completion": None}, {"prompt": "3+1?", "completion": ""}]
    first = imported(store, write("a.jsonl", rows))
    written = Path(str(first.rejected_file))
    kept = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]

    mended = [{**row, "completion": "3" if row["prompt"] == "2+1?" else "4"} for row in kept]
    second = imported(store, write("mended.jsonl", mended))

    assert kept[0] == {
        "prompt": "2+1?",
        "completion": None,
        "_error": {"line": 2, "column": "completion", "message": "The field is missing."},
    }
    assert (second.imported, second.rejected) == (2, 0)
    assert [row[1]["content"] for row in rows_of(store, "rows", "messages")] == ["2", "3", "4"]
    assert all(row[0] is None for row in rows_of(store, "rows", "metadata", "tags"))


def test_a_line_that_could_not_be_decoded_can_be_mended_too(store: Store, write: Write) -> None:
    report = imported(store, write("a.jsonl", f"{json.dumps(GOOD)}\n" + '{"messages": [}\n'))
    kept = json.loads(Path(str(report.rejected_file)).read_text(encoding="utf-8"))

    kept["_raw"] = json.dumps({"messages": chat("Hi", "Hello")})
    again = imported(store, write("mended.jsonl", [kept]))

    assert (again.imported, rows_of(store, "rows", "messages")[1]) == (1, chat("Hi", "Hello"))


def test_only_the_first_hundred_errors_are_listed_and_all_are_counted(store: Store, write: Write) -> None:
    report = imported(store, write("a.jsonl", [_asked(1), *({"prompt": f"{n}?", "completion": ""}
                                                           for n in range(150))]))  # fmt: skip

    assert (report.rejected, len(report.errors)) == (150, 100)
    assert len(Path(str(report.rejected_file)).read_text(encoding="utf-8").splitlines()) == 150


def test_damaged_rows_at_the_beginning_do_not_decide_what_the_others_are(store: Store, write: Write) -> None:
    pairs = "".join(f'{{"prompt": "{n}?", "chosen": "yes", "rejected": "no"}}\n' for n in range(3))

    report = imported(store, write("a.jsonl", "{broken\n" * 250 + pairs))

    assert (report.kind, report.shape, report.imported, report.rejected) == ("preference", "preference", 3, 250)


def test_conversations_that_are_bare_lists_of_messages_are_imported(store: Store, write: Write) -> None:
    report = imported(store, write("a.json", [chat("Hi", "Hello"), chat("Bye", "See you")]))

    assert (report.kind, report.read, report.imported) == ("sft", 2, 2)
    assert rows_of(store, "rows", "messages") == [chat("Hi", "Hello"), chat("Bye", "See you")]


def test_a_file_without_one_good_row_leaves_no_dataset(store: Store, write: Write) -> None:
    report = imported(store, write("a.jsonl", [{"prompt": "1+1?", "completion": ""}] * 3))

    assert (report.ok, report.read, report.rejected) == (False, 3, 3)
    assert report.sentence == "None of the 3 rows of this file can be imported."
    assert list_all(store).datasets == []


def test_several_files_answer_each_for_itself(store: Store, write: Write) -> None:
    paths = [write("a.jsonl", [_asked(1), _asked(2)]), write("b.json", "{"), write("c.csv", "prompt,answer\n2+1?,3\n")]

    reports = import_files(store, paths, "rows")

    assert isinstance(reports, ImportReports)
    assert [(one.file, one.imported, one.duplicates, one.ok) for one in reports.files] == [
        ("a.jsonl", 2, 0, True), ("b.json", 0, 0, False), ("c.csv", 0, 1, True),
    ]  # fmt: skip
    assert [one["file"] for one in reports.to_json()["files"]] == ["a.jsonl", "b.json", "c.csv"]


def test_one_file_of_another_kind_does_not_stop_the_others(store: Store, write: Write) -> None:
    paths = [write("a.jsonl", [_asked(1)]), write("b.jsonl", [{"prompt": "1+1?"}]), write("c.jsonl", [_asked(2)])]

    reports = import_files(store, paths, "rows")

    assert isinstance(reports, ImportReports)
    assert [(one.ok, one.imported) for one in reports.files] == [(True, 1), (False, 0), (True, 1)]
    assert "import it into another dataset" in str(reports.files[1].sentence)


def test_a_duplicate_is_the_same_text_whatever_its_id_and_tags(store: Store, write: Write) -> None:
    rows = [{**GOOD, "id": 1, "tags": ["x"]}, {**GOOD, "id": 2}, {"conversations": [{"from": "human", "value": "2+2?"},
            {"from": "gpt", "value": "4"}]}]  # fmt: skip

    report = imported(store, write("a.jsonl", rows))

    assert (report.imported, report.duplicates) == (1, 2)
    assert rows_of(store, "rows", "metadata", "tags") == [[{"id": 1}, ["x"]]]


def test_a_dataset_of_another_kind_is_left_alone(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [GOOD]))

    with pytest.raises(Conflict, match=r'Dataset "rows" holds sft rows and "b\.jsonl" has prompts rows'):
        imported(store, write("b.jsonl", [{"prompt": "1+1?"}]))

    assert len(rows_of(store)) == 1


@pytest.mark.parametrize(
    ("wish", "error", "message"),
    [
        ({"dataset": "no name"}, BadInput, '"no name" cannot be a name'),
        ({"dataset": ".hidden"}, BadInput, '".hidden" cannot be a name'),
        ({"kind": "chats"}, BadInput, 'not "chats"'),
        ({"mapping": {"prompt": "question", "nope": "answer"}}, BadInput, 'There is no column "nope"'),
        ({"mapping": {"prompt": "subject"}}, BadInput, '"subject" is no role for the column "prompt"'),
        ({"mapping": {"prompt": "answer"}}, BadInput, "A mapping names a column for the prompt"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_is_written(
    store: Store, write: Write, wish: dict[str, Any], error: type[Exception], message: str
) -> None:
    path = write("a.jsonl", [_asked(1)])

    with pytest.raises(error, match=message):
        import_files(store, [path], **{"dataset": "rows", **wish})

    assert list_all(store).datasets == []


def test_a_file_that_is_not_there_stops_all_files(store: Store, write: Write, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        import_files(store, [write("a.jsonl", [GOOD]), tmp_path / "b.jsonl"], "rows")

    assert list_all(store).datasets == []


def test_rows_are_seen_together_at_the_end_and_not_before(store: Store, write: Write) -> None:
    seen = []

    def watch(fraction: float, sentence: str) -> None:
        seen.append((len(list_all(store).datasets), sentence))

    imported(store, write("a.jsonl", [_asked(number) for number in range(2500)]), progress=watch)

    assert seen == [(0, f"{count:,} rows read, {count:,} new") for count in (1000, 2000, 2500)]
    assert len(rows_of(store)) == 2500


@pytest.mark.parametrize("ends", ["stop", "error"])
def test_an_import_that_ends_half_way_leaves_nothing(store: Store, write: Write, ends: str) -> None:
    def watch(fraction: float, sentence: str) -> bool:
        if ends == "error":
            raise RuntimeError("the disk is gone")
        return True

    with pytest.raises((Stopped, RuntimeError)):
        imported(store, write("a.jsonl", [_asked(number) for number in range(2500)]), progress=watch)

    assert list_all(store).datasets == []
    assert list(store.home.exports.iterdir()) == []
    assert imported(store, write("a.jsonl", [_asked(1)])).imported == 1


def test_json_that_breaks_half_way_takes_back_what_was_read_before(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [GOOD]))
    rows = json.dumps([_asked(number) for number in range(1500)])

    report = imported(store, write("b.json", rows[:-1] + ", {]"))

    assert (report.ok, report.read, report.imported) == (False, 0, 0)
    assert (report.errors[0].line, report.errors[0].column) == (1, len(rows) + 3)
    assert len(rows_of(store)) == 1


def test_an_import_can_be_undone_as_one_step(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [_asked(number) for number in range(1200)]))
    dataset = datasets.get_dataset(store, "rows")

    undone = batches.undo(store, dataset.id)

    assert undone is not None
    assert undone.detail["label"] == "imported 1,200 rows from a.jsonl"
    assert rows_of(store) == []
    assert imported(store, write("a.jsonl", [_asked(1)])).duplicates == 0


def test_two_imports_that_make_the_same_dataset_do_not_mix(store: Store, write: Write) -> None:
    other = write("b.jsonl", [{"prompt": "1+1?"}])

    def meanwhile(fraction: float, sentence: str) -> None:
        if not list_all(store).datasets:
            import_files(Store(store.home), [other], "rows")

    with pytest.raises(Conflict, match='A dataset named "rows" was made meanwhile'):
        imported(store, write("a.jsonl", [GOOD]), progress=meanwhile)

    assert [(item.dataset.kind, item.rows) for item in list_all(store).datasets] == [("prompts", 1)]


PIECES: list[Any] = [
    GOOD, {"messages": chat("Hi", "Hello")}, {"messages": []}, {"messages": None}, {}, 7, None, "text", [GOOD],
    {"messages": [{"role": "wizard", "content": "x"}]}, {"messages": chat("only a question")},
    {"messages": chat("\ud83d", "half \udc00")}, {"prompt": "1+1?", "completion": "2"}, {"text": "alone"},
    {"messages": chat("\0", "\u202eRTL")}, {"messages": [{"role": "user", "content": {"a": []}}]},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_every_record_is_imported_or_a_duplicate_or_rejected(store: Store, write: Write, seed: int) -> None:
    chance = random.Random(seed)
    lines = [json.dumps(chance.choice(PIECES)) for _ in range(chance.randint(1, 60))]
    lines = [line[: chance.randint(1, len(line))] if chance.random() < 0.2 else line for line in lines]
    lines += [line for line in lines if chance.random() < 0.3]

    report = imported(store, write("a.jsonl", "\n".join(lines)))

    assert report.read in (0, len(lines))
    if report.ok:
        assert show(store, "rows").total == report.imported
    else:
        assert list_all(store).datasets == []
    if report.rejected_file:
        assert len(Path(report.rejected_file).read_bytes().splitlines()) == report.rejected
