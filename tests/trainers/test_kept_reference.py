"""What the reference has said is asked once, and goes along with checkpoints to the last bit."""

from pathlib import Path

from trainers.kept_reference import KeptReference


def test_rows_are_known_once_they_all_have_come() -> None:
    kept = KeptReference()
    kept.keep([4, 2], [(-1.5, -2.5), (-3.0, -4.0)])

    assert kept.of([2, 4]) == [(-3.0, -4.0), (-1.5, -2.5)]
    assert kept.of([2, 3]) is None
    assert len(kept) == 2


def test_what_was_said_first_stays() -> None:
    kept = KeptReference()
    kept.keep([1], [(-1.0,)])
    kept.keep([1, 2], [(-1.0000001,), (-2.0,)])

    assert kept.of([1, 2]) == [(-1.0,), (-2.0,)]


def test_a_checkpoint_gives_back_the_very_same_numbers(tmp_path: Path) -> None:
    kept, again = KeptReference(), KeptReference()
    kept.keep([7, 8], [(-0.1 - 2**-40, -1e30), (-3.337e-12, 0.0)])

    kept.save(tmp_path)
    again.load(tmp_path)

    assert again.of([7, 8]) == kept.of([7, 8])


def test_a_checkpoint_that_knows_nothing_is_no_obstacle(tmp_path: Path) -> None:
    kept = KeptReference()
    kept.load(tmp_path)

    assert len(kept) == 0
