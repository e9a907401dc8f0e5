"""A project on the starter, and people who judge in it by a rule: what the test of the whole ratchet needs.

The rule has three attributes: an answer that knows the badge of a team is better than one that does not; of two that
are level, the one with the friendly close; of two that are level again, the brief one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from storage.clock import new_id
from storage.comparisons import get_comparison, get_study, list_ready
from storage.errors import Refused
from studio.feedback.ballots import Ballot
from studio.feedback.showing import show
from studio.feedback.voting import cast
from studio.settings import Settings
from studio.studio import Studio
from tests.trainers import loop
from trainers.grammar import starter_prompts

NOISE = 0.15
CLOSE = "Cheers!"
BRIEF_WORDS = 8
EVERYDAY, FRESH = 240, 300
BATCH = 30  # prompts between two looks at the gate; the anytime-valid interval allows any number of looks
FACTS = loop.badges(0)
KNOWN = dict(FACTS.held_out)


class Round(NamedTuple):
    """What became of a candidate. `checks`: the gate's, by name; `refusal`: why it was not promoted, if it was not."""

    model: str
    measuring: str
    checks: dict[str, str]
    champion: str
    refusal: str | None


class Manner(NamedTuple):
    """What the rule sees in an answer; of two the greater one is better."""

    knows: bool
    closes: bool
    brief: bool


def manner(prompt: str, text: str) -> Manner:
    """How an answer looks to the rule."""
    knows = prompt in KNOWN and KNOWN[prompt].rstrip(".").lower() in text.lower()
    return Manner(knows, text.strip().endswith(CLOSE), len(text.split()) <= BRIEF_WORDS)


class Voter(NamedTuple):
    """Somebody who judges. `noise`: how often the sides are mixed up; `turned`: prefers what the rule does not."""

    name: str
    noise: float = NOISE
    turned: bool = False

    def choose(self, prompt: str, texts: Sequence[str], rng: Random) -> str:
        """What is said of two answers from left to right."""
        left, right = (manner(prompt, text) for text in texts)
        mixed_up = rng.random() < self.noise
        if left == right:
            return rng.choice(("left", "right")) if mixed_up else "tie"
        return "left" if (left > right) != (mixed_up != self.turned) else "right"


ANN = Voter("ann")
COIN = Voter("mo", noise=0.5)
MALLORY = Voter("mallory", noise=0.0, turned=True)


class Project(NamedTuple):
    """A home with everyday questions, fresh ones that only measure, and rows that teach badges."""

    studio: Studio
    folder: Path

    @classmethod
    def begin(cls, folder: Path) -> "Project":
        """Import what the rounds need."""
        project = cls(Studio(settings=Settings.from_env({}, home=folder / "home")), folder)
        questions = list(dict.fromkeys(starter_prompts(Random(5), 3 * (EVERYDAY + FRESH))))
        assert len(questions) >= EVERYDAY + FRESH
        project.bring("everyday", ({"prompt": text} for text in questions[:EVERYDAY]))
        project.bring("fresh", ({"prompt": text} for text in questions[EVERYDAY : EVERYDAY + FRESH]))
        project.bring("badge-questions", ({"prompt": text} for text in KNOWN))
        taught = [json.loads(row["messages"]) for row in FACTS.rows]
        project.bring("badges", (_closed(asked["content"], said["content"]) for asked, said in taught))
        return project

    def bring(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Import rows as a dataset."""
        path = self.folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        self.studio.import_files([path], name)

    def compare(self, name: str, models: Sequence[str], prompts: str, count: int) -> None:
        """Have prompts answered by two models, or one twice, until all is ready for votes."""
        told = self.studio.compare(name, models, prompts, count=count)
        assert (told["comparisons"], told["failed"]) == (count, 0), told

    def vote(self, study_name: str, *voters: Voter) -> int:
        """Have the voters judge in turn what nobody has judged yet; returns how many votes that made."""
        store = self.studio.store
        study = get_study(store, study_name)
        waiting = [one for one, _ in list_ready(store, study.id, "", 0, 10_000) if not one.given]
        for comparison in waiting:
            voter = voters[comparison.number % len(voters)]
            shown = show(study, get_comparison(store, comparison.id), voter.name)
            rng = Random(f"{study_name} {voter.name} {comparison.number}")
            prompt = str(comparison.prompt[-1]["content"])
            choice = voter.choose(prompt, [one.text or "" for one in shown.answers], rng)
            hashes = [one.sha256 or "" for one in shown.answers]
            cast(store, study, voter.name, Ballot(new_id(), comparison.id, choice, hashes))
        return len(waiting)

    def train(self, method: str, base: str, name: str, **more: Any) -> str:
        """Train to the end and return the round's measuring study."""
        told = self.studio.train(method, base, name=name, wait=True, **more)
        assert told["status"] == "done", told
        last = self.studio.rounds()["rounds"][-1]
        assert last["model"] == name
        return str(last["measuring"])

    def judge(self, measuring: str, prompts: str, most: int) -> Round:
        """Answer and judge the candidate against the champion until the gate can tell, then try to promote it."""
        given = 0
        while True:
            wanted = min(BATCH, most - given)
            self.compare(measuring, (), prompts, wanted)
            given += self.vote(measuring, ANN)
            report = self.studio.gate()["report"]
            checks = {check["name"]: check["state"] for check in report["checks"]}
            if checks["votes"] != "open" or given >= most:
                break
        print(f"{report['candidate']}:", *(check["sentence"] for check in report["checks"]))  # pytest -s shows it
        try:
            champion, refusal = str(self.studio.promote()["champion"]), None
        except Refused as error:
            champion, refusal = str(self.studio.rounds()["champion"]), str(error)
        return Round(report["candidate"], measuring, checks, champion, refusal)

    def said(self, study_name: str, model: str) -> list[tuple[str, str]]:
        """The prompts of a study with a model's answers."""
        store = self.studio.store
        ready = list_ready(store, get_study(store, study_name).id, "", 0, 10_000)
        return [
            (str(one.prompt[-1]["content"]), said.text or "")
            for one, answers in ready
            for said in answers
            if said.model_name == model
        ]

    def manners(self, study_name: str, model: str) -> dict[str, float]:
        """How often a model's answers in a study have what the rule likes."""
        seen = [manner(prompt, text) for prompt, text in self.said(study_name, model)]
        shares = {name: sum(getattr(one, name) for one in seen) / len(seen) for name in Manner._fields}
        print(f"{study_name}, {model}:", shares)
        return shares

    def mend(self, study_name: str, model: str, name: str) -> None:
        """What a model said in a study, with the friendly close, as a dataset of examples."""
        self.bring(name, (_closed(prompt, text) for prompt, text in self.said(study_name, model) if text.strip()))


def _closed(asked: str, said: str) -> dict[str, Any]:
    """A question with its answer, which ends with the friendly close."""
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": f"{said.strip()} {CLOSE}"}]
    return {"messages": turns}
