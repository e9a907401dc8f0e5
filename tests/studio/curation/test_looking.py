"""A look at a file says what an import would do, row by row, and writes nothing."""

import pytest

from studio.curation.looking import Look, look
from tests.studio.curation.files import Write

PAIR = {"prompt": "1+1?", "completion": "2"}


def _pieces(seen: Look) -> list[list[tuple[str, str]]]:
    return [[tuple(piece) for made in row.after for piece in made] for row in seen.samples]


def test_a_known_shape_is_named_counted_and_shown_before_and_after(write: Write) -> None:
    path = write("a.jsonl", [PAIR, {"prompt": "2+2?", "completion": ""}, *[PAIR] * 5])

    seen = look(path, "a.jsonl")

    assert (seen.format, seen.encoding, seen.shape, seen.kind) == ("jsonl", "utf-8", "prompt-completion", "sft")
    assert (seen.says, seen.sure, seen.problem) == ("a prompt and a completion in each row", True, None)
    assert (seen.rows, seen.exact, seen.tried, seen.bad) == (7, True, 7, 1)
    assert [tuple(piece) for piece in seen.samples[0].before] == [("prompt", "1+1?"), ("completion", "2")]
    assert _pieces(seen)[:2] == [[("user", "1+1?"), ("assistant", "2")], []]
    assert (seen.samples[1].line, seen.samples[1].error) == (
        2, {"column": "completion", "message": "The field is empty."},
    )  # fmt: skip
    assert len(seen.samples) == 5


def test_unknown_columns_are_asked_for_and_a_mapping_shows_what_it_makes(write: Write) -> None:
    path = write("fragen.csv", "frage,antwort\n1+1?,2\n")

    unknown = look(path, "fragen.csv")
    mapped = look(path, "fragen.csv", mapping={"frage": "prompt", "antwort": "answer"})

    assert (unknown.sure, unknown.kind, unknown.columns) == (False, None, ["frage", "antwort"])
    assert unknown.problem is not None and unknown.problem.startswith("Nobody knows these columns yet")
    assert (mapped.sure, mapped.kind, _pieces(mapped)) == (True, "sft", [[("user", "1+1?"), ("assistant", "2")]])


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [({"frage": "chosen"}, "A mapping names a column for the prompt"), ({"x": "prompt"}, 'There is no column "x"')],
)
def test_half_a_mapping_says_what_is_missing(write: Write, mapping: dict[str, str], sentence: str) -> None:
    seen = look(write("a.csv", "frage,antwort\n1+1?,2\n"), "a.csv", mapping=mapping)

    assert (seen.sure, seen.problem is not None and seen.problem.startswith(sentence)) == (False, True)


def test_another_encoding_changes_what_is_seen(write: Write) -> None:
    path = write("a.csv", "prompt,completion\nКак дела?,Хорошо\n".encode("cp1251"))

    right = look(path, "a.csv", encoding="cp1251")
    wrong = look(path, "a.csv", encoding="cp1252")

    assert (right.encoding, _pieces(right)) == ("cp1251", [[("user", "Как дела?"), ("assistant", "Хорошо")]])
    assert _pieces(wrong)[0][0] == ("user", "Êàê äåëà?")


def test_a_kind_that_the_rows_cannot_be_marks_every_row(write: Write) -> None:
    seen = look(write("a.jsonl", [PAIR] * 3), "a.jsonl", kind="preference")

    assert (seen.kind, seen.sure, seen.bad, seen.tried) == ("preference", False, 3, 3)


def test_a_file_that_is_no_data_says_so(write: Write) -> None:
    seen = look(write("a.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(50)), "a.jsonl")

    assert (seen.sure, seen.format, seen.samples) == (False, None, [])
    assert seen.problem is not None and "is a picture, which cannot be imported" in seen.problem


def test_a_row_that_is_broken_shows_its_text(write: Write) -> None:
    seen = look(write("a.jsonl", '{"text": "one"}\n{broken\n'), "a.jsonl")

    assert [tuple(piece) for piece in seen.samples[1].before] == [("", "{broken")]
    assert seen.samples[1].error is not None and seen.samples[1].error["column"] == 2
