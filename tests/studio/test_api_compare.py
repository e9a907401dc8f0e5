"""The routes of /compare: blind until the vote, saved once, tokens as they come, sentences where something fails."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from storage import leases
from storage.batches import open_batch, publish
from storage.clock import blind_id
from storage.comparisons import NewComparison, add_comparison, create_study, get_study
from storage.datasets import create_dataset
from storage.examples import Draft, add_examples
from storage.home import Home
from storage.leases import SECOND, Lease
from storage.models import add_model, get_model
from storage.prompts import as_messages
from storage.votes import current_votes
from studio.api import compare
from studio.api.allowed import actor_of, name_of
from studio.api.errors import add_error_answers
from studio.feedback.study_settings import change_settings
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.talker import Talker

pytestmark = pytest.mark.heavy

NAMES = ("nimble-otter", "grand-walrus")
PROMPTS = [f"question {number}" for number in range(40)]


class Web(NamedTuple):
    """A studio with a study of two endpoint models, its routes, and every response's body so far."""

    studio: Studio
    client: TestClient
    talker: Talker
    bodies: list[str]

    def get(self, path: str, status: int = 200) -> Any:
        return self._kept(self.client.get(f"/api/compare/{path}"), status)

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        return self._kept(self.client.post(f"/api/compare/{path}", json=body), status)

    def _kept(self, response: Any, status: int) -> Any:
        self.bodies.append(response.text)
        assert response.status_code == status, response.text
        return response.json()

    def pairs(self, ready: int = 1) -> list[dict[str, Any]]:
        """The next pairs, once so many are ready and the first is among them."""
        deadline = time.monotonic() + 20
        while True:
            pairs: list[dict[str, Any]] = self.get("next")["pairs"]
            states = [pair["state"] for pair in pairs]
            if states[:1] == ["ready"] and states.count("ready") >= ready:
                return pairs
            assert time.monotonic() < deadline, pairs
            time.sleep(0.02)

    def vote(self, pair: dict[str, Any], choice: str, vote_id: str = "", status: int = 200, **more: Any) -> Any:
        shown = [side["sha256"] for side in pair["sides"]]
        body = {"id": vote_id or f"vote-{pair['comparison']}", "study": "first-look", "comparison": pair["comparison"]}
        return self.post("vote", {**body, "choice": choice, "shown": shown, **more}, status)


@pytest.fixture
def web(home: Home) -> Iterator[Web]:
    talker = Talker(
        {"o": lambda messages, seed: f"Short, {seed}.", "w": lambda messages, seed: f"A long answer, {seed}."}
    )
    studio = Studio(settings=Settings.from_env({}, home=home.path))
    models = [
        add_model(studio.store, name, "endpoint", url=talker.url, remote_name=remote)
        for name, remote in zip(NAMES, "ow", strict=True)
    ]
    dataset = create_dataset(studio.store, "questions", "prompts")
    batch = open_batch(studio.store, dataset.id, "import", "me")
    drafts = [Draft({"prompt": [{"role": "user", "content": text}]}, text) for text in PROMPTS]
    add_examples(studio.store, batch, drafts)
    publish(studio.store, batch)
    create_study(studio.store, "first-look", models, dataset.id, seed=3)
    app = FastAPI()
    add_error_answers(app)
    app.include_router(compare.router(studio))
    studio.answerer.start()
    with TestClient(app) as client:
        yield Web(studio, client, talker, [])
    studio.answerer.stop()
    talker.close()
    studio.store.close()


def test_no_body_before_the_vote_names_a_model_and_the_vote_tells_both(web: Web) -> None:
    pair = web.pairs(3)[0]
    web.get("studies")
    web.get("progress?study=first-look")
    web.post("prompt", {"study": "first-look", "prompt": "my own"})
    web.bodies.append(web.client.get(f"/api/compare/stream/{pair['comparison']}").text)

    assert [name for name in NAMES for body in web.bodies if name in body] == []

    answer = web.vote(pair, "left")
    left = pair["sides"][0]["text"]
    assert answer["reveal"] == list(NAMES if left.startswith("Short") else NAMES[::-1])


