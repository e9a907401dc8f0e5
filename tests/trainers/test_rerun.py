"""A round run again from its frozen inputs ends with the same bytes, and what has changed meanwhile is told."""

import json
from pathlib import Path

import pytest

from storage import rounds
from storage.errors import BadInput, NotFound, Refused
from storage.home import Home
from storage.jobs import get_job
from studio.settings import Settings
from studio.studio import Studio
from tests.trainers.building import conversations

pytestmark = [pytest.mark.torch]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A project whose first round is trained, by the worker, on the starter."""
    folder = tmp_path_factory.mktemp("replay")
    studio = Studio(settings=Settings.from_env({}, home=folder / "home"))
    rows = folder / "rows.jsonl"
    rows.write_text(
        "".join(json.dumps({"messages": json.loads(row["messages"])}) + "\n" for row in conversations(16)),
        encoding="utf-8",
    )
    studio.import_files([rows], "sums")
    done = studio.train("sft", "starter", dataset="sums", options={"epochs": 1, "batch_size": 4}, wait=True)
    assert done["status"] == "done"
    studio.rounds()
    return studio


def test_a_replay_ends_with_the_same_bytes_and_figures(played: Studio) -> None:
    before = sorted(path.name for path in played.home.runs.iterdir())

    found = played.replay(1)

    assert (found["round"], found["identical"], found["figures_same"]) == (1, True, True)
    assert found["sha256"] == found["replayed_sha256"]
    assert set(found["largest_differences"].values()) == {0.0}
    assert (found["libraries"], found["steps"] > 0) == ({}, True)
    assert sorted(path.name for path in played.home.runs.iterdir()) == before


def test_changed_rows_are_refused(played: Studio) -> None:
    folder = _folder(played)
    data, kept = folder / "data.parquet", (folder / "data.parquet").read_bytes()
    data.unlink()
    try:
        with pytest.raises(BadInput, match="frozen rows of this run are gone or have changed"):
            played.replay(1)
    finally:
        data.write_bytes(kept)


def test_a_round_that_is_not_there_or_has_no_training_is_told(played: Studio) -> None:
    with pytest.raises(NotFound, match="There is no round 7"):
        played.replay(7)
    empty = Studio(settings=Settings.from_env({}, home=played.home.path.parent / "other"))
    rounds.open_round(empty.ready, empty.store.value("select id from models where name = 'starter'"))
    with pytest.raises(Refused, match="has no training yet"):
        empty.replay(1)


def _folder(studio: Studio) -> Path:
    job = get_job(studio.store, rounds.get_round(studio.store, 1).job_id or "")
    return Home(studio.home.path).run(job.id)
