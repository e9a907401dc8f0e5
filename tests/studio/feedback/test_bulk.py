"""A dataset is answered into a new one by a process that may be stopped or killed at any moment and goes on."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage import answerings as kept
from storage import tasks
from storage.answerings import Answering
from storage.batches import open_batch, publish
from storage.catalogue import list_deleted
from storage.datasets import create_dataset, find_dataset, get_dataset
from storage.errors import BadInput, Conflict, Forbidden
from storage.examples import Draft, add_examples, page
from storage.models import add_model
from storage.processes import alive
from storage.queries import Query
from storage.rows import Example
from storage.store import Store
from studio.feedback import answerings
from studio.feedback.answerings import Wish, begin, report, resume, stop, undo
from studio.feedback.room import USUAL, rows_beside
from studio.feedback.sampling import Sampling
from studio.feedback.standing_answers import compare_answers
from studio.people.roles import Actor
from studio.serve import prepare
from studio.settings import Settings
from studio.studio import Studio
from tests.talker import Talker

pytestmark = pytest.mark.heavy
ADA = Actor("ada", "curator")
PROMPTS = [f"question {number}" for number in range(12)]


@pytest.fixture
def talker() -> Iterator[Talker]:
    def say(messages: list[dict[str, Any]], seed: int) -> str:
        return f"short, to {messages[-1]['content']}"

    talker = Talker({"o": say, "w": lambda messages, seed: f"a long answer, seed {seed}"})
    yield talker
    talker.close()


@pytest.fixture
def place(store: Store, talker: Talker) -> Store:
    """Two models and twelve prompts, the last of them twice in other words of metadata."""
    for name, remote in (("nimble-otter", "o"), ("grand-walrus", "w")):
        add_model(store, name, "endpoint", url=talker.url, remote_name=remote)
    fill(store, "questions", PROMPTS)
    return store


def fill(store: Store, name: str, prompts: list[str]) -> None:
    dataset = create_dataset(store, name, "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": [{"role": "user", "content": text}]}, text) for text in prompts])
    publish(store, batch)


def rows(store: Store, name: str) -> list[Example]:
    return page(store, get_dataset(store, name).id, Query(limit=100)).examples


def until(happened: Callable[[], bool], store: Store, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, (store.home.logs / "tasks.log").read_text()
        time.sleep(0.02)


def ended(store: Store, answering: Answering) -> dict[str, Any]:
    """What is told of an answering when nobody is at it any more."""
    until(lambda: not answerings.working(store, answering), store)
    return report(store, kept.get_answering(store, answering.id))


def test_one_model_makes_conversations_that_say_where_they_come_from(place: Store, talker: Talker) -> None:
    wish = Wish("questions", ["nimble-otter"], "answered", "Be brief.", Sampling(max_tokens=9, temperature=0.5), seed=3)

    told = ended(place, begin(place, ADA, wish))

    assert (told["state"], told["answered"], told["failed"], told["total"]) == ("done", 12, 0, 12)
    assert told["result"] == {"rows": 12, "duplicates": 0, "left_out": {}}
    made = rows(place, "answered")
    assert [row.content["messages"] for row in made] == [
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": f"short, to {prompt}"},
        ]
        for prompt in PROMPTS
    ]
    about = made[0].content["metadata"]
    assert (about["model"], about["source"]) == ("nimble-otter", rows(place, "questions")[0].id)
    assert (about["stamp"]["base"], about["stamp"]["finish_reason"]) == ("nimble-otter", "stop")
    assert {(one["max_tokens"], one["temperature"]) for one in talker.asked} == {(9, 0.5)}
    assert len({one["seed"] for one in talker.asked}) == 12
    assert told["command"] == (
        "ratchet answer questions --model nimble-otter --into answered --system 'Be brief.' --max-new-tokens 9 "
        "--temperature 0.5 --seed 3"
    )
    assert get_dataset(place, "answered").kind == "sft"


def test_several_models_make_answers_that_can_be_compared(place: Store) -> None:
    told = ended(place, begin(place, ADA, Wish("questions", ["nimble-otter", "grand-walrus"], "both", count=5)))

    assert (told["state"], told["answered"], told["result"]["rows"]) == ("done", 10, 5)
    assert [one["model"] for one in rows(place, "both")[0].content["answers"]] == ["nimble-otter", "grand-walrus"]
    assert compare_answers(place, "judged", "both").made == 5


def test_the_same_seed_gives_the_same_answers(place: Store) -> None:
    for name in ("first", "second"):
        ended(place, begin(place, ADA, Wish("questions", ["grand-walrus"], name, seed=11)))

    first, second = ([row.content["messages"] for row in rows(place, name)] for name in ("first", "second"))
    assert first == second
    assert len({turns[-1]["content"] for turns in first}) == 12


def test_what_was_stopped_goes_on_where_it_stood(place: Store, talker: Talker) -> None:
    talker.pause = 0.4  # so that some are still asked for when the word to stop arrives
    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered"))
    until(lambda: kept.counts(place, answering.id).answered > 0, place)

    stop(place, ADA, "answered")
    halted = ended(place, answering)
    talker.pause = 0.0
    gone_on = resume(place, ADA, answering.id)
    told = ended(place, gone_on)

    assert halted["state"] == "stopped"
    assert 0 < halted["answered"] < 12
    assert (told["state"], told["answered"], told["result"]["rows"]) == ("done", 12, 12)
    with pytest.raises(Conflict, match='The answering into "answered" is done; there is nothing to resume'):
        resume(place, ADA, answering.id)


def arrived(talker: Talker) -> int:
    """How many questions came in all, once those have come that were on their way."""
    count = -1
    while count != (count := len(talker.asked)):
        time.sleep(0.3)
    return count


@pytest.mark.parametrize("moment", [pytest.param("asking", marks=pytest.mark.slow), "half-way"])
def test_a_killed_process_loses_nothing_and_asks_for_nothing_twice(moment: str, place: Store, talker: Talker) -> None:
    talker.pause = 0.5
    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered"))
    until(lambda: len(talker.asked) > 0, place)
    if moment == "half-way":
        until(lambda: kept.counts(place, answering.id).answered > 0, place)

    task = tasks.get_task(place, kept.get_answering(place, answering.id).task_id or "")
    assert task.pid is not None
    os.kill(task.pid, signal.SIGKILL)
    until(lambda: not alive(task.pid, task.pid_started), place)
    talker.pause = 0.0
    survived = kept.counts(place, answering.id).answered
    asked = arrived(talker)
    revived = [one.id for one in answerings.revive(place)]
    again = answerings.revive(place)
    told = ended(place, answering)

    assert (revived, again) == ([answering.id], [])
    assert (told["state"], told["answered"], told["result"]) == (
        "done", 12, {"rows": 12, "duplicates": 0, "left_out": {}},
    )  # fmt: skip
    assert len(talker.asked) - asked == 12 - survived
    assert [row.content["messages"][-1]["content"] for row in rows(place, "answered")] == [
        f"short, to {prompt}" for prompt in PROMPTS
    ]


def test_one_that_was_killed_after_its_dataset_appeared_is_done(place: Store) -> None:
    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered"))
    ended(place, answering)
    kept.change(place, answering.id, state="running", finished_at=None)

    prepare(Studio(settings=Settings.from_env({}, home=place.home.path)))  # as `serve` does when it starts
    told = ended(place, answering)

    assert (told["state"], told["made"], told["result"]["rows"]) == ("done", "answered", 12)
    assert len(rows(place, "answered")) == 12


def test_a_name_that_was_taken_meanwhile_gets_a_number(place: Store, talker: Talker) -> None:
    talker.held.clear()
    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered", count=2))
    create_dataset(place, "answered", "sft")

    talker.held.set()
    told = ended(place, answering)

    assert (told["state"], told["into"], told["made"]) == ("done", "answered-2", "answered-2")
    assert (rows(place, "answered"), len(rows(place, "answered-2"))) == ([], 2)


def test_a_server_that_refuses_ends_it_with_its_sentence_and_it_can_be_resumed(place: Store, talker: Talker) -> None:
    talker.failing = True
    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered"))
    failed = ended(place, answering)

    talker.failing = False
    told = ended(place, resume(place, ADA, answering.id))

    assert failed["state"] == "failed"
    assert failed["error"]["sentence"] == (
        '10 questions in a row could not be answered; the last one: "nimble-otter" answered: out of order'
    )
    assert find_dataset(place, failed["into"]) is None or told["made"] == "answered"
    assert (told["state"], told["failed"], told["result"]["rows"]) == ("done", 0, 12)


def test_the_dataset_that_was_made_goes_to_the_deleted_ones_and_its_answers_stay(place: Store) -> None:
    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered"))
    ended(place, answering)

    gone = undo(place, ADA, "answered")

    assert gone.state == "undone"
    assert find_dataset(place, "answered") is None
    assert [one.name for one in list_deleted(place)] == ["answered"]
    with pytest.raises(Conflict, match="nothing to throw away"):
        undo(place, ADA, answering.id)


def test_what_cannot_be_answered_is_refused_before_anything_is_made(place: Store) -> None:
    create_dataset(place, "plain", "text")
    add_model(place, "judge", "reward", path="/nowhere")
    fill(place, "taken", ["x"])
    cases: list[tuple[Wish, type[Exception], str]] = [
        (Wish("plain", ["nimble-otter"], "new"), BadInput, "plain texts, which ask nothing"),
        (Wish("questions", [], "new"), BadInput, "Name 1 to 8 models"),
        (Wish("questions", ["judge"], "new"), BadInput, '"judge" is of kind reward and answers nothing'),
        (Wish("questions", ["nimble-otter"] * 2, "new"), BadInput, "named twice"),
        (Wish("questions", ["nimble-otter"], "taken"), Conflict, "exists already"),
        (Wish("questions", ["nimble-otter"], "no/name"), BadInput, "cannot be a name"),
        (Wish("questions", ["nimble-otter"], "new", count=0), BadInput, "At least one prompt"),
        (Wish("questions", ["nimble-otter"], "new", seed=-1), BadInput, "A seed lies between"),
    ]  # fmt: skip

    for wish, kind, words in cases:
        with pytest.raises(kind, match=words):
            begin(place, ADA, wish)
    with pytest.raises(Forbidden):
        begin(place, Actor("bob", "annotator"), Wish("questions", ["nimble-otter"], "new"))
    assert kept.list_answerings(place) == []


def test_bulk_work_leaves_room_for_those_who_wait() -> None:
    assert rows_beside(None, 0) == USUAL
    assert rows_beside({"urgent": 0, "background": 0, "most": 16}, 0) == 16
    assert rows_beside({"urgent": 0, "background": 6, "most": 16}, 4) == 14
    assert rows_beside({"urgent": 1, "background": 4, "most": 16}, 4) == 2
    assert rows_beside({"urgent": 0, "background": 40, "most": 16}, 0) == 1


def test_an_erased_row_takes_what_was_answered_to_it_along(place: Store) -> None:
    from storage import erasing

    answering = begin(place, ADA, Wish("questions", ["nimble-otter"], "answered"))
    ended(place, answering)
    source = rows(place, "questions")[0]

    erasing.erase(place, get_dataset(place, "questions"), [source.id])

    left = [json.loads(row["stamp"]) for row in place.rows("select stamp from bulk_answers")]
    assert len(left) == 11
    assert kept.given(place, answering.id, [source.id]) == {}
