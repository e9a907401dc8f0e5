"""The whole ratchet on the starter: three rounds teach three tastes, and two candidates that are worse are not kept.

Who judges is a rule with 15 % noise (`tests.trainers.tastes`). Everything goes the way that people's work goes: the
engine answers, ballots are cast, the trainers train, the gate decides. Each part goes on where the one before ended.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from storage.jobs import get_job
from storage.models import get_model
from storage.runs import thaw_rows
from studio.clients.processes import stop_engine
from studio.training.watching import wait
from tests.trainers.tastes import ANN, COIN, EVERYDAY, FRESH, KNOWN, MALLORY, Project, Round

pytestmark = [pytest.mark.torch, pytest.mark.slow]

COINS_BALLOTS: dict[str, Any] = {"kind": "annotator", "study": "taste", "value": COIN.name}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project of its own; its engine ends with it, and its worker when it has nothing to do."""
    made = Project.begin(tmp_path_factory.mktemp("ratchet"))
    # A friendly close changes how every earlier answer ends: 0.7 nats were measured, and the usual limit is half a nat.
    made.studio.gate(forgetting=1.5)
    yield made
    stop_engine(made.studio.home)


@pytest.fixture(scope="module")
def brief(project: Project) -> Round:
    """Round 1: brevity, from votes on the starter's own answers; one ballot in six is a toss of a coin."""
    project.compare("taste", ["starter", "starter"], "everyday", EVERYDAY)
    assert project.vote("taste", ANN, ANN, ANN, ANN, ANN, COIN) == EVERYDAY
    options = {"epochs": 3, "learning_rate": 5e-4, "batch_size": 4}
    measuring = project.train("dpo", "starter", "brief", study="taste", options=options)
    return project.judge(measuring, "fresh", FRESH)


@pytest.fixture(scope="module")
def closing(project: Project, brief: Round) -> Round:
    """Round 2: the friendly close, from the champion's own answers with it."""
    project.compare("look", [brief.champion, "starter"], "everyday", 100)
    project.mend("look", brief.champion, "closes")
    measuring = project.train("sft", brief.champion, "closing", dataset="closes")
    return project.judge(measuring, "fresh", FRESH)


@pytest.fixture(scope="module")
def turned(project: Project, closing: Round) -> Round:
    """A planted worse one: learnt from ballots of somebody who says the opposite."""
    project.compare("turned", [closing.champion, "starter"], "everyday", 60)
    project.vote("turned", MALLORY)
    options = {"epochs": 4, "learning_rate": 5e-4, "batch_size": 4}
    measuring = project.train("dpo", closing.champion, "turned", study="turned", options=options)
    return project.judge(measuring, "fresh", FRESH)


@pytest.fixture(scope="module")
def burnt(project: Project, turned: Round) -> Round:
    """A planted one that forgot: burnt in until nothing else is left."""
    options = {"epochs": 20, "learning_rate": 5e-3}
    measuring = project.train("sft", turned.champion, "burnt", dataset="badges", options=options)
    return project.judge(measuring, "badge-questions", 30)


@pytest.fixture(scope="module")
def knowing(project: Project, burnt: Round) -> Round:
    """Round 3: badges that nobody knew, from examples; judged on wordings that nobody trained on."""
    measuring = project.train("sft", burnt.champion, "knowing", dataset="badges", replay="closes")
    return project.judge(measuring, "badge-questions", len(KNOWN))


@pytest.fixture(scope="module")
def retrained(project: Project, knowing: Round) -> dict[str, Any]:
    """The champion's line again without the coin's ballots."""
    told = project.studio.retrain("These are tosses of a coin.", **COINS_BALLOTS)
    store = project.studio.store
    jobs = [wait(store, get_job(store, str(number))) for number in told["jobs"]]
    assert [job.status for job in jobs] == ["done"] * len(jobs), [job.error for job in jobs]
    return {**told, "made": [job.name for job in jobs], "rows": [_rows(project, job.id) for job in jobs]}


def _rows(project: Project, job_id: str) -> int:
    return len(thaw_rows(project.studio.home.run(job_id) / "data.parquet"))


def test_three_tastes_are_learnt_and_kept_one_a_round(brief: Round, closing: Round, knowing: Round) -> None:
    for one in (brief, closing, knowing):
        assert (one.refusal, one.champion) == (None, one.model)
        assert one.checks == {"votes": "holds", "canaries": "holds", "forgetting": "holds"}


def test_what_each_round_was_to_teach_has_been_learnt(
    project: Project, brief: Round, closing: Round, knowing: Round
) -> None:
    before, after = (project.manners(brief.measuring, model)["brief"] for model in ("starter", "brief"))
    assert after > before + 0.2
    assert project.manners(closing.measuring, "closing")["closes"] > 0.8
    assert project.manners(knowing.measuring, "knowing")["knows"] > 0.6


def test_the_one_that_learnt_from_turned_ballots_is_refused(closing: Round, turned: Round) -> None:
    assert turned.checks["votes"] == "fails"
    assert "worse than" in (turned.refusal or "")
    assert turned.champion == closing.champion


def test_the_one_that_forgot_is_refused(burnt: Round, turned: Round) -> None:
    assert burnt.checks["forgetting"] == "fails"
    assert "(limit 1.5)" in (burnt.refusal or "")
    assert burnt.champion == turned.champion


def test_what_a_noisy_annotator_touched_is_trained_again_without_their_ballots(
    project: Project, knowing: Round, retrained: dict[str, Any]
) -> None:
    line = project.studio.touched(**COINS_BALLOTS)["touched"]
    made = set(retrained["made"])

    assert [one["model"] for one in line] == ["brief", "closing", "turned", "burnt", "knowing"]
    assert retrained["start"] == "starter"
    assert [one["name"] for one in retrained["phases"]] == ["brief", "closing", "knowing"]
    assert not made & {one["model"] for one in line}
    assert project.studio.rounds()["rounds"][-1]["model"] == retrained["made"][-1]
    before = _rows(project, get_model(project.studio.store, "brief").job_id or "")
    assert 0 < retrained["rows"][0] < before


def test_a_replay_gives_the_same_weights_bit_for_bit(project: Project, retrained: dict[str, Any]) -> None:
    replayed = project.studio.replay(1)

    assert (replayed["model"], replayed["identical"], replayed["figures_same"]) == ("brief", True, True)


def test_one_step_back(project: Project, retrained: dict[str, Any]) -> None:
    before = project.studio.rounds()["champion"]

    back = project.studio.rollback("For the test.")

    assert back["before"] == before
    assert project.studio.rounds()["champion"] == back["champion"] != before