def test_a_failure_of_a_model_is_told_without_its_name(web: Web) -> None:
    web.talker.failing = True
    deadline = time.monotonic() + 20
    while not (sitting := web.get("next"))["error"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert sitting["error"] == "A model answered: out of order"
    assert [name for name in NAMES for body in web.bodies if name in body] == []


def test_after_a_failure_nothing_is_asked_until_somebody_says_so(web: Web) -> None:
    web.talker.failing = True
    while not web.get("next")["error"]:
        time.sleep(0.05)
    time.sleep(0.5)  # what was being asked at that moment fails as well
    web.talker.failing = False
    asked = len(web.talker.asked)
    time.sleep(1.5)
    assert len(web.talker.asked) == asked <= 12

    assert web.post("again", {"study": "first-look"})["again"] >= 3
    assert len(web.pairs(1)) >= 1


def test_nothing_before_the_vote_goes_with_the_model(web: Web) -> None:
    """Over many pairs, neither the side nor the order of keys and ids tells who wrote what."""
    lefts = []
    for number in range(40):
        pair = web.pairs()[0]
        lefts.append(pair["sides"][0]["text"].startswith("Short"))
        keys = ["comparison", "state", "source", "layout", "prompt", "error", "sides", "names_a_model", "lease_until"]
        assert list(pair) == keys
        assert [list(side) for side in pair["sides"]] == [["text", "sha256", "history"]] * 2
        web.vote(pair, ("left", "right", "tie", "both_bad")[number % 4])

    assert 10 <= sum(lefts) <= 30


def test_the_same_vote_sent_again_is_answered_and_counted_once(web: Web) -> None:
    pair = web.pairs()[0]

    first, again = web.vote(pair, "left"), web.vote(pair, "left")

    assert (first["new"], again["new"], again["sitting"]["tally"]["mine"]) == (True, False, 1)
    assert first["reveal"] == again["reveal"]


def test_the_answer_to_a_vote_brings_the_next_pairs_and_only_ids_of_those_held(web: Web) -> None:
    pairs = web.pairs(3)

    sitting = web.vote(pairs[0], "tie", hold=[pairs[1]["comparison"]])["sitting"]

    assert sitting["pairs"][0] == {"comparison": pairs[1]["comparison"], "held": True}
    assert sitting["pairs"][1]["comparison"] == pairs[2]["comparison"]
    assert sitting["pairs"][1]["sides"] == pairs[2]["sides"]


def test_a_stale_vote_is_refused_with_a_sentence_and_not_kept(web: Web) -> None:
    pair = web.pairs()[0]
    pair["sides"][0]["sha256"] = "0" * 64

    answer = web.vote(pair, "left", status=409)

    assert answer["error"]["sentence"].startswith("The answers have changed since they were shown")
    assert web.get("next")["tally"]["mine"] == 0


def test_undo_brings_the_pair_back_and_is_idempotent(web: Web) -> None:
    pair = web.pairs()[0]
    web.vote(pair, "left")

    undo = {"id": "undo-0001", "study": "first-look"}
    first, again = web.post("undo", undo), web.post("undo", {**undo, "comparison": pair["comparison"]})

    assert ({**first["pair"], "lease_until": pair["lease_until"]}, first["tally"]["mine"]) == (pair, 0)
    assert (again["undone"], again["pair"]["sides"]) == (None, pair["sides"])
    assert web.get("next")["pairs"][0]["comparison"] == pair["comparison"]


def test_undo_with_nothing_to_take_back_says_so_by_null(web: Web) -> None:
    answer = web.post("undo", {"id": "undo-0001", "study": "first-look"})

    assert (answer["undone"], answer["pair"]) == (None, None)


def test_a_typed_question_streams_on_both_sides_and_ends_with_the_whole_pair(web: Web) -> None:
    web.pairs(3)
    web.talker.pause = 0.1
    pair = web.post("prompt", {"study": "first-look", "prompt": "my own question"})["pair"]
    assert (pair["source"], pair["sides"]) == ("free", [{"text": None, "sha256": None, "history": None}] * 2)

    with web.client.stream("GET", f"/api/compare/stream/{pair['comparison']}") as response:
        events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]

    texts = ["", ""]
    for event in events:
        if event["kind"] == "text":
            texts = [(add if event["anew"] else text + add) for text, add in zip(texts, event["add"], strict=True)]
    done = events[-1]
    assert (done["kind"], done["pair"]["state"]) == ("done", "ready")
    assert all(side["text"].startswith(text) for side, text in zip(done["pair"]["sides"], texts, strict=True))
    assert sum(event["kind"] == "text" for event in events) >= 1
    assert web.get("next")["pairs"][0]["comparison"] == pair["comparison"]


