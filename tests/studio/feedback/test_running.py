"""A study is made, listed, changed, closed and opened; what votes rest on stays, and strangers may not."""

from typing import Any

import pytest

from storage.batches import open_batch, publish
from storage.comparisons import get_study
from storage.datasets import create_dataset
from storage.errors import BadInput, Conflict, Forbidden
from storage.examples import Draft, add_examples
from storage.models import add_model
from storage.store import Store
from studio.feedback import running
from studio.feedback.guidelines import versions_of, write_guidelines
from studio.feedback.running import Wish
from studio.feedback.study_settings import settings_of
from studio.people.roles import Actor
from tests.studio.feedback.conftest import Bench

ADA = Actor("ada", "curator")
BOB = Actor("bob", "annotator")


@pytest.fixture
def place(store: Store) -> Store:
    """A store with one model, prompts and a preference."""
    add_model(store, "nimble-otter", "endpoint", url="http://127.0.0.1:9/v1", remote_name="o")
    for name, kind, content in (
        ("questions", "prompts", {"prompt": [{"role": "user", "content": "Open?"}]}),
        ("judged", "preference", {"prompt": [{"role": "user", "content": "Open?"}],
                                  "chosen": [{"role": "assistant", "content": "Yes."}],
                                  "rejected": [{"role": "assistant", "content": "No."}]}),
    ):  # fmt: skip
        dataset = create_dataset(store, name, kind)
        batch = open_batch(store, dataset.id, "import", "me")
        add_examples(store, batch, [Draft(content, name)])
        publish(store, batch)
    return store


def _states(store: Store) -> list[str]:
    return [row["state"] for row in store.rows("select state from comparisons order by number")]


def test_a_study_of_contestants_is_made_with_its_guidelines(place: Store) -> None:
    contestants = [{"model": "nimble-otter", "system": "Be brief."}, {"model": "nimble-otter"}]
    settings = {"overlap": 3, "people": ["bob"]}

    running.make(place, ADA, Wish("two", (), contestants, "questions", None, settings, 4, "# Look at facts"))

    found = running.described(place, "two")
    assert [(one["name"], one["model"], one["system"]) for one in found["contestants"]] == [
        ("nimble-otter +system", "nimble-otter", "Be brief."), ("nimble-otter", "nimble-otter", None),
    ]  # fmt: skip
    assert (found["settings"]["overlap"], found["settings"]["people"], found["prompts"]) == (3, ("bob",), "questions")
    assert (found["coming"], found["filled"], found["wanted"]) == (4, 0, 0)
    assert (found["guidelines"]["number"], found["guidelines"]["text"]) == (1, "# Look at facts")
    assert "contestants" not in found["settings"]


def test_the_list_says_how_far_each_study_is(bench: Bench) -> None:
    first, second = bench.compare("one"), bench.compare("two")
    bench.vote(first, "a")
    bench.vote(first, "b", "bob")
    bench.vote(second, "skip")
    running.change(bench.store, ADA, bench.study.name, {"overlap": 2})

    (found,) = running.listed(bench.store)["studies"]

    assert (found["filled"], found["wanted"], found["votes"]) == (2, 4, 2)
    assert found["people"] == [{"name": "ann", "votes": 1}, {"name": "bob", "votes": 1}]
    assert found["names"] == ["nimble-otter", "grand-walrus"]


def test_a_study_of_standing_answers_needs_no_contestant(place: Store) -> None:
    running.make(place, ADA, Wish("old", answers="judged"))

    found = running.described(place, "old")
    assert (found["answers"], found["contestants"], found["wanted"], found["judgeable"]) == ("judged", [], 1, True)
    with pytest.raises(BadInput, match="need no models"):
        running.make(place, ADA, Wish("older", ["nimble-otter"], answers="judged"))


@pytest.mark.parametrize(
    ("wish", "error", "sentence"),
    [
        (Wish("x", ["nimble-otter", "nimble-otter"]), BadInput, "name one of the two"),
        (
            Wish("x", ["nimble-otter", "nimble-otter"], prompts="questions", answers="judged"),
            BadInput,
            "one of the two",
        ),
        (Wish("x", ["nimble-otter"], prompts="questions"), BadInput, "needs two models"),
        (Wish("old", ["nimble-otter"] * 2, prompts="questions"), Conflict, "exists already"),
        (Wish("x", ["nimble-otter"] * 2, prompts="questions", settings={"layot": "rank"}), BadInput, "no setting"),
        (Wish("x/y", ["nimble-otter"] * 2, prompts="questions"), BadInput, "name"),
    ],
)
def test_a_study_that_cannot_be_is_refused_and_nothing_is_made(
    place: Store, wish: Wish, error: type[Exception], sentence: str
) -> None:
    running.make(place, ADA, Wish("old", answers="judged"))

    with pytest.raises(error, match=sentence):
        running.make(place, ADA, wish)
    assert [one["name"] for one in running.listed(place)["studies"]] == ["old"]


