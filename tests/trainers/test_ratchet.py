"""The whole ratchet on the starter: rounds that teach three tastes, and candidates that must not be kept.

The annotator is a rule with 15 % noise who likes short answers, right badges of teams, and a friendly close. Round 1
learns brevity from votes, round 2 badges that nobody knew from examples, round 3 the close. A candidate trained on
turned votes and one that was burnt in until it forgot are planted between them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from storage.clock import new_id, now
from storage.comparisons import get_study, list_ready
from storage.errors import Refused
from storage.prompts import text_sha256
from storage.rows import Vote
from storage.votes import cast
from studio.settings import Settings
from studio.studio import Studio
from tests.trainers import loop

pytestmark = [pytest.mark.torch, pytest.mark.slow]

NOISE = 0.15
CLOSE = "Cheers!"
EVERYDAY, BADGES = 120, 40
FACTS = loop.badges(0)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A project with everyday questions, questions about badges, and examples of badges and of the close."""
    folder = tmp_path_factory.mktemp("ratchet")
    made = Studio(settings=Settings.from_env({}, home=folder / "home"))
    split = loop.split_prompts(0)
    everyday = (split.voted + split.held_out)[:EVERYDAY]
    _dataset(made, folder, "everyday", [{"prompt": text} for text in everyday])
    _dataset(made, folder, "badge-questions", [{"prompt": text} for text, _ in FACTS.held_out])
    _dataset(made, folder, "badges", [{"messages": json.loads(row["messages"])} for row in FACTS.rows])
    return made


def _dataset(studio: Studio, folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    studio.import_files([path], name)


def _taste(prompt: str, text: str) -> int:
    """What the annotator likes of an answer; a right badge is worth more than the rest."""
    right = dict(FACTS.held_out).get(prompt)
    known = 3 if right is not None and right.rstrip(".").lower() in text.lower() else 0
    return known + (len(text.split()) <= 6) + 2 * text.strip().endswith(CLOSE)


def _vote(studio: Studio, name: str, person: str = "ann", noise: float = NOISE, turned: bool = False) -> int:
    """Have every comparison that is ready judged; returns how many votes that made."""
    study, rng = get_study(studio.store, name), Random(f"{name} {person}")
    given = 0
    for comparison, said in list_ready(studio.store, study.id, "", 0, 10_000):
        answers = sorted(said, key=lambda one: one.position)
        prompt = str(comparison.prompt[-1]["content"])
        tastes = [_taste(prompt, one.text or "") for one in answers]
        choice = "tie" if tastes[0] == tastes[1] else "a" if (tastes[0] > tastes[1]) != turned else "b"
        if rng.random() < noise:
            choice = rng.choice("ab")
        shown = [text_sha256(one.text or "") for one in answers]
        cast(studio.store, Vote(new_id(), comparison.id, study.id, person, choice, None, None, None, None, None,
                                [0, 1], shown, 1.0, "web", None, now()))  # fmt: skip
        given += 1
    return given


def _train(studio: Studio, method: str, **more: Any) -> str:
    """Train and return the round's measuring study."""
    told = studio.train(method, wait=True, **more)
    assert told["status"] == "done", told
    last = studio.rounds()["rounds"][-1]
    assert last["model"] == told["model"]
    return str(last["measuring"])


def _judge(studio: Studio, measuring: str, prompts: str | None = None, **how: Any) -> Mapping[str, Any]:
    """Answer and judge the candidate against the champion; what the gate says then."""
    studio.compare(measuring, count=EVERYDAY)
    _vote(studio, measuring, **how)
    found = studio.gate()["report"]
    assert found is not None
    return dict(found)


def test_three_tastes_are_learnt_and_what_is_worse_is_refused(studio: Studio) -> None:
    promoted = []

    # Round 1: brevity, from votes on the starter's own answers.
    studio.compare("taste", ["starter", "starter"], "everyday", count=EVERYDAY)
    assert _vote(studio, "taste") == EVERYDAY
    measuring = _train(studio, "dpo", base="starter", study="taste", name="brief")
    if _judge(studio, measuring)["passes"]:
        promoted.append(studio.promote()["champion"])

    # Planted: the same votes, turned.
    champion = studio.rounds()["champion"]
    studio.compare("turned", [champion, "starter"], "everyday", count=EVERYDAY)
    _vote(studio, "turned", turned=True, noise=0.0)
    measuring = _train(studio, "dpo", base=champion, study="turned", name="turned", options={"epochs": 6})
    worse = _judge(studio, measuring, noise=0.0)
    assert worse["passes"] is False
    with pytest.raises(Refused):
        studio.promote()

    # Round 2: badges, from examples; judged on wordings that nobody trained on.
    studio.compare("badges-look", [champion, "starter"], "badge-questions", count=1)
    measuring = _train(studio, "sft", base=champion, dataset="badges", name="knowing")
    if _judge(studio, measuring)["passes"]:
        promoted.append(studio.promote()["champion"])

    # Planted: burnt in until nothing else is left.
    champion = studio.rounds()["champion"]
    burnt = {"epochs": 40, "learning_rate": 5e-3}
    measuring = _train(studio, "sft", base=champion, dataset="badges", name="burnt", options=burnt)
    report = _judge(studio, measuring, noise=0.0)
    forgetting = next(check for check in report["checks"] if check["name"] == "forgetting")
    assert (report["passes"], forgetting["state"]) == (False, "fails"), report

    assert len(promoted) >= 2, [card["gate"] or card["reason"] for card in studio.rounds()["rounds"]]
    assert studio.rounds()["champion"] == promoted[-1]


def test_one_step_back_and_a_replay(studio: Studio) -> None:
    before = studio.rounds()["champion"]

    back = studio.rollback("For the test.")

    assert back["before"] == before
    assert studio.rounds()["champion"] == back["champion"] != before
    replayed = studio.replay(1)
    assert (replayed["identical"], replayed["figures_same"]) == (True, True)
