"""Near duplicates: what counts as the same, what is alike, which row stays."""

import random

import pytest

from studio.curation.checks.duplicates import Item, Twin, jaccard, leaks, near_duplicates, normal, shingles

RIVER = "The river rises in the hills, flows for many miles through open fields and ends in the sea."


def twins(*texts: str) -> list[Twin]:
    return list(near_duplicates([Item(number, text) for number, text in enumerate(texts)], lambda key: texts[key]))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("What is it?", "what  is it", True),
        ("Ｗｈａｔ", "what", True),
        ("2+3", "2-3", False),
        ("Paris.", "Paris!", True),
        ("你好。", "你好", True),
    ],
)
def test_what_does_not_make_a_text_different(first: str, second: str, same: bool) -> None:
    assert (normal(first) == normal(second)) is same


def test_jaccard_by_hand() -> None:
    assert shingles("abcdefg") == {"abcde", "bcdef", "cdefg"}
    assert shingles("abc") == {"abc"}
    assert jaccard(shingles("abcdefg"), shingles("bcdefgh")) == 2 / 4
    assert jaccard(shingles("abc"), shingles("abc")) == 1.0


def test_texts_that_are_alike_name_the_first() -> None:
    assert twins(RIVER, "Something else.", RIVER.upper(), RIVER.replace("sea", "bay")) == [
        Twin(2, 0, 1.0),
        Twin(3, 0, pytest.approx(0.93, abs=0.02)),
    ]


@pytest.mark.parametrize(
    "texts",
    [("What is 12+5?", "What is 13+5?"), ("Yes", "No"), ("", ""), (RIVER, RIVER[:40]), ("  ", ".")],
)
def test_texts_that_are_not_alike(texts: tuple[str, ...]) -> None:
    assert twins(*texts) == []


def test_short_texts_that_are_the_same_are_found_too() -> None:
    assert twins("Yes.", "yes") == [Twin(1, 0, 1.0)]


def test_what_is_alike_only_through_a_reported_row_stays() -> None:
    """b is like a, c is like b but not like a: throwing b away must not take c along."""
    words = [f"word{number:03}" for number in range(100)]
    a, b, c = (" ".join(words[start : start + 60]) for start in (0, 4, 12))

    reported = [twin.key for twin in twins(a, b, c)]

    assert jaccard(shingles(normal(b)), shingles(normal(c))) < jaccard(shingles(normal(a)), shingles(normal(b)))
    assert reported == [1]


def test_only_leaks_into_the_held_out_are_told() -> None:
    held_out = [Item(1, "Which river flows through Cologne?")]
    training = [
        Item(2, "which river flows through Cologne"),
        Item(3, "Which sea is salty?"),
        Item(4, "Which sea is salty"),
    ]

    assert list(leaks(held_out, training, lambda key: held_out[0].text)) == [Twin(2, 1, 1.0)]


def test_everything_reported_is_alike_and_most_of_what_is_alike_is_reported() -> None:
    draw = random.Random(3)
    words = [f"{draw.choice('bcdfgklmnprst')}{draw.choice('aeiou')}{number}" for number in range(800)]
    texts = [" ".join(draw.choices(words, k=80)) for _ in range(400)]
    for number in range(100):
        changed = texts[number].split()
        for _ in range(draw.randint(0, 8)):
            changed[draw.randrange(80)] = draw.choice(words)
        texts.append(" ".join(changed))
    sets = [shingles(normal(text)) for text in texts]
    alike = {number for number in range(400, 500) if jaccard(sets[number], sets[number - 400]) >= 0.8}

    found = {twin.key: twin for twin in twins(*texts)}

    assert all(jaccard(sets[twin.key], sets[twin.of]) >= 0.8 for twin in found.values())
    assert len(alike) > 50
    assert len(alike & found.keys()) >= 0.95 * len(alike)
