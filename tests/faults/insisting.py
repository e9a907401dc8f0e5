"""People who judge over HTTP and do not give up: what is not acknowledged is sent again under the same id."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

UNDO_EVERY = 9
CHOICES = ("left", "right", "tie", "both_bad")
Json = dict[str, Any]


class Saved(NamedTuple):
    """A vote or a withdrawal that the studio has acknowledged."""

    id: str
    comparison: str
    annotator: str
    withdrawal: bool


@dataclass
class Ledger:
    """What all of them have had acknowledged, and how often the studio did not answer."""

    saved: list[Saved] = field(default_factory=list)
    unanswered: int = 0
    repeated: int = 0
    """Acknowledged as known already: the first answer never came."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    """Set where nobody will answer any more, so that all give up."""

    def note(self, saved: Saved, new: bool) -> None:
        """Keep an acknowledgement."""
        with self.lock:
            self.saved.append(saved)
            self.repeated += not new

    def missed(self) -> None:
        """Count a request that was not answered."""
        with self.lock:
            self.unanswered += 1


class Judge:
    """One person with a browser's cookie."""

    def __init__(self, url: str, name: str, cookies: dict[str, str], study: str, ledger: Ledger) -> None:
        self.client = httpx.Client(base_url=url, cookies=cookies, timeout=30)
        self.name = name
        self.study = study
        self.ledger = ledger

    def judge(self, quota: int) -> None:
        """Vote so often, without a pause; every ninth vote is taken back and given again."""
        pairs = self.insist("GET", f"/api/compare/next?study={self.study}")["pairs"]
        for number in range(quota):
            pair = next(pair for pair in pairs if pair["state"] == "ready")
            pairs = self.vote(pair, CHOICES[number % 4])
            if number % UNDO_EVERY == UNDO_EVERY - 1:
                self.undo(pair["comparison"])
                pairs = self.vote(pair, CHOICES[number % 3])
        self.client.close()

    def vote(self, pair: Json, choice: str) -> list[Json]:
        """Vote on a pair until that is acknowledged; what comes next."""
        shown = [side["sha256"] for side in pair["sides"]]
        body = {"id": str(uuid.uuid4()), "study": self.study, "comparison": pair["comparison"], "choice": choice,
                "shown": shown, "seconds": 2.0}  # fmt: skip
        told = self.insist("POST", "/api/compare/vote", body)
        self.ledger.note(Saved(body["id"], pair["comparison"], self.name, False), told["new"])
        return list(told["sitting"]["pairs"])

    def undo(self, comparison: str) -> None:
        """Take a vote back."""
        body = {"id": str(uuid.uuid4()), "study": self.study, "comparison": comparison}
        told = self.insist("POST", "/api/compare/undo", body)
        self.ledger.note(Saved(body["id"], comparison, self.name, True), told["undone"] is not None)

    def insist(self, method: str, path: str, body: Json | None = None) -> Json:
        """Ask until there is an answer; one that is no acknowledgement is a fault."""
        while not self.ledger.over.is_set():
            try:
                answer = self.client.request(method, path, json=body)
            except httpx.TransportError:
                self.ledger.missed()
                time.sleep(0.05)
                continue
            assert answer.status_code == 200, answer.text
            told: Json = answer.json()
            return told
        raise AssertionError("nobody answers any more")
