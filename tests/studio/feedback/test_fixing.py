"""A mended answer is an example as long as its vote counts, and goes to the trash with it."""

from typing import Any

from storage.comparisons import NewComparison, Whole, add_comparison, get_comparison
from storage.datasets import create_dataset, find_dataset, get_dataset
from storage.examples import page
from storage.prompts import as_messages
from storage.queries import Query
from storage.rows import Example
from studio.feedback.ballots import Ballot, Edit
from studio.feedback.exclusions import exclude, include
from studio.feedback.fixing import MEASURES
from studio.feedback.gold import set_gold
from studio.feedback.showing import show
from studio.feedback.voting import cast, undo
from studio.people.roles import Actor
from tests.studio.feedback.conftest import MEASURING, TRAINING, Bench


def _mend(bench: Bench, whole: Whole, text: str | None, identity: str = "vote-0001", annotator: str = "ann") -> Any:
    """Vote for the left and mend it."""
    hashes = [answer.sha256 or "" for answer in show(bench.study, whole, annotator).answers]
    edited = None if text is None else Edit(0, text)
    return cast(
        bench.store, bench.study, annotator, Ballot(identity, whole.comparison.id, "left", hashes, edited=edited)
    )


def _rows(bench: Bench, status: str = "draft", name: str = "first-look-fixes") -> list[Example]:
    return page(bench.store, get_dataset(bench.store, name).id, Query(status=(status,))).examples


def _said(rows: list[Example]) -> list[str]:
    return [row.content["messages"][-1]["content"] for row in rows]


def test_a_mended_answer_becomes_an_example_that_names_no_model(bench: Bench) -> None:
    whole = bench.compare()

    _mend(bench, whole, "Two, of course.")

    (row,) = _rows(bench)
    assert row.content == {
        "messages": [
            {"role": "user", "content": TRAINING},
            {"role": "assistant", "content": "Two, of course."},
        ],
        "metadata": {"source": "study first-look", "comparison": whole.comparison.id, "vote": "vote-0001"},
    }
    assert (row.tags, row.author, row.split) == (["fix"], "ann", "train")


def test_a_vote_without_mending_makes_no_dataset(bench: Bench) -> None:
    _mend(bench, bench.compare(), None)

    assert find_dataset(bench.store, "first-look-fixes") is None


def test_the_same_vote_sent_twice_makes_one_example(bench: Bench) -> None:
    whole = bench.compare()

    _mend(bench, whole, "Two.")
    _mend(bench, whole, "Two.")

    assert _said(_rows(bench)) == ["Two."]


def test_an_undo_puts_the_example_into_the_trash(bench: Bench) -> None:
    first, second = bench.compare(prompt="one"), bench.compare(prompt="two")
    _mend(bench, first, "First.", "vote-0001")
    _mend(bench, second, "Second.", "vote-0002")

    undo(bench.store, bench.study, "ann", "undo-0001", first.comparison.id)

    assert (_said(_rows(bench)), _said(_rows(bench, "deleted"))) == (["Second."], ["First."])


def test_an_excluded_vote_takes_its_mended_answer_along_until_it_counts_again(bench: Bench) -> None:
    _mend(bench, bench.compare(), "Two, of course.")

    exclude(bench.store, "first-look", "annotator", "ann", "a robot", Actor("curator", "curator"))
    assert (_rows(bench), _said(_rows(bench, "deleted"))) == ([], ["Two, of course."])

    include(bench.store, "first-look", "annotator", "ann", Actor("curator", "curator"))
    assert _said(_rows(bench)) == ["Two, of course."]


def test_a_mended_answer_to_what_is_known_does_not_train(bench: Bench) -> None:
    whole = bench.compare()
    _mend(bench, whole, "Two, of course.")

    set_gold(bench.store, bench.study, whole.comparison.id, {"choice": "a"}, None, Actor("curator", "curator"))

    assert _rows(bench) == []


def test_another_text_replaces_the_first_and_the_same_text_stays(bench: Bench) -> None:
    whole = bench.compare()
    _mend(bench, whole, "First.", "vote-0001")
    (row,) = _rows(bench)

    _mend(bench, whole, "First.", "vote-0002")
    assert [one.id for one in _rows(bench)] == [row.id]

    _mend(bench, whole, "Second.", "vote-0003")
    assert (_said(_rows(bench)), _said(_rows(bench, "deleted"))) == (["Second."], ["First."])

    _mend(bench, whole, None, "vote-0004")
    assert (_rows(bench), _said(_rows(bench, "deleted"))) == ([], ["First.", "Second."])


def test_what_a_crash_left_out_is_made_good_by_the_vote_sent_again(bench: Bench) -> None:
    whole = bench.compare()
    _mend(bench, whole, "Two.")
    bench.store.execute("delete from saved")  # as if the process had ended before it was written
    bench.store.execute("update examples set status = 'erased'")

    _mend(bench, whole, "Two.")

    assert _said(_rows(bench)) == ["Two."]


def test_an_undo_that_was_cut_short_is_made_good_when_it_is_sent_again(bench: Bench) -> None:
    whole = bench.compare()
    _mend(bench, whole, "Two.")
    undo(bench.store, bench.study, "ann", "undo-0001", whole.comparison.id)
    bench.store.execute("update saved set trashed_at = null")
    bench.store.execute("update examples set status = 'draft'")

    undo(bench.store, bench.study, "ann", "undo-0001", whole.comparison.id)

    assert (_rows(bench), _said(_rows(bench, "deleted"))) == ([], ["Two."])


def test_an_example_that_somebody_deleted_does_not_come_back(bench: Bench) -> None:
    from studio.curation.editing import delete

    first, second = bench.compare(prompt="one"), bench.compare(prompt="two")
    _mend(bench, first, "First.", "vote-0001")
    delete(bench.store, "first-look-fixes", [_rows(bench)[0].id])

    _mend(bench, second, "Second.", "vote-0002")

    assert _said(_rows(bench)) == ["Second."]


def test_a_prompt_that_measures_does_not_train(bench: Bench) -> None:
    _mend(bench, bench.compare(prompt=MEASURING), "Fourteen.")

    (row,) = _rows(bench, "rejected")
    assert (row.split, row.reason, _rows(bench)) == ("measure", MEASURES, [])


def test_a_dataset_of_another_kind_is_left_alone(bench: Bench) -> None:
    create_dataset(bench.store, "first-look-fixes", "text")

    _mend(bench, bench.compare(), "Two.")

    assert _said(_rows(bench, name="first-look-fixes-2")) == ["Two."]


def test_a_conversation_is_kept_whole(bench: Bench) -> None:
    contestants = [(model.id, model.name) for model in bench.models]
    histories = [
        [{"role": "assistant", "content": f"{side}, one"}, {"role": "user", "content": "And then?"}] for side in "ab"
    ]
    new = NewComparison(as_messages("Count to three."), contestants, texts=["a, two", "b, two"], histories=histories)
    whole = get_comparison(bench.store, add_comparison(bench.store, bench.study, new).id)
    side = "ab"[show(bench.study, whole, "ann").order[0]]

    _mend(bench, whole, "Three.")

    assert [turn["content"] for turn in _rows(bench)[0].content["messages"]] == [
        "Count to three.", f"{side}, one", "And then?", "Three.",
    ]  # fmt: skip
