"""Two models are set against each other: in the study that does so already, or in a new one."""

import pytest

from storage.comparisons import create_study, get_study, list_studies, set_state
from storage.errors import BadInput, Forbidden, NotFound, Refused
from storage.models import add_model, get_model, set_retired
from storage.store import Store
from studio.feedback.pairing import pair, usual_prompts
from studio.people.roles import Actor
from tests.studio.training.project import add_dataset, prompt

ADA, TIM = Actor("ada", "curator"), Actor("tim", "trainer")


@pytest.fixture
def place(store: Store) -> Store:
    """Three models and two datasets of prompts."""
    for name in ("otter", "walrus", "heron"):
        add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name)
    for name in ("questions", "riddles"):
        add_dataset(store, name, "prompts", [{"prompt": prompt(name)}])
    return store


def _names(store: Store) -> list[str]:
    return [study.name for study in reversed(list_studies(store))]


def test_a_study_of_two_is_made_once_whichever_comes_first(place: Store) -> None:
    first = pair(place, ADA, "otter", "walrus")
    second = pair(place, ADA, "walrus", "otter")

    assert (first.study.name, first.made) == ("otter-vs-walrus", True)
    assert (second.study.id, second.made) == (first.study.id, False)
    assert first.study.models == [get_model(place, "otter").id, get_model(place, "walrus").id]


def test_other_prompts_are_another_study_and_so_are_closed_ones(place: Store) -> None:
    first = pair(place, ADA, "otter", "walrus", "questions").study
    second = pair(place, ADA, "otter", "walrus", "riddles").study
    set_state(place, first.id, "closed")

    third = pair(place, ADA, "otter", "walrus", "questions").study

    assert _names(place) == ["otter-vs-walrus", "otter-vs-walrus-2", "otter-vs-walrus-3"]
    assert [one.prompts_id for one in (first, second, third)] == [first.prompts_id, second.prompts_id, first.prompts_id]
    assert first.prompts_id != second.prompts_id


def test_a_study_with_others_or_with_system_prompts_is_not_theirs(place: Store) -> None:
    three = [get_model(place, name) for name in ("otter", "walrus", "heron")]
    create_study(place, "three", three, None)
    create_study(place, "told", three[:2], None, {"contestants": [{"name": "o", "model": three[0].id}]})

    assert pair(place, ADA, "otter", "walrus").made


def test_who_may_make_no_study_is_led_to_the_one_that_stands(place: Store) -> None:
    with pytest.raises(Forbidden):
        pair(place, TIM, "otter", "walrus")
    assert _names(place) == []
    pair(place, ADA, "otter", "walrus")

    assert pair(place, TIM, "otter", "walrus").study.name == "otter-vs-walrus"


def test_what_cannot_be_compared_is_refused_with_a_sentence(place: Store) -> None:
    add_model(place, "judge", "reward", path="/nowhere")
    set_retired(place, get_model(place, "heron"), True)

    with pytest.raises(BadInput, match="compared with another model"):
        pair(place, ADA, "otter", "otter")
    with pytest.raises(Refused, match="judges answers and gives none"):
        pair(place, ADA, "otter", "judge")
    with pytest.raises(Refused, match="was put away"):
        pair(place, ADA, "otter", "heron")
    with pytest.raises(NotFound):
        pair(place, ADA, "otter", "nobody")
    assert _names(place) == []


def test_the_usual_prompts_are_those_of_the_newest_study(place: Store) -> None:
    assert usual_prompts(place) == "questions"
    add_dataset(place, "starter-prompts", "prompts", [{"prompt": prompt("s")}])
    assert usual_prompts(place) == "starter-prompts"

    pair(place, ADA, "otter", "walrus", "riddles")

    assert usual_prompts(place) == "riddles"


def test_without_prompts_it_says_where_they_come_from(store: Store) -> None:
    for name in ("otter", "walrus"):
        add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name)

    with pytest.raises(BadInput, match="import or write some on the page Data"):
        pair(store, ADA, "otter", "walrus")


def test_long_names_make_a_name_that_can_be(place: Store) -> None:
    for letter in "ab":
        add_model(place, letter * 64, "endpoint", url="http://127.0.0.1:9/v1", remote_name=letter)

    made = pair(place, ADA, "a" * 64, "b" * 64).study

    assert made.name == f"{'a' * 28}-vs-{'b' * 28}"
    assert get_study(place, made.name).id == made.id
