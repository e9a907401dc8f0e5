from pathlib import Path

import pytest

from storage.home import Home
from storage.models import add_model
from storage.scores import Said, Subject, judges_of, keep, known
from storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(Home(tmp_path / "home"))
    for name in ("judge", "other"):
        add_model(store, name, "reward", id=name, path="/nowhere")
    return store


def test_a_score_belongs_to_the_text_that_was_read(store: Store) -> None:
    read, changed = Subject("1-1", "a" * 64), Subject("1-1", "b" * 64)

    assert keep(store, "judge", "example", [Said(read, 0.5)]) == 1

    assert known(store, "judge", "example", [read, changed]) == {read: Said(read, 0.5)}
    assert known(store, "judge", "answer", [read]) == {}
    assert known(store, "other", "example", [read]) == {}


def test_what_is_said_again_takes_the_place_of_what_was_said(store: Store) -> None:
    subject = Subject("1-1", "a" * 64)
    keep(store, "judge", "example", [Said(subject, 0.5)])

    keep(store, "judge", "example", [Said(subject, 0.75, "good")])

    assert known(store, "judge", "example", [subject]) == {subject: Said(subject, 0.75, "good")}
    assert store.value("select count(*) from scores") == 1


def test_many_subjects_are_found_and_their_judges_named(store: Store) -> None:
    subjects = [Subject(f"1-{at}", f"{at:064d}") for at in range(1200)]
    keep(store, "judge", "answer", (Said(subject, float(at)) for at, subject in enumerate(subjects)))
    keep(store, "other", "answer", [Said(subjects[-1], 1.0)])

    assert len(known(store, "judge", "answer", subjects)) == 1200
    assert judges_of(store, "answer", [subject.id for subject in subjects]) == {"judge", "other"}
    assert judges_of(store, "answer", ["1-0"]) == {"judge"}
    assert judges_of(store, "answer", []) == set()
