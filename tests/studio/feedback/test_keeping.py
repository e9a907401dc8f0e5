"""An answer is kept as an example with one key: once, by those who may edit data, without a model's name."""

import json

import pytest

from storage.comparisons import NewComparison, add_comparison, get_comparison
from storage.datasets import count_examples, create_dataset, find_dataset, get_dataset
from storage.errors import BadInput, Conflict, Forbidden, NotReady
from storage.examples import page
from storage.prompts import as_messages
from storage.queries import Query
from storage.rows import FROZEN
from studio.curation.editing import delete
from studio.feedback.fixing import MEASURES
from studio.feedback.keeping import keep
from studio.feedback.showing import show
from studio.people.roles import Actor
from tests.studio.feedback.conftest import MEASURING, TRAINING, Bench

CURATOR = Actor("ann", "curator")


def test_an_answer_is_kept_once_and_names_no_model(bench: Bench) -> None:
    whole = bench.compare()
    shown = show(bench.study, whole, "ann")

    first = keep(bench.store, CURATOR, "first-look", shown, 1, "liked")
    again = keep(bench.store, CURATOR, "first-look", shown, 1, "liked")

    assert (first.dataset, first.new, again.new, again.example.id) == ("liked", True, False, first.example.id)
    (row,) = page(bench.store, get_dataset(bench.store, "liked").id, Query()).examples
    assert row.content == {
        "messages": [
            {"role": "user", "content": TRAINING},
            {"role": "assistant", "content": shown.answers[1].text},
        ],
        "metadata": {"source": "study first-look", "comparison": whole.comparison.id},
    }
    assert [model.name for model in bench.models if model.name in json.dumps(row.content)] == []


def test_what_was_deleted_is_kept_anew(bench: Bench) -> None:
    shown = show(bench.study, bench.compare(), "ann")
    first = keep(bench.store, CURATOR, "first-look", shown, 0, "liked")
    delete(bench.store, "liked", [first.example.id])

    assert keep(bench.store, CURATOR, "first-look", shown, 0, "liked").new is True


def test_an_answer_to_a_prompt_that_measures_is_kept_and_does_not_train(bench: Bench) -> None:
    create_dataset(bench.store, "liked", "sft")
    shown = show(bench.study, bench.compare(prompt=MEASURING), "ann")

    first, again = (keep(bench.store, CURATOR, "first-look", shown, 0, "liked") for _ in range(2))

    assert (first.example.status, first.example.reason) == ("rejected", MEASURES)
    assert (first.note, again.note, again.new, again.example.id) == (MEASURES, MEASURES, False, first.example.id)
    assert count_examples(bench.store, get_dataset(bench.store, "liked").id, FROZEN) == 0


def test_a_conversation_that_measures_at_its_beginning_does_not_train_at_its_end(bench: Bench) -> None:
    turns = [*as_messages(MEASURING), {"role": "assistant", "content": "14"}, {"role": "user", "content": "Sure?"}]
    contestants = [(model.id, model.name) for model in bench.models]
    new = NewComparison(turns, contestants, texts=["yes", "no"], split="measure")
    shown = show(bench.study, get_comparison(bench.store, add_comparison(bench.store, bench.study, new).id), "ann")

    assert keep(bench.store, CURATOR, "first-look", shown, 0, "liked").example.status == "rejected"


def test_both_sides_and_several_datasets_are_different_examples(bench: Bench) -> None:
    shown = show(bench.study, bench.compare(), "ann")

    kept = [
        keep(bench.store, CURATOR, "first-look", shown, side, name) for side in (0, 1) for name in ("liked", "other")
    ]

    assert len({one.example.id for one in kept}) == 4


@pytest.mark.parametrize("role", ["annotator", "trainer"])
def test_who_may_not_edit_data_keeps_nothing(bench: Bench, role: str) -> None:
    shown = show(bench.study, bench.compare(), "ann")

    with pytest.raises(Forbidden, match="may not edit data"):
        keep(bench.store, Actor("ann", role), "first-look", shown, 0, "liked")

    assert find_dataset(bench.store, "liked") is None


def test_what_cannot_be_kept_is_refused(bench: Bench) -> None:
    shown = show(bench.study, bench.compare(), "ann")
    create_dataset(bench.store, "pairs", "preference")
    unwritten = shown._replace(answers=[answer.__class__(**{**vars(answer), "text": None}) for answer in shown.answers])

    with pytest.raises(BadInput, match="There is no answer 2 to keep"):
        keep(bench.store, CURATOR, "first-look", shown, 2, "liked")
    with pytest.raises(NotReady, match="not complete yet"):
        keep(bench.store, CURATOR, "first-look", unwritten, 0, "liked")
    with pytest.raises(Conflict, match='Dataset "pairs" holds preference rows'):
        keep(bench.store, CURATOR, "first-look", shown, 0, "pairs")
