import json
from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput, Refused
from storage.models import add_model
from studio import Studio
from tests.trainers import building

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """A reward model that learnt to like short answers."""
    rows = [{**row, "completion": None, "score": None} for row in building.preferences()]
    folder = building.make_run(
        tmp_path_factory.mktemp("runs") / "judge", "reward", tiny_base, rows,
        options={"epochs": 6, "learning_rate": 5e-3},
    )  # fmt: skip
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return folder / "adapter"


@pytest.fixture
def studio(tmp_path: Path, tiny_base: Path, judge: Path) -> Studio:
    studio = Studio(tmp_path / "home")
    base = building.add_base(studio.store, tiny_base)
    add_model(studio.store, "likes-short", "reward", base_id=base.id, parent_id=base.id, path=str(judge))
    return studio


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.slow
def test_a_dataset_is_scored_once(studio: Studio, tmp_path: Path) -> None:
    rows = [{"messages": building.turns(f"What is {at} plus 1?", text)}
            for at in range(30, 34) for text in (f"{at + 1}.", f"Well now, it is {at + 1}.")]  # fmt: skip
    studio.import_file(str(write(tmp_path / "rows.jsonl", rows)), "mine")

    first = studio.score("likes-short", dataset="mine")
    second = studio.score("likes-short", dataset="mine")

    assert (first["rows"], first["scored"], first["reused"]) == (8, 8, 0)
    assert {**second, "reused": 0} == first
    assert second["reused"] == 8
    said = {row["id"]: row["messages"][-1]["content"] for row in studio.show("mine")["rows"]}
    assert all(not said[row["id"]].startswith("Well") for row in first["highest"][:4])
    assert all(said[row["id"]].startswith("Well") for row in first["lowest"][:4])
    assert first["minimum"] <= first["low"] <= first["mean"] <= first["high"] <= first["maximum"]


@pytest.mark.slow
def test_a_row_that_came_later_is_scored_alone(studio: Studio, tmp_path: Path) -> None:
    rows = [{"messages": building.turns(f"What is {at} plus 1?", f"{at + 1}.")} for at in range(4)]
    studio.import_file(str(write(tmp_path / "rows.jsonl", rows[:3])), "mine")
    assert studio.score("likes-short", dataset="mine")["reused"] == 0

    studio.import_file(str(write(tmp_path / "more.jsonl", rows[3:])), "mine")

    assert studio.score("likes-short", dataset="mine")["reused"] == 3


@pytest.mark.slow
def test_a_study_is_scored_by_contestant_and_held_against_its_votes(studio: Studio, tmp_path: Path) -> None:
    votes = [
        {"prompt": f"What is {at} plus 1?", "models": ["short", "long"], "annotator": "ada",
         "answers": [f"{at + 1}.", f"Well now, it is {at + 1}."], "choice": "b" if at == 40 else "a"}
        for at in range(40, 50)
    ]  # fmt: skip
    studio.import_votes(str(write(tmp_path / "votes.jsonl", votes)), "taste")

    found = studio.score("likes-short", study="taste")

    assert [one["name"] for one in found["contestants"]] == ["short", "long"]
    assert found["contestants"][0]["low"] > found["contestants"][1]["high"]
    assert (found["answers"], found["votes"], found["agreement"]) == (20, 10, 0.9)
    from studio.training.scoring import study_scores

    told = study_scores(studio.store, "taste")
    assert [(one["model"], one["answers"], one["agreement"]) for one in told] == [("likes-short", 20, 0.9)]


def test_what_cannot_score_or_be_scored_is_refused(studio: Studio, tmp_path: Path) -> None:
    studio.import_file(str(write(tmp_path / "p.jsonl", [{"prompt": "What is 1 plus 1?"}])), "asked", kind="prompts")

    with pytest.raises(Refused, match='"tiny" is of kind base and scores nothing'):
        studio.score("tiny", dataset="asked")
    with pytest.raises(BadInput, match='No row of dataset "asked" holds an answer'):
        studio.score("likes-short", dataset="asked")
    with pytest.raises(BadInput, match="Name a dataset or a study"):
        studio.score("likes-short")
