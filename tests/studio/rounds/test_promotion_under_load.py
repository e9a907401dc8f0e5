"""Eight streams and four voters while the champion changes and changes back: what stands on an answer is true.

The studio is really served, with the real engine on the starter and two adapters of it. Everybody asks greedily, so
that a text tells which weights wrote it: those that say the same when nobody else asks.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from storage.comparisons import create_study, get_comparison, get_study
from storage.datasets import get_dataset
from storage.models import get_model
from storage.people import get_person
from storage.prompts import text_sha256
from storage.store import Store
from storage.votes import current_votes
from studio.people import accounts, keys, sessions
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.browser.conftest import Served, start_studio, stop_studio
from tests.trainers.engine import tiny

pytestmark = [pytest.mark.torch, pytest.mark.slow]

STREAMS, VOTERS, THERE_AND_BACK, TOKENS = 8, 4, 2, 96
# By trial: most answers to these go on to the limit, so that there is always one in the middle.
ASKED = tuple(f"Tell me something about the number {number}." for number in (0, 1, 5, 14, 17, 20, 22, 23))
JUDGED = tuple(f"What is {number} plus {number + 3}?" for number in range(6))
GREEDY = {"max_tokens": TOKENS, "temperature": 0}
OWNER = Actor("ada", "admin")
_BOUND = 240  # seconds for a hang, not a measurement


class Change(NamedTuple):
    """The champion from now on; when it was asked for, and when the studio said that it is so."""

    champion: str
    asked: float
    done: float


class Heard(NamedTuple):
    """A streamed answer: when it was sent for, when it began to come, and when it was whole."""

    prompt: str
    text: str
    stamp: dict[str, Any]
    sent: float
    begun: float
    ended: float


class House(NamedTuple):
    """A served studio, what each adapter says to each prompt when nobody else asks, and a key for the champion."""

    served: Served
    store: Store
    alone: dict[tuple[str, str], str]
    token: str

    def client(self, person: str) -> httpx.Client:
        """A browser in which somebody has signed in."""
        token = sessions.begin(self.store, get_person(self.store, person)).token
        port = self.served.url.rsplit(":", 1)[1]
        cookies = {f"ratchet_session_{port}": token}
        return httpx.Client(base_url=self.served.url, cookies=cookies, timeout=_BOUND, trust_env=False)

    def program(self, token: str | None = None) -> httpx.Client:
        """A program with a key."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=self.served.url, headers=headers, timeout=_BOUND, trust_env=False)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("load")
    store = _project(folder)
    token = keys.make(store, OWNER, "website").token
    by_name = keys.make(store, OWNER, "who asks by name", "admin").token
    served = start_studio(folder / "home", folder / "studio.log")
    house = House(served, store, {}, token)
    with house.program(by_name) as program:
        for name in ("left-hand", "right-hand"):
            for prompt in (*ASKED, *JUDGED):
                body = {"model": name, "messages": [{"role": "user", "content": prompt}], **GREEDY}
                said = program.post("/v1/chat/completions", json=body).json()
                house.alone[name, prompt] = said["choices"][0]["message"]["content"]
    yield house
    stop_studio(served)


def _project(folder: Path) -> Store:
    """A home with two adapters of the starter, accounts, and a study of the two."""
    studio = Studio(settings=Settings.from_env({}, home=folder / "home"))
    starter = Path(get_model(studio.ready, "starter").path or "")
    for seed, name in enumerate(("left-hand", "right-hand"), 1):
        studio.add_model(str(tiny.save_adapter(folder / name, starter, seed)), name)
    questions = folder / "questions.jsonl"
    questions.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in JUDGED), encoding="utf-8")
    studio.import_files([questions], "questions")
    store = studio.store
    for name in ("ada", *(f"voter-{number}" for number in range(VOTERS))):
        accounts.add(store, OWNER, name, "admin" if name == "ada" else "annotator", "correct horse")
    models = [get_model(store, name) for name in ("left-hand", "right-hand")]
    create_study(store, "hands", models, get_dataset(store, "questions").id, {"sampling": GREEDY}, seed=1)
    return store


