"""Models are renamed, put away and deleted, and nothing that stands on one is left without it."""

from pathlib import Path

import pytest

from storage.comparisons import get_study, list_studies, set_state
from storage.errors import BadInput, Conflict, Forbidden, NotFound, Refused
from storage.models import add_model, get_model, list_models
from storage.store import Store
from studio.people.roles import Actor
from studio.rounds import ledger
from studio.rounds.promoting import promote, rollback
from studio.settings import Settings
from studio.training.launching import again, launch
from studio.training.model_facts import facts
from studio.training.model_keeping import archive, delete, rename, take_back
from studio.training.request import Request
from tests.studio.training.project import add_dataset, first_day, prompt, run_to_the_end

TIM, ANN = Actor("tim", "trainer"), Actor("ann", "annotator")
FACTS = Request("sft", "starter", dataset="facts")


@pytest.fixture
def settings(store: Store) -> Settings:
    """A home with one trained model, which a closed study has compared."""
    first_day(store)
    add_dataset(store, "starter-prompts", "prompts", [{"prompt": prompt("p")}])
    settings = Settings.from_env({}, home=store.home.path)
    run_to_the_end(store, launch(store, settings, FACTS))
    ledger.catch_up(store)
    for name in ("first-look", "round-1"):
        set_state(store, get_study(store, name).id, "closed")
    return settings


def _names(store: Store) -> list[str]:
    return [model.name for model in list_models(store)]


def test_a_renamed_model_is_found_by_its_old_name_too(store: Store, settings: Settings) -> None:
    rename(store, TIM, "round-1-sft", "facts-v1")

    assert get_model(store, "round-1-sft").name == "facts-v1"
    assert rename(store, TIM, "facts-v1", "round-1-sft").former_names == ["facts-v1"]
    with pytest.raises(Conflict, match='"starter" exists already'):
        rename(store, TIM, "round-1-sft", "starter")
    with pytest.raises(BadInput):
        rename(store, TIM, "round-1-sft", "../evil")
    with pytest.raises(NotFound):
        rename(store, TIM, "never-there", "x")


def test_what_was_asked_of_a_model_under_its_old_name_can_be_asked_again(store: Store, settings: Settings) -> None:
    first = run_to_the_end(store, launch(store, settings, Request("sft", "round-1-sft", dataset="facts")))
    rename(store, TIM, "round-1-sft", "facts-v1")

    job = again(store, settings, next(one for one in _jobs(store) if one.model_id == first.id))

    assert get_model(store, job.base_id).name == "facts-v1"


def _jobs(store: Store) -> list:  # type: ignore[type-arg]
    from storage.jobs import list_jobs

    return list_jobs(store)


def test_a_model_is_put_away_and_taken_back(store: Store, settings: Settings) -> None:
    archive(store, TIM, "round-1-sft")
    assert _names(store) == ["starter"]

    take_back(store, TIM, "round-1-sft")

    assert _names(store) == ["starter", "round-1-sft"]


def test_the_champion_what_is_compared_and_what_a_job_waits_for_stay(store: Store, settings: Settings) -> None:
    set_state(store, get_study(store, "round-1").id, "open")
    with pytest.raises(Refused, match="the open study round-1 compares it"):
        archive(store, TIM, "round-1-sft")
    set_state(store, get_study(store, "round-1").id, "closed")
    launch(store, settings, Request("sft", "round-1-sft", dataset="facts"))
    with pytest.raises(Refused, match=r"job 2 \(.*\) starts from it"):
        archive(store, TIM, "round-1-sft")
    promote(store, TIM, "round-1-sft", "For the test.", overrule=True)
    with pytest.raises(Refused, match="it is the champion"):
        archive(store, TIM, "round-1-sft")
    assert _names(store) == ["starter", "round-1-sft"]


def test_deleting_removes_the_weights_and_keeps_the_row(store: Store, settings: Settings) -> None:
    folder = Path(get_model(store, "round-1-sft").path or "")

    done = delete(store, TIM, "round-1-sft")

    assert (done["model"], done["freed"] > 0, folder.exists()) == ("round-1-sft", True, False)
    assert get_model(store, "round-1-sft").gone_at is not None
    with pytest.raises(Conflict, match="cannot be taken back"):
        take_back(store, TIM, "round-1-sft")
    with pytest.raises(Conflict, match="deleted already"):
        delete(store, TIM, "round-1-sft")


def test_a_folder_of_somebodys_own_and_an_endpoint_are_forgotten_and_nothing_is_deleted(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "model.safetensors").write_bytes(b"weights")
    add_model(store, "mine", "base", path=str(mine))
    add_model(store, "far", "endpoint", url="http://127.0.0.1:9/v1", remote_name="big")
    assert [facts(store, name)["elsewhere"] for name in ("mine", "far", "round-1-sft")] == [
        str(mine), "http://127.0.0.1:9/v1", None,
    ]  # fmt: skip

    done = [delete(store, TIM, name) for name in ("mine", "far")]

    assert done == [
        {"model": "mine", "freed": 0, "stays": str(mine)},
        {"model": "far", "freed": 0, "stays": "http://127.0.0.1:9/v1"},
    ]
    assert (mine / "model.safetensors").read_bytes() == b"weights"


def test_what_others_stand_on_is_not_deleted(store: Store, settings: Settings) -> None:
    run_to_the_end(store, launch(store, settings, Request("sft", "round-1-sft", dataset="facts")))
    ledger.catch_up(store)
    set_state(store, get_study(store, "round-2").id, "closed")

    with pytest.raises(Refused, match="was trained from it; delete that first"):
        delete(store, TIM, "round-1-sft")
    assert Path(get_model(store, "round-1-sft").path or "").is_dir()


def test_the_champions_of_before_are_not_deleted_because_rolling_back_leads_to_them(
    store: Store, settings: Settings
) -> None:
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts", name="second")))
    run_to_the_end(store, launch(store, settings, Request("sft", "starter", dataset="facts", name="third")))
    for name in ("round-1-sft", "second", "third"):
        promote(store, TIM, name, "For the test.", overrule=True)
    for study in list_studies(store):
        set_state(store, study.id, "closed")

    for name in ("round-1-sft", "second"):
        with pytest.raises(Refused, match="rolling back leads to it"):
            delete(store, TIM, name)

    assert [rollback(store, TIM).champion for _ in range(2)] == ["second", "round-1-sft"]
    assert delete(store, TIM, "third")["model"] == "third"


def test_annotators_change_no_model(store: Store, settings: Settings) -> None:
    for act in (archive, take_back, delete):
        with pytest.raises(Forbidden):
            act(store, ANN, "round-1-sft")
    with pytest.raises(Forbidden):
        rename(store, ANN, "round-1-sft", "x")
