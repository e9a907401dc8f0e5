"""What sequences add up to, and the sentences that follow from it; no tokenizer is needed for that."""

import pytest

from trainers.counting import Counts, count, overlap, refusals, warnings
from trainers.inspection import Inspected, Piece
from trainers.preflight import longest_rows


def piece(row: str, length: int, learnt: int = 2, side: str = "", first: int = 0) -> Piece:
    """A sequence whose last `learnt` tokens are learnt; `first` makes its tokens different from others."""
    return Piece(
        row, [first * 1000 + at for at in range(length)], [at >= length - learnt for at in range(length)], side
    )


def test_tokens_are_counted_behind_the_cut() -> None:
    counts = count(Inspected([piece("a", 10, first=1), piece("b", 6, first=2)]), 8)

    assert counts == Counts(
        rows=2, tokens=14, trained=2, truncated=1, identical=0, duplicates=0, deaf=["a"], longest=10
    )


def test_a_row_in_several_pieces_is_one_row() -> None:
    counts = count(Inspected([piece("a", 4), piece("a", 6, first=1)]), 100)

    assert (counts.rows, counts.tokens, counts.trained, counts.deaf) == (1, 10, 4, [])


def test_duplicates_are_counted_once_for_each_repetition_and_pairs_by_their_better_side() -> None:
    rows = Inspected([piece("a", 4), piece("b", 4), piece("c", 4), piece("d", 4, first=1)])
    pairs = Inspected(
        [piece("a", 4, side="chosen"), piece("a", 5, side="rejected"), piece("b", 6, side="chosen"),
         piece("b", 5, side="rejected")]
    )  # fmt: skip

    assert count(rows, 100).duplicates == 2
    assert count(pairs, 100).duplicates == 0


def test_rows_to_measure_on_that_are_learnt_from_are_counted() -> None:
    learnt = Inspected([piece("a", 4), piece("b", 5)])

    assert overlap(learnt, Inspected([piece("x", 4), piece("y", 7)])) == 1


def test_too_many_rows_without_anything_to_learn_are_refused_with_the_first_row_and_the_option() -> None:
    deaf = [piece(f"long-{at}", 50, first=at) for at in range(3)]
    well = [piece(f"short-{at}", 6, first=10 + at) for at in range(7)]
    counts = count(Inspected(deaf + well), 20)

    (refusal,) = refusals(counts, 20)
    assert refusal == (
        '3 of 10 rows hold nothing to learn (the first is "long-0"); raise max_length (now 20; the longest row has 50 '
        "tokens)."
    )


def test_a_few_of_them_are_a_warning() -> None:
    rows = [piece("long", 50), *(piece(f"short-{at}", 6, first=10 + at) for at in range(9))]
    counts = count(Inspected(rows), 20)

    assert refusals(counts, 20) == []
    assert warnings(counts, 20, 0) == [
        '1 row holds nothing to learn and will be left out (the first is "long").',
        "1 of 10 rows are longer than max_length (20) and are cut; the longest has 50 tokens.",
    ]


def test_rows_without_answers_are_refused_without_blaming_the_length() -> None:
    counts = count(Inspected([piece("a", 5, learnt=0), piece("b", 5, learnt=0)]), 100)

    assert refusals(counts, 100) == [
        '2 of 2 rows hold nothing to learn (the first is "a"); write answers into them or leave them out.'
    ]


def test_pairs_that_are_all_the_same_once_cut_are_refused_and_some_are_a_warning() -> None:
    pairs = [piece(row, 30, side=side) for row in "ab" for side in ("chosen", "rejected")]
    all_same = count(Inspected(pairs, identical=2), 100)
    one_same = count(Inspected(pairs, identical=1), 100)

    assert refusals(all_same, 100)[0].startswith("All 2 pairs are the same on both sides once they are cut")
    assert refusals(one_same, 100) == []
    assert "1 of 2 pairs are the same on both sides once they are cut: they teach nothing and are left out." in (
        warnings(one_same, 100, 0)
    )


@pytest.mark.parametrize(("overlapping", "said"), [(0, 0), (3, 1)])
def test_an_overlap_is_said(overlapping: int, said: int) -> None:
    assert len(warnings(count(Inspected([piece("a", 5)]), 100), 100, overlapping)) == said


def test_prompts_that_leave_no_room_for_the_answers_of_the_run_train_on_nothing() -> None:
    prompts = Inspected([piece("short", 10, learnt=0), piece("long", 50, learnt=0)], made=30)

    assert count(prompts, 60).deaf == ["long"]


def test_nothing_at_all_is_refused() -> None:
    assert refusals(count(Inspected([]), 100), 100) == ["There is no row to train on; choose another dataset."]


def test_the_longest_rows_are_tried_and_one_of_each_label_where_there_are_labels() -> None:
    rows = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    inspected = Inspected([piece("a", 5), piece("b", 9), piece("c", 7)])
    labelled = Inspected([piece("a", 5, side="x"), piece("b", 9, side="y"), piece("c", 7, side="y")])

    assert [row["id"] for row in longest_rows(rows, inspected, 2)] == ["b", "c"]
    assert [row["id"] for row in longest_rows(rows, labelled, 4)] == ["b", "a", "c"]
