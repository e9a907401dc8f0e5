"""What is answered next: what somebody waits for, what is nearest to be judged, then the rest; and how far it is."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from storage import leases
from storage.batches import open_batch, publish
from storage.clock import now
from storage.comparisons import claim_waiting, create_study, get_comparison, set_state, waited_for
from storage.datasets import create_dataset
from storage.examples import Draft, add_examples
from storage.home import Home
from storage.leases import Lease
from storage.models import add_model, get_model
from storage.prompts import as_messages
from storage.rows import Comparison, Study
from storage.store import Store
from studio.clients.answers import Answer, SamplingParams
from studio.feedback.ahead import ahead_of, open_studies, pace_of
from studio.feedback.answering import Answerer
from studio.feedback.comparing import add_free, add_next
from studio.feedback.reuse import Identity, Sharing, key_of, proved
from studio.settings import Settings
from studio.studio import Studio
from tests.talker import Talker

IDENTITY = Identity("base", "adapter", "template", "float32")
ASKED: list[dict[str, Any]] = [{"role": "user", "content": "Open?"}]


@pytest.fixture
def talker() -> Iterator[Talker]:
    talker = Talker({"o": lambda messages, seed: "yes", "w": lambda messages, seed: "no"})
    yield talker
    talker.close()


@pytest.fixture
def study(store: Store, talker: Talker) -> Study:
    """A study of two models on eight prompts."""
    models = [
        add_model(store, name, "endpoint", url=talker.url, remote_name=remote)
        for name, remote in (("nimble-otter", "o"), ("grand-walrus", "w"))
    ]
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": as_messages(f"{n}?")}, f"{n}") for n in range(8)])
    publish(store, batch)
    return create_study(store, "first-look", models, dataset.id, seed=3)


def hold(store: Store, comparison: Comparison, annotator: str, at: float) -> None:
    """Somebody holds a comparison since a moment."""
    leases.take(store, Lease(comparison.id, annotator, comparison.study_id, leases.QUEUE, None, at, at + 600))


def test_typed_questions_come_first_then_what_people_hold_then_the_rest_in_order(store: Store, study: Study) -> None:
    first, second, third, fourth = add_next(store, study, 4)
    hold(store, fourth, "ann", now())
    hold(store, third, "bob", now() - 5)
    typed = add_free(store, study.name, "my own question")

    order = [claim_waiting(store, study.id) for _ in range(5)]

    assert [one.id for one in order if one] == [typed.id, third.id, fourth.id, first.id, second.id]
    assert claim_waiting(store, study.id) is None


def test_somebody_waits_for_the_first_that_they_hold_where_nothing_is_ready(store: Store, study: Study) -> None:
    first, second, third = add_next(store, study, 3)
    assert waited_for(store, study.id) is None

    hold(store, second, "ann", now() - 2)
    hold(store, first, "ann", now())
    assert waited_for(store, study.id) == second.id

    hold(store, third, "ann", now() - 3)
    store.execute("update comparisons set state = 'ready' where id = ?", [third.id])
    assert waited_for(store, study.id) is None

    leases.take(store, Lease(third.id, "ann", study.id, leases.QUEUE, None, now() - 9, now() - 1))
    assert waited_for(store, study.id) == second.id


def test_a_study_tells_what_is_ready_what_comes_and_how_long_that_takes(store: Store, study: Study) -> None:
    made = add_next(store, study, 8)
    for place, state in enumerate(("ready", "ready", "ready", "failed", "answering")):
        ready_at = now() - 30 * (place + 1) if state == "ready" else None
        store.execute("update comparisons set state = ?, ready_at = ? where id = ?", [state, ready_at, made[place].id])
    store.execute("update comparisons set given = 1 where id = ?", [made[0].id])

    ahead = ahead_of(store, study.id, overlap=1)

    assert ahead[:4] == (2, 3, 1, 1)
    assert ahead.per_minute == pytest.approx(60 * 2 / 90, rel=0.02)
    assert ahead.eta_seconds == pytest.approx(60 * 4 / (60 * 2 / 90), rel=0.02)


def test_a_pace_needs_two_moments(store: Store) -> None:
    assert pace_of([], 100.0) == 0
    assert pace_of([90.0], 100.0) == 0
    assert pace_of([90.0, 95.0, 70.0], 100.0) == 4


def test_only_open_studies_with_something_to_answer_are_answered_further(store: Store, study: Study) -> None:
    assert open_studies(store) == []
    add_next(store, study, 1)
    assert [one.name for one in open_studies(store)] == ["first-look"]

    set_state(store, study.id, "closed")

    assert open_studies(store) == []


@pytest.mark.heavy
def test_what_waits_in_a_study_that_nobody_looks_at_is_answered_too(home: Home, store: Store, study: Study) -> None:
    waiting = add_next(store, study, 3)
    models = [get_model(store, identity) for identity in study.models]
    create_study(store, "newest", models, None)  # the service looks at the newest open one by itself
    answerer = Answerer(Studio(settings=Settings.from_env({}, home=home.path)))
    answerer.start()

    deadline = time.monotonic() + 30
    while {get_comparison(store, one.id).comparison.state for one in waiting} != {"ready"}:
        assert time.monotonic() < deadline, "it was not answered within 30 s"
        time.sleep(0.02)
    answerer.stop()

    assert store.value("select count(*) from comparisons") == 3


def test_a_key_names_all_that_decides_an_answer_and_nothing_else() -> None:
    greedy = SamplingParams(max_tokens=9, temperature=0, seed=1)
    drawn = SamplingParams(max_tokens=9, temperature=0.7, seed=1)
    key = key_of(IDENTITY, ASKED, greedy)

    assert key == key_of(IDENTITY, ASKED, SamplingParams(9, 0, 0.5, 2))
    others = [
        key_of(IDENTITY._replace(adapter_sha256="other"), ASKED, greedy),
        key_of(IDENTITY._replace(dtype="bfloat16"), ASKED, greedy),
        key_of(IDENTITY, [*ASKED, *ASKED], greedy),
        key_of(IDENTITY, ASKED, SamplingParams(max_tokens=8, temperature=0)),
        key_of(IDENTITY, ASKED, drawn),
        key_of(IDENTITY, ASKED, SamplingParams(max_tokens=9, temperature=0.7, seed=2)),
    ]
    assert len({key, *others}) == 7
    assert None not in others
    assert key_of(None, ASKED, greedy) is None
    assert key_of(IDENTITY, ASKED, SamplingParams(temperature=0.7)) is None


def test_an_answer_whose_stamp_names_other_weights_bears_no_key() -> None:
    assert proved("key", IDENTITY, {**IDENTITY._asdict(), "seed": 3}) == "key"
    assert proved("key", IDENTITY, {**IDENTITY._asdict(), "adapter_sha256": "other"}) is None
    assert proved("key", None, IDENTITY._asdict()) is None


def test_the_same_question_at_the_same_time_is_asked_once(store: Store) -> None:
    sharing, asked, begun, release = Sharing(), [], threading.Event(), threading.Event()
    answer = Answer("yes", 1, 0.1, "stop", {})

    def make() -> Answer:
        asked.append(1)
        begun.set()
        release.wait(20)
        return answer

    got: list[tuple[Answer, bool]] = []
    threads = [threading.Thread(target=lambda: got.append(sharing.get("key", make, lambda: False))) for _ in range(3)]
    threads[0].start()
    assert begun.wait(20)
    for thread in threads[1:]:
        thread.start()
    release.set()
    for thread in threads:
        thread.join(20)

    assert (len(asked), sorted(shared for _, shared in got)) == (1, [False, True, True])
    assert {one.text for one, _ in got} == {"yes"}
    assert sharing.get("key", make, lambda: False) == (answer, False)


def test_where_the_one_that_asks_fails_the_others_ask_themselves(store: Store) -> None:
    sharing, begun, release = Sharing(), threading.Event(), threading.Event()

    def fail() -> Answer:
        begun.set()
        release.wait(20)
        raise RuntimeError("gone")

    def lead() -> None:
        with pytest.raises(RuntimeError):
            sharing.get("key", fail, lambda: False)

    leader = threading.Thread(target=lead)
    leader.start()
    assert begun.wait(20)
    threading.Timer(0.1, release.set).start()

    answer, shared = sharing.get("key", lambda: Answer("mine", 1, 0.1, "stop", {}), lambda: False)

    leader.join(20)
    assert (answer.text, shared) == ("mine", False)