def test_a_change_gives_back_what_it_replaced_and_is_undone_by_that(bench: Bench) -> None:
    bench.vote(bench.compare(), "a")

    before = running.change(bench.store, ADA, bench.study.name, {"overlap": 4, "chips": ["wrong"]})

    assert before == {"overlap": 1, "chips": ()}
    assert settings_of(get_study(bench.store, bench.study.id)).chips == ("wrong",)
    running.change(bench.store, ADA, bench.study.name, before)
    assert settings_of(get_study(bench.store, bench.study.id)) == settings_of(bench.study)


def test_another_layout_before_the_first_vote_asks_anew(bench: Bench) -> None:
    bench.compare()

    before = running.change(bench.store, ADA, bench.study.name, {"layout": "rate"})

    assert before == {"layout": "pair", "sides": 2}
    assert _states(bench.store) == ["retired"]
    assert settings_of(get_study(bench.store, bench.study.id)).sides == 1


def test_another_layout_after_a_vote_is_refused_but_turns_are_pairs(bench: Bench) -> None:
    bench.vote(bench.compare(), "a")

    with pytest.raises(Conflict, match="1 vote was given"):
        running.change(bench.store, ADA, bench.study.name, {"layout": "rank"})
    running.change(bench.store, ADA, bench.study.name, {"layout": "turns"})

    assert _states(bench.store) == ["ready"]
    assert settings_of(get_study(bench.store, bench.study.id)).layout == "turns"


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"contestants": []}, Conflict, "stay as they are"),
        ({"overlap": 0}, BadInput, "lies between 1 and 100"),
        ({"colour": "red"}, BadInput, 'no setting "colour"'),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    bench: Bench, changes: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        running.change(bench.store, ADA, bench.study.name, changes)
    assert get_study(bench.store, bench.study.id) == bench.study


def test_a_study_is_closed_and_opened(bench: Bench) -> None:
    assert running.close(bench.store, ADA, bench.study.name).state == "closed"
    assert running.open_again(bench.store, ADA, bench.study.name).state == "open"


def test_an_annotator_may_not_run_a_study(bench: Bench) -> None:
    name = bench.study.name
    for act in (
        lambda: running.make(bench.store, BOB, Wish("x", answers="y")),
        lambda: running.change(bench.store, BOB, name, {"overlap": 2}),
        lambda: running.close(bench.store, BOB, name),
        lambda: running.open_again(bench.store, BOB, name),
        lambda: write_guidelines(bench.store, BOB, name, "mine"),
    ):
        with pytest.raises(Forbidden):
            act()
    assert (get_study(bench.store, name), versions_of(bench.store, name)) == (bench.study, [])


def test_guidelines_have_versions_and_the_same_text_makes_none(bench: Bench) -> None:
    name = bench.study.name
    write_guidelines(bench.store, ADA, name, "Look at facts.")
    write_guidelines(bench.store, ADA, name, " Look at facts.\n")
    write_guidelines(bench.store, ADA, name, "Look at tone.")

    found = [(one.number, one.text, one.author) for one in versions_of(bench.store, name)]
    assert found == [(2, "Look at tone.", "ada"), (1, "Look at facts.", "ada")]
    with pytest.raises(BadInput, match="is the most"):
        write_guidelines(bench.store, ADA, name, "x" * 20_001)


def test_comparisons_are_found_by_their_prompt_page_by_page(bench: Bench) -> None:
    for number in range(3):
        bench.compare(f"Größe {number}?", ("yes", "no"))
    bench.compare("Other?")

    first = running.comparisons(bench.store, bench.study.name, "größe", limit=2)
    second = running.comparisons(bench.store, bench.study.name, "größe", after=first["next"], limit=2)

    assert [one["prompt"][0]["content"] for one in first["comparisons"]] == ["Größe 0?", "Größe 1?"]
    assert ([one["number"] for one in second["comparisons"]], second["next"]) == ([3], None)
    assert first["comparisons"][0]["answers"] == [
        {"contestant": "nimble-otter", "text": "yes"}, {"contestant": "grand-walrus", "text": "no"},
    ]  # fmt: skip