def test_answers_that_are_to_appear_together_are_not_told_before_all_are_whole(web: Web) -> None:
    web.pairs(3)
    change_settings(web.studio.store, get_study(web.studio.store, "first-look"), {"pace": "together"})
    web.talker.pause = 0.1
    pair = web.post("prompt", {"study": "first-look", "prompt": "my own question"})["pair"]

    with web.client.stream("GET", f"/api/compare/stream/{pair['comparison']}") as response:
        events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]

    assert {event["kind"] for event in events} <= {"status", "done"}
    assert "answering" in {event.get("phase") for event in events}
    assert (events[-1]["kind"], events[-1]["pair"]["state"]) == ("done", "ready")


def test_a_second_look_is_told_like_any_other(web: Web) -> None:
    pair = web.pairs(1)[0]
    web.vote(pair, "left")
    study = get_study(web.studio.store, "first-look")
    second = Lease(pair["comparison"], "me", study.id, SECOND, blind_id(), 1.0, 9e9)
    leases.take(web.studio.store, second)

    events = []
    for comparison in (second.alias, pair["comparison"]):
        told = web.client.get(f"/api/compare/stream/{comparison}")
        assert told.status_code == 200, told.text
        events.append(json.loads(told.text.removeprefix("data: ")))

    again, first = (event["pair"] for event in events)
    assert (again["comparison"], list(again)) == (second.alias, list(first))
    assert again["sides"] == first["sides"][::-1]


def test_progress_says_what_the_votes_will_do(web: Web) -> None:
    for _ in range(12):
        web.vote(web.pairs()[0], "left")

    said = web.get("progress?study=first-look")

    assert (said["votes"], said["left_chosen"], said["left_of"]) == (12, 12, 12)
    assert said["pairs"] + said["dropped"].get("measure prompt", 0) == 12
    assert said["enough"] is (said["pairs"] >= 10)
    assert said["train"] == "/train?method=dpo&study=first-look"


def test_standings_name_the_models_when_somebody_asks(web: Web) -> None:
    web.vote(web.pairs()[0], "left")

    standings = web.get("standings?study=first-look")

    assert {model["name"] for model in standings["models"]} == set(NAMES)
    assert standings["pairs"][0]["verdict"] == "not decided"


def test_sampling_holds_for_answers_from_now_on(web: Web) -> None:
    web.pairs(3)
    wanted = {"max_tokens": 12, "temperature": 0.2, "top_p": 0.5}
    web.post("sampling", {"study": "first-look", **wanted})

    web.post("prompt", {"study": "first-look", "prompt": "my own question"})
    web.pairs(4)

    own = [asked for asked in web.talker.asked if asked["messages"][0]["content"] == "my own question"]
    assert [{name: asked[name] for name in wanted} for asked in own] == [wanted, wanted]
    refused = web.post("sampling", {"study": "first-look", **wanted, "top_p": 0}, 422)
    assert refused["error"]["sentence"] == "Top-p lies above 0 and is 1 at most, not 0.0."


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("prompt", {"study": "first-look", "prompt": "  "}, 422, "Type a question first."),
        ("prompt", {"study": "nowhere", "prompt": "x"}, 404, 'There is no study "nowhere"; there are: first-look.'),
        ("vote", {"id": "vote-0001", "study": "first-look", "comparison": "none", "choice": "left"}, 404,
         'There is no comparison "none".'),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_a_sentence(
    web: Web, path: str, body: dict[str, Any], status: int, sentence: str
) -> None:
    assert web.post(path, body, status)["error"]["sentence"] == sentence


