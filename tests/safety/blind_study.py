"""An annotator before whom a study lies with everything that could give somebody away, and all that they are told.

One model always says one thing and the other another, so a test can tell who wrote what; the annotator cannot be told.
"""

import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import comparisons, models
from storage.rows import Study
from storage.store import Store
from studio.app import build_app
from studio.feedback import gold
from studio.people import accounts
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.safety.conftest import OWNER, PASSWORD, come_in
from tests.studio.training import project

Json = dict[str, Any]
NAMES = ("nimble-otter", "grand-walrus")
REMOTE = ("vendor/otter-7b", "vendor/walrus-13b")
CONTESTANTS = ("otter-brief", "walrus-long", "otter-warm", "walrus-cold")
SYSTEM = "You are the secret marmot."
NOTE = "a note about what is right"
BEGUN = ("Well,", "Indeed:", "Perhaps", "No:")
"""How the answers of each contestant begin, by position."""

_IDS = re.compile(r'"(comparison|sha256)": "[^"]*"')
_TEXTS = re.compile(r'"(text|content)": "[^"]*"')
_TIMES = re.compile(r'"lease_until": [0-9.]+')


@dataclass
class Look:
    """One judgement: what was shown, which row it is of, and what stood where."""

    pair: Json
    comparison: str
    kind: str
    """plain, gold or second."""

    size: int
    """Bytes of the body that told of it, without the texts."""

    @property
    def left(self) -> int:
        """The position of what stands left."""
        return next(place for place, begun in enumerate(BEGUN) if self.pair["sides"][0]["text"].startswith(begun))


@dataclass
class Judged:
    """Everything that an annotator saw in one study."""

    store: Store
    study: Study
    client: TestClient
    looks: list[Look] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Every body and header."""

    def get(self, path: str) -> Any:
        """Ask, and keep what was told."""
        answer = self.client.get(path)
        return self._kept(answer)

    def post(self, path: str, body: Json) -> Any:
        """Ask, and keep what was told."""
        answer = self.client.post(path, json=body)
        return self._kept(answer)

    def _kept(self, answer: Any) -> Any:
        assert answer.status_code == 200, answer.text
        self.told += [answer.text, str(answer.headers), str(answer.url)]
        return answer


def masked(pair: Json) -> str:
    """A pair without its texts, ids and moments: what is left must be the same for all."""
    text = json.dumps(pair)
    for pattern in (_IDS, _TEXTS, _TIMES):
        text = pattern.sub("", text)
    return text


def furnish(folder: Any) -> tuple[Studio, FastAPI]:
    """A studio with two models, an administrator and an annotator."""
    studio = Studio(settings=Settings.from_env({}, home=folder / "home"))
    for name, remote in zip(NAMES, REMOTE, strict=True):
        models.add_model(studio.store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=remote)
    accounts.add(studio.store, OWNER, "ada", "admin", PASSWORD)
    accounts.add(studio.store, OWNER, "ann", "annotator", PASSWORD)
    return studio, build_app(studio)


def add_study(store: Store, layout: str, count: int, known: int = 0, **settings: Any) -> Study:
    """A study whose answers are there; its first comparisons are gold."""
    sides = {"rank": 4, "rate": 1}.get(layout, 2)
    made = [models.get_model(store, name) for name in NAMES]
    who = [{"name": name, "model": made[place % 2].id, "system": SYSTEM} for place, name in enumerate(CONTESTANTS)]
    settings = {"layout": layout, "sides": sides, "contestants": who, **settings}
    study = comparisons.create_study(store, f"blind-{layout}", made, None, settings, seed=11)
    chance = Random(5)
    for number in range(count):
        asked = list(range(sides)) if sides > 1 else [chance.randrange(2)]
        turns = [{"role": "user", "content": "Go on."}] if layout == "turns" else []
        answered = project.prompt(f"question {number}")
        histories = [[{"role": "assistant", "content": BEGUN[place]}, *turns] if turns else None for place in asked]
        new = comparisons.NewComparison(
            answered,
            [(made[place % 2].id, CONTESTANTS[place]) for place in asked],
            texts=[f"{BEGUN[place]} {number}" for place in asked],
            histories=histories,
        )
        comparison = comparisons.add_comparison(store, study, new)
        if number < known:
            gold.set_gold(store, study, comparison.id, {"choice": "a"}, NOTE, Actor("ada", "curator"))
    return study


def judge(app: FastAPI, store: Store, study: Study, count: int) -> Judged:
    """Let ann judge as the page does, with an undo now and then, and look at all that she may look at."""
    judged = Judged(store, study, come_in(app, "ann"))
    judged.get(f"/compare?study={study.name}")
    for number in range(count):
        _vote_next(judged, number)
        if number % 20 == 19:
            undone = judged.post("/api/compare/undo", {"id": f"{study.name}-undo-{number:04}", "study": study.name})
            assert undone.json()["pair"]["comparison"] == judged.looks[-1].pair["comparison"]
            judged.looks.pop()
            _vote_next(judged, number, again=True)
    for path in ("studies", f"mine?study={study.name}&limit=100", f"guidelines?study={study.name}", "next"):
        judged.get(f"/api/compare/{path}")
    return judged


def _vote_next(judged: Judged, number: int, again: bool = False) -> None:
    """Look at what comes next and vote on it."""
    looked = judged.get(f"/api/compare/next?study={judged.study.name}")
    pair = looked.json()["pairs"][0]
    judged.looks.append(_look(judged, pair, looked))
    vote: Json = {"choice": ("left", "right", "tie", "both_bad")[number % 4]}
    sides = range(len(pair["sides"]))
    if len(sides) == 1:
        vote = {"choice": "rating", "rating": 1 + number % 5}
    elif len(sides) > 2:
        vote = {"choice": "ranking", "ranking": [[side] for side in sides]}
    shown = [side["sha256"] for side in pair["sides"]]
    body = {
        "id": f"{judged.study.name}-{'again' if again else 'votes'}-{number:04}",
        "study": judged.study.name,
        "shown": shown,
    }
    judged.post("/api/compare/vote", {**body, "comparison": pair["comparison"], **vote})


def _look(judged: Judged, pair: Json, looked: Any) -> Look:
    shown = pair["comparison"]
    lease = judged.store.one("select comparison_id from leases where alias = ?", [shown])
    comparison = lease["comparison_id"] if lease else shown
    known = judged.store.value("select 1 from gold where comparison_id = ?", [comparison])
    kind = "second" if lease else "gold" if known else "plain"
    texts = sum(len(side["text"]) for one in looked.json()["pairs"] for side in one["sides"])
    return Look(pair, comparison, kind, len(looked.content) - texts)