class Crowd:
    """Eight programs that ask the champion again and again, and four people who judge, until told to end."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.over = threading.Event()
        self.heard: list[Heard] = []
        self.votes = 0
        self.speaking: set[int] = set()  # streams whose answer has begun and not ended

    def listen(self, number: int) -> None:
        """Ask the same thing again and again."""
        with self.house.program() as program:
            while not self.over.is_set():
                self.heard.append(self._stream(program, number, ASKED[number]))

    def _stream(self, program: httpx.Client, number: int, prompt: str) -> Heard:
        body = {"messages": [{"role": "user", "content": prompt}], "stream": True, **GREEDY}
        parts, stamp, sent, begun = [], None, time.monotonic(), 0.0
        with program.stream("POST", "/v1/chat/completions", json=body) as response:
            assert response.status_code == 200, response.read()
            for line in response.iter_lines():
                event = json.loads(line.removeprefix("data: ")) if line.startswith("data: {") else {}
                assert "error" not in event, event
                parts += [choice["delta"].get("content") or "" for choice in event.get("choices", [])]
                if any(parts) and not begun:
                    begun = time.monotonic()
                    self.speaking.add(number)
                stamp = event.get("ratchet", {}).get("stamp", stamp)
        self.speaking.discard(number)
        assert stamp is not None, "a stream ended without its stamp"
        ended = time.monotonic()
        return Heard(prompt, "".join(parts), stamp, sent, begun or ended, ended)

    def judge(self, person: str) -> None:
        """Prefer the answer of `right-hand`, which is told from its words alone."""
        with self.house.client(person) as browser:
            sitting = browser.get("/api/compare/next", params={"study": "hands"}).json()
            while not self.over.is_set():
                pair = next((one for one in sitting["pairs"] if one["state"] == "ready"), None)
                if pair is None:
                    time.sleep(0.05)
                    sitting = browser.get("/api/compare/next", params={"study": "hands"}).json()
                    continue
                saved = browser.post("/api/compare/vote", json=self._ballot(pair))
                assert saved.status_code == 200, saved.text
                self.votes += 1
                sitting = saved.json()["sitting"]

    def _ballot(self, pair: dict[str, Any]) -> dict[str, Any]:
        wanted = self.house.alone["right-hand", pair["prompt"][-1]["content"]]
        texts = [side["text"] for side in pair["sides"]]
        assert texts.count(wanted) == 1, (texts, wanted)
        return {
            "id": uuid4().hex, "study": "hands", "comparison": pair["comparison"],
            "choice": ("left", "right")[texts.index(wanted)], "shown": [side["sha256"] for side in pair["sides"]],
        }  # fmt: skip


def _until(happened: Callable[[], bool], words: str) -> None:
    deadline = time.monotonic() + _BOUND
    while not happened():
        assert time.monotonic() < deadline, f"{words}: that did not happen within {_BOUND} s"
        time.sleep(0.005)


def _change(house: House, admin: httpx.Client, there: bool) -> Change:
    """Promote the other one, or take that back."""
    asked = time.monotonic()
    if there:
        wish = {"model": "right-hand", "overrule": True, "reason": "For the test."}
        answer = admin.post("/api/rounds/promote", json=wish)
    else:
        answer = admin.post("/api/rounds/rollback", json={"reason": "For the test."})
    assert answer.status_code == 200, answer.text
    return Change(answer.json()["champion"], asked, time.monotonic())


@pytest.fixture(scope="module")
def load(house: House) -> tuple[Crowd, list[Change]]:
    """Everybody at work while the champion changes and changes back; each time all have heard the newest before."""
    crowd = Crowd(house)
    with house.client("ada") as admin, ThreadPoolExecutor(STREAMS + VOTERS) as pool:
        wish = {"model": "left-hand", "overrule": True, "reason": "To begin with."}
        assert admin.post("/api/rounds/promote", json=wish).status_code == 200
        changes = [Change("left-hand", 0.0, time.monotonic())]
        at_work = [pool.submit(crowd.listen, number) for number in range(STREAMS)]
        at_work += [pool.submit(crowd.judge, f"voter-{number}") for number in range(VOTERS)]
        try:
            for there, _ in zip(cycle((True, False)), range(2 * THERE_AND_BACK), strict=False):
                _until(lambda: _all_heard(crowd, changes[-1].done) or _failed(at_work), "all have heard the newest")
                votes = crowd.votes
                _until(lambda: crowd.votes > votes or _failed(at_work), "somebody votes")  # noqa: B023
                _until(lambda: len(crowd.speaking) >= STREAMS // 2 or _failed(at_work), "answers are in the middle")
                changes.append(_change(house, admin, there))
            _until(lambda: _all_heard(crowd, changes[-1].done) or _failed(at_work), "all have heard the last")
        finally:
            crowd.over.set()
        for one in at_work:
            one.result(_BOUND)
    return crowd, changes


def _failed(at_work: Sequence[Any]) -> bool:
    return any(one.done() for one in at_work)


def _all_heard(crowd: Crowd, since: float) -> bool:
    """Whether each stream has begun and ended an answer since then."""
    return len({one.prompt for one in list(crowd.heard) if one.sent > since}) == STREAMS


def _champions(changes: Sequence[Change], heard: Heard) -> set[str]:
    """Who may have been champion when this was asked, between being sent for and beginning to come."""
    following = [change.done for change in changes[1:]] + [float("inf")]
    return {
        change.champion
        for change, until in zip(changes, following, strict=True)
        if change.asked <= heard.begun and heard.sent <= until
    }


def test_every_stamp_is_true_while_the_champion_changes_and_changes_back(
    house: House, load: tuple[Crowd, list[Change]]
) -> None:
    crowd, changes = load

    names = ["left-hand", "right-hand"]
    sha = {name: get_model(house.store, name).adapter_sha256 for name in names}
    wrong = [
        one
        for one in crowd.heard
        if one.text != house.alone[one.stamp["adapter"], one.prompt]
        or one.stamp["adapter_sha256"] != sha[one.stamp["adapter"]]
        or one.stamp["adapter"] not in _champions(changes, one)
    ]
    assert wrong == []
    assert all(sha.values())
    assert all(house.alone[names[0], prompt] != house.alone[names[1], prompt] for prompt in ASKED)
    assert [change.champion for change in changes] == [*(names * THERE_AND_BACK), "left-hand"]
    in_the_middle = 0
    for before, change in pairwise(changes):
        # What was in the middle ended on the old weights; what was asked afterwards came from the new.
        during = [one for one in crowd.heard if one.begun < change.asked and one.ended > change.done]
        afterwards = [one for one in crowd.heard if _champions(changes, one) == {change.champion}]
        assert {one.stamp["adapter"] for one in during} <= {before.champion}
        assert {one.stamp["adapter"] for one in afterwards} == {change.champion}
        in_the_middle += len(during)
    assert in_the_middle >= 2 * THERE_AND_BACK


@pytest.mark.usefixtures("load")
def test_no_vote_is_on_a_wrong_stamp(house: House) -> None:
    store = house.store
    votes = current_votes(store, get_study(store, "hands").id)

    assert len({vote.annotator for vote in votes}) == VOTERS
    for vote in votes:
        whole = get_comparison(store, vote.comparison_id)
        prompt = whole.comparison.prompt[-1]["content"]
        chosen = whole.answers["ab".index(vote.choice)]
        assert chosen.model_name == "right-hand"
        assert vote.shown_sha256 == [text_sha256(answer.text or "") for answer in whole.answers]
        for answer in whole.answers:
            assert answer.stamp is not None
            model = get_model(store, answer.model_name)
            assert (answer.model_id, answer.text) == (model.id, house.alone[model.name, prompt])
            assert (answer.stamp["adapter"], answer.stamp["adapter_sha256"]) == (model.name, model.adapter_sha256)