def test_a_home_without_studies_says_so_by_null(home: Home) -> None:
    app = FastAPI()
    app.include_router(compare.router(Studio(settings=Settings.from_env({}, home=home.path))))

    assert TestClient(app).get("/api/compare/next").json() == {"study": None}


def test_votes_are_in_the_store_before_the_answer_comes(web: Web) -> None:
    pair = web.pairs()[0]

    saved = web.vote(pair, "both_bad", seconds=2.5)["saved"]

    study_id = web.studio.store.value("select id from studies")
    (vote,) = current_votes(web.studio.store, study_id, "me")
    assert (vote.id, vote.choice, vote.seconds, vote.source) == (saved, "both_bad", 2.5, "studio")


def test_the_sitting_tells_all_that_a_page_needs_and_nothing_of_how_people_are_checked(web: Web) -> None:
    web.pairs()

    sitting = web.get("next")

    assert list(sitting) == [
        "study", "open", "can_ask", "has_prompts", "sampling", "settings", "guidelines", "closed_to_me", "pairs",
        "tally", "coming", "failed", "error",
    ]  # fmt: skip
    assert set(sitting["settings"]) == {
        "layout", "sides", "scale", "continues", "strength", "rationale", "pace", "overlap", "criteria", "chips",
        "skip_reasons",
    }  # fmt: skip
    assert list(sitting["tally"]) == [
        "mine", "today", "target", "seconds_today", "left_chosen", "left_of", "round_done", "round_total",
    ]  # fmt: skip
    assert (sitting["guidelines"], sitting["closed_to_me"]) == (None, None)


def test_votes_of_many_people_at_once_are_all_there_and_nobody_judges_what_another_does(web: Web) -> None:
    """Four people in threads of their own, through the routes: every answer is a row, every comparison has one vote."""
    study = get_study(web.studio.store, "first-look")
    models = [get_model(web.studio.store, model) for model in study.models]
    contestants = [(model.id, model.name) for model in models]
    for number in range(24):
        texts = [f"Short {number}.", f"Long {number}."]
        new = NewComparison(as_messages(f"made {number}"), contestants, texts=texts)
        add_comparison(web.studio.store, study, new)
    saved: list[str] = []

    def judge(name: str) -> None:
        app = FastAPI()
        app.include_router(compare.router(web.studio))
        app.dependency_overrides[actor_of] = lambda: Actor(name, "annotator")
        app.dependency_overrides[name_of] = lambda: name
        person = TestClient(app)
        for _ in range(6):
            pairs = person.get("/api/compare/next?study=first-look").json()["pairs"]
            pair = next(pair for pair in pairs if pair["state"] == "ready")
            body = {"id": f"{name}-{pair['comparison']}", "study": "first-look", "comparison": pair["comparison"]}
            shown = [side["sha256"] for side in pair["sides"]]
            answer = person.post("/api/compare/vote", json={**body, "choice": "tie", "shown": shown})
            saved.append(answer.json()["saved"])

    people = [threading.Thread(target=judge, args=(name,)) for name in ("ann", "bob", "cem", "dan")]
    for person in people:
        person.start()
    for person in people:
        person.join()

    votes = current_votes(web.studio.store, study.id)
    assert sorted(vote.id for vote in votes) == sorted(saved)
    assert len({vote.comparison_id for vote in votes}) == len(votes) == 24
