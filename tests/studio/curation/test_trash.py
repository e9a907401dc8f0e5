"""Erasing takes the packs of trainings along, names the models that learnt, and never runs beside a training."""

import pytest

from storage import datasets, jobs, versions
from storage.errors import BadInput, Refused
from storage.models import add_model
from storage.queries import Query
from storage.store import Store
from studio.curation import editing, trash
from studio.curation.listing import show
from tests.studio.curation.files import Write, imported


@pytest.fixture
def trained(store: Store, write: Write) -> list[str]:
    """Four conversations, frozen, with a job that waits to train on them; the ids of the rows."""
    imported(store, write("a.jsonl", [{"prompt": f"I am Person{n}", "completion": "Hello."} for n in range(4)]))
    version = versions.freeze(store, datasets.get_dataset(store, "rows"))
    base = add_model(store, "base", "base", path="/nowhere")
    jobs.enqueue(store, jobs.NewJob("j1", "mine", "sft", base.id, {}, version.id))
    store.home.run("j1").mkdir(parents=True)
    (store.home.run("j1") / "data.parquet").write_bytes(b"PAR1 Person0")
    return [row.id for row in show(store, "rows").rows]


def _end(store: Store) -> None:
    """The job is done and has made a model."""
    base = store.value("select id from models where name = 'base'")
    model = add_model(store, "learnt", "adapter", base_id=base, parent_id=base)
    store.execute("update jobs set status = 'done', model_id = ? where id = 'j1'", [model.id])


def _home_holds(store: Store, text: str) -> list[str]:
    return [
        path.name
        for path in sorted(store.home.path.rglob("*"))
        if path.is_file() and text.lower().encode() in path.read_bytes().lower()
    ]


def test_what_is_erased_is_in_no_file_of_the_home(store: Store, trained: list[str]) -> None:
    _end(store)
    editing.delete(store, "rows", trained[:1])

    told = trash.reach(store, "rows", Query(status=["deleted"]))
    done = trash.erase(store, "rows", Query(status=["deleted"]), " ERASE ")

    assert told == done
    assert {key: told[key] for key in ("rows", "versions", "jobs", "models", "runs")} == {
        "rows": 1, "versions": [1], "jobs": [1], "models": ["learnt"], "runs": 1,
    }  # fmt: skip
    assert _home_holds(store, "Person0") == []
    assert show(store, "rows").total == 3


def test_one_passage_is_masked_and_the_row_stays(store: Store, trained: list[str]) -> None:
    _end(store)

    trash.erase(store, "rows", trained[1:2], "erase", "Person1")

    assert _home_holds(store, "Person1") == []
    assert show(store, "rows").rows[1].content["messages"][0]["content"] == "I am [erased]"
    assert show(store, "rows").total == 4


def test_while_a_training_may_read_the_rows_nothing_is_erased(store: Store, trained: list[str]) -> None:
    with pytest.raises(Refused, match="Job 1 is queued on these rows; stop it, or wait"):
        trash.erase(store, "rows", trained, "erase")

    assert show(store, "rows").total == 4
    assert (store.home.run("j1") / "data.parquet").exists()


@pytest.mark.parametrize(("word", "passage"), [("yes", None), ("", None), ("erase", "  ")])
def test_without_the_word_or_a_passage_nothing_is_erased(
    store: Store, trained: list[str], word: str, passage: str | None
) -> None:
    _end(store)

    with pytest.raises(BadInput):
        trash.erase(store, "rows", trained, word, passage)

    assert show(store, "rows").total == 4
    assert (store.home.run("j1") / "data.parquet").exists()
