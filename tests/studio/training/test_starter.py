"""A new home is ready at once, a second start changes nothing, and two first starts do the work once."""

import dataclasses
import json
import threading
from pathlib import Path

import pytest

from storage import datasets, models, rounds
from storage.comparisons import get_study
from storage.errors import NotReady
from storage.store import Store
from studio.settings import Settings
from studio.training.starter import ensure_starter
from tests.studio.training.project import conversation, write_base


@pytest.fixture
def packaged(home_settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose static folder carries a small starter."""
    folder = tmp_path / "static" / "starter"
    write_base(folder / "model")
    rows = [json.dumps(conversation(f"q{n}", f"a{n}")) for n in range(30)]
    (folder / "starter.jsonl").write_text("\n".join(rows) + "\n")
    asked = [json.dumps({"prompt": f"question {n}"}) for n in range(12)]
    (folder / "starter-prompts.jsonl").write_text("\n".join(asked) + "\n")
    return dataclasses.replace(home_settings, static=tmp_path / "static")


def _counts(store: Store) -> dict[str, int]:
    return {count.dataset.name: count.rows for count in datasets.list_datasets(store)}


def test_a_new_home_gets_model_data_a_study_and_its_first_round(store: Store, packaged: Settings) -> None:
    starter = ensure_starter(store, packaged)

    assert starter.made
    assert starter.model.path == str(store.home.model("starter"))
    assert (store.home.model("starter") / "model.safetensors").is_file()
    assert _counts(store) == {"starter": 30, "starter-prompts": 12}
    assert [dataset.dataset.kind for dataset in datasets.list_datasets(store)] == ["sft", "prompts"]
    assert get_study(store, "first-look").models == [starter.model.id, starter.model.id]
    assert [(turn.number, turn.parent_id) for turn in rounds.list_rounds(store)] == [(1, starter.model.id)]


def test_a_second_start_changes_nothing(store: Store, packaged: Settings) -> None:
    ensure_starter(store, packaged)
    before = (store.home.database.stat().st_mtime_ns, _counts(store))

    assert not ensure_starter(store, packaged).made
    assert (store.home.database.stat().st_mtime_ns, _counts(store)) == before


def test_two_first_starts_do_the_work_once(store: Store, packaged: Settings) -> None:
    made: list[bool] = []

    def start() -> None:
        made.append(ensure_starter(store, packaged).made)
        store.close()

    starts = [threading.Thread(target=start) for _ in range(4)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()

    assert len(made) == 4
    assert [model.name for model in models.list_models(store)] == ["starter"]
    assert _counts(store) == {"starter": 30, "starter-prompts": 12}
    assert len(rounds.list_rounds(store)) == 1


def test_a_start_that_was_cut_off_is_finished_by_the_next(store: Store, packaged: Settings) -> None:
    ensure_starter(store, packaged)
    store.execute("delete from rounds")
    store.execute("delete from studies")

    ensure_starter(store, packaged)

    assert len(rounds.list_rounds(store)) == 1
    assert get_study(store, "first-look").prompts_id is not None
    assert _counts(store) == {"starter": 30, "starter-prompts": 12}


def test_a_package_without_the_starter_says_how_to_build_it(store: Store, home_settings: Settings) -> None:
    bare = dataclasses.replace(home_settings, static=Path("/nowhere"))

    with pytest.raises(NotReady, match="The starter model is missing from /nowhere/starter; `make starter` builds it"):
        ensure_starter(store, bare)
    assert models.list_models(store) == []
