"""Demos are made by those who run studies, known by their link's hash alone, and closed at once."""

import pytest

from storage import demos, promotions
from storage.errors import BadInput, Conflict, Forbidden, NotFound, NotReady, Refused
from storage.models import add_model, get_model, set_retired
from storage.promotions import NewPromotion
from storage.store import Store
from studio.demos import making
from studio.people.roles import Actor
from studio.training import model_keeping
from tests.studio.demos.conftest import NAMES, OWNER, Stage


def test_a_link_leads_to_its_demo_until_it_is_closed_and_stands_nowhere(store: Store) -> None:
    made = making.make(store, OWNER, "fair", (), {"title": "Try it"})
    assert made.path == f"/demo/{made.token}"
    assert making.demo_of(store, made.token) == made.demo
    assert made.token not in str(making.listed(store, OWNER))
    assert made.token not in str(store.rows("select * from demos"))

    closed = making.close(store, OWNER, "fair")

    assert closed.closed_at is not None
    for token in (made.token, "wrong", "", "x" * 5000, "\ud800"):
        with pytest.raises(NotFound, match="There is no demo at this address, or it has been closed"):
            making.demo_of(store, token)


def test_what_is_listed_says_who_answers_and_how_many_votes_wait(stage: Stage) -> None:
    stage.demo("fair", title="Try it")
    stage.demo("second", models=())

    second, first = making.listed(stage.store, OWNER)

    assert (second["name"], second["models"], second["votes"]["pending"]) == ("second", [], 0)
    assert (first["name"], first["models"], first["terms"]["title"]) == ("fair", list(NAMES), "Try it")
    assert (first["study"], first["closed_at"], first["decided"]) == (None, None, None)


def test_without_models_whoever_is_champion_answers(stage: Stage) -> None:
    demo = stage.demo(models=())
    with pytest.raises(NotReady, match="Nobody answers here"):
        making.answering(stage.store, demo)

    for name in NAMES:
        new = NewPromotion("overruled", get_model(stage.store, name).id, None, "a test", "owner")
        promotions.add(stage.store, new)
        assert [model.name for model in making.answering(stage.store, demo)] == [name]


def test_a_model_that_was_put_away_answers_no_more(stage: Stage) -> None:
    demo = stage.demo()

    set_retired(stage.store, get_model(stage.store, NAMES[0]), True)

    assert [model.name for model in making.answering(stage.store, demo)] == [NAMES[1]]


def test_a_model_that_an_open_demo_shows_is_neither_put_away_nor_deleted(stage: Stage) -> None:
    stage.demo("fair")
    for act in (model_keeping.archive, model_keeping.delete):
        with pytest.raises(Refused, match="the demo fair shows it; close the demo first"):
            act(stage.store, OWNER, NAMES[0])

    making.close(stage.store, OWNER, "fair")

    assert model_keeping.archive(stage.store, OWNER, NAMES[0]).retired_at is not None


def test_demos_are_made_by_those_who_run_studies_with_a_free_name_and_models_that_answer(stage: Stage) -> None:
    store = stage.store
    stage.demo("fair")
    add_model(store, "judge", "reward", path="/nowhere")

    with pytest.raises(Conflict, match='a demo "fair" already'):
        stage.demo("fair")
    with pytest.raises(BadInput, match="cannot be a name"):
        stage.demo("a/b")
    with pytest.raises(BadInput, match='"judge" judges answers and gives none'):
        stage.demo("x", models=("judge",))
    with pytest.raises(BadInput, match="each model once"):
        stage.demo("x", models=(NAMES[0], NAMES[0]))
    with pytest.raises(NotFound, match='no model "absent"'):
        stage.demo("x", models=("absent",))
    with pytest.raises(Forbidden):
        making.make(store, Actor("tr", "trainer"), "x")
    with pytest.raises(Forbidden):
        making.listed(store, Actor("ann", "annotator"))
    with pytest.raises(NotFound, match='no demo "x"; there are: fair'):
        making.close(store, OWNER, "x")
    assert [demo.name for demo in demos.list_demos(store)] == ["fair"]
