"""Short views are short whatever the row, and show what was searched for as the index finds it."""

import pytest

from storage.store import Store
from studio.curation.listing import show
from studio.curation.searching import LENGTH, shortened, summary, words_of
from tests.studio.curation.files import Write, chat, imported


def _marked(store: Store, search: str) -> list[list[str]]:
    return [
        [text for line in summary(row, search)["lines"] for text, hit in line["segments"] if hit]
        for row in show(store, "rows", search=search).rows
    ]


@pytest.mark.parametrize(
    ("search", "marked"),
    [("clip", [["Clips"]]), ("CAFÉ", [["cafés"]]), ("cafe", [["cafés"]]), ("don't", [["don't"]]), ("clip cafe", []),
     ("ips", []), ("日本", [["日本語"]]), ('"clip*', []), ("OR", []), ("", [[], [], [], []])],
)  # fmt: skip
def test_what_is_found_is_marked(store: Store, write: Write, search: str, marked: list[list[str]]) -> None:
    imported(store, write("a.jsonl", [{"prompt": said, "completion": "x"} for said in
                                      ("Natalia sold Clips", "two cafés", "I don't know", "日本語 text")]))  # fmt: skip

    found = _marked(store, search)

    assert found in (marked, [["don", "t"]] if search == "don't" else marked)


def test_a_word_in_a_turn_between_is_shown(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [{"messages": chat("one", "two", "three needles", "four")}]))

    lines = summary(show(store, "rows").rows[0], "needle")["lines"]

    assert [(line["label"], "".join(text for text, _ in line["segments"])) for line in lines] == [
        ("user", "one"), ("assistant", "four"), ("user", "three needles"),
    ]  # fmt: skip


def test_a_huge_row_gives_a_short_view_around_the_word() -> None:
    segments = shortened("x " * 50_000 + "needle" + " y" * 50_000, words_of("needle"))

    assert [text for text, hit in segments if hit] == ["needle"]
    assert sum(len(text) for text, _ in segments) <= LENGTH + 4
    assert (segments[0][0][:2], segments[-1][0][-1]) == ("… ", "…")


def test_a_preference_shows_prompt_and_both_answers(store: Store, write: Write) -> None:
    imported(store, write("a.jsonl", [{"prompt": "2+2?", "chosen": "4", "rejected": "5", "tags": ["t"]}]))

    view = summary(show(store, "rows").rows[0])

    assert (view["number"], view["tags"], view["turns"]) == (1, ["t"], 1)
    assert view["lines"] == [
        {"label": label, "segments": [(text, False)]} for label, text in
        (("prompt", "2+2?"), ("chosen", "4"), ("rejected", "5"))
    ]  # fmt: skip
