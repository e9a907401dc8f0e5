"""Comparisons are made least used prompt first, answered on both sides at once, and kept ready ahead."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.batches import open_batch, publish
from storage.comparisons import answers_of, claim_waiting, create_study, get_comparison, get_study, release
from storage.datasets import create_dataset
from storage.errors import BadInput, Conflict
from storage.examples import Draft, add_examples
from storage.home import Home
from storage.models import add_model, get_model
from storage.prompts import Messages
from storage.rows import Study
from storage.store import Store
from studio.clients.answers import SamplingParams
from studio.clients.engine import Engine
from studio.feedback.answering import AHEAD, Answerer
from studio.feedback.asking import generate, read_prompts
from studio.feedback.comparing import add_free, add_next, make_comparisons
from studio.feedback.filling import AT_ONCE, Filler
from studio.feedback.hub import Hub
from studio.feedback.sampling import Sampling
from studio.feedback.studies import set_sampling
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.talker import Talker

pytestmark = pytest.mark.heavy

PROMPTS = [f"question {number}" for number in range(6)]


@pytest.fixture
def talker() -> Iterator[Talker]:
    talker = Talker({"o": lambda messages, seed: f"short {seed}", "w": lambda messages, seed: "a long answer"})
    yield talker
    talker.close()


@pytest.fixture
def study(store: Store, talker: Talker) -> Study:
    models = [
        add_model(store, name, "endpoint", url=talker.url, remote_name=remote)
        for name, remote in (("nimble-otter", "o"), ("grand-walrus", "w"))
    ]
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": [{"role": "user", "content": text}]}, text) for text in PROMPTS])
    publish(store, batch)
    return create_study(store, "first-look", models, dataset.id, seed=3)


@pytest.fixture
def settings(home: Home) -> Settings:
    return Settings.from_env({}, home=home.path)


def _questions(store: Store, study: Study) -> list[str]:
    rows = store.rows("select id from comparisons where study_id = ? order by number", [study.id])
    return [get_comparison(store, row["id"]).comparison.prompt[0]["content"] for row in rows]


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.02)


def test_every_prompt_is_asked_before_one_is_asked_twice(store: Store, study: Study) -> None:
    add_next(store, study, 4)
    add_next(store, study, 8)

    asked = _questions(store, study)

    assert sorted(asked[:6]) == sorted(asked[6:]) == PROMPTS
    assert asked[:6] != PROMPTS


def test_the_same_seed_asks_in_the_same_order(store: Store, study: Study) -> None:
    models = [get_model(store, model_id) for model_id in study.models]
    twin = create_study(store, "twin", models, study.prompts_id, seed=study.seed)
    add_next(store, study, 6)
    add_next(store, twin, 6)

    assert _questions(store, twin) == _questions(store, study)


def test_of_three_models_each_two_meet_equally_often(store: Store, study: Study) -> None:
    third = add_model(store, "quiet-heron", "endpoint", url="http://127.0.0.1:9/v1", remote_name="h")
    models = [*(get_model(store, model_id) for model_id in study.models), third]
    three = create_study(store, "three", models, study.prompts_id)
    added = add_next(store, three, 6)

    met = Counter(frozenset(answer.model_name for answer in answers_of(store, one.id)) for one in added)
    assert sorted(met.values()) == [2, 2, 2]


def test_compare_makes_comparisons_ready_with_stamped_answers(store: Store, settings: Settings, study: Study) -> None:
    made = make_comparisons(store, settings, "second", ["nimble-otter", "grand-walrus"], "questions", 3)

    assert made.to_json() == {"study": "second", "comparisons": 3, "failed": 0, "error": None}
    row = store.one("select id, state from comparisons where study_id = ?", [get_study(store, "second").id])
    assert row is not None
    first, second = answers_of(store, row["id"])
    assert (row["state"], second.text, second.tokens) == ("ready", "a long answer", 3)
    assert first.stamp is not None
    assert first.text == f"short {first.stamp['seed']}"
    assert first.stamp["params"] == {"max_tokens": 256, "temperature": 1.0, "top_p": 1.0}


def test_compare_without_a_count_asks_every_prompt_once(store: Store, settings: Settings, study: Study) -> None:
    assert make_comparisons(store, settings, "first-look", [], "questions").comparisons == len(PROMPTS)


def test_one_model_twice_gives_two_answers(store: Store, settings: Settings, study: Study) -> None:
    make_comparisons(store, settings, "mirror", ["nimble-otter", "nimble-otter"], "questions", 1)

    row = store.one("select id from comparisons where study_id = ?", [get_study(store, "mirror").id])
    first, second = answers_of(store, (row or {})["id"])
    assert first.text != second.text


def test_a_study_keeps_its_models_and_settings(store: Store, settings: Settings, study: Study, talker: Talker) -> None:
    set_sampling(store, study, Sampling(max_tokens=9, temperature=0.5, top_p=0.9), Actor("ann", "curator"))

    make_comparisons(store, settings, "first-look", ["nimble-otter", "grand-walrus"], "questions", 1)

    assert {(a["max_tokens"], a["temperature"], a["top_p"]) for a in talker.asked} == {(9, 0.5, 0.9)}
    with pytest.raises(Conflict, match='Study "first-look" compares other models'):
        make_comparisons(store, settings, "first-look", ["nimble-otter", "nimble-otter"], "questions", 1)
    with pytest.raises(BadInput, match="needs two models"):
        make_comparisons(store, settings, "alone", ["nimble-otter"], "questions", 1)


def test_a_failure_is_kept_with_its_sentence_and_not_tried_for_ever(
    store: Store, settings: Settings, study: Study, talker: Talker
) -> None:
    talker.failing = True

    made = make_comparisons(store, settings, "first-look", [], "questions", 6)

    assert made.comparisons == 0
    assert made.error in ('"nimble-otter" answered: out of order', '"grand-walrus" answered: out of order')
    assert len(talker.asked) <= 12


def test_while_the_engine_has_moved_aside_answers_wait_and_then_come(
    store: Store, settings: Settings, study: Study, talker: Talker
) -> None:
    talker.aside = 10  # more than the client itself asks again

    made = make_comparisons(store, settings, "first-look", [], "questions", 1)

    assert (made.comparisons, made.error, talker.aside) == (1, None, 0)


def test_what_a_crash_left_half_answered_is_answered_after_it(store: Store, settings: Settings, study: Study) -> None:
    add_next(store, study, 1)
    claimed = claim_waiting(store, study.id)

    released = release(store)
    make_comparisons(store, settings, "first-look", [], "questions", 1)

    assert (released, claimed is not None) == (1, True)
    assert {row["state"] for row in store.rows("select state from comparisons")} == {"ready"}


def test_a_slower_answer_never_replaces_one_that_stands(store: Store, study: Study, talker: Talker) -> None:
    (comparison,) = add_next(store, study, 1)
    claimed = claim_waiting(store, study.id)
    assert claimed is not None
    talker.held.clear()
    slow = threading.Thread(target=Filler(store, Engine(store.home), Hub(), threading.Event()).fill, args=(claimed,))
    slow.start()
    _until(lambda: len(talker.asked) == 2)
    with store.write():
        for answer in answers_of(store, comparison.id):
            store.execute("update answers set text = 'first', sha256 = 'f' where id = ?", [answer.id])
        store.execute("update comparisons set state = 'ready' where id = ?", [comparison.id])

    talker.held.set()
    slow.join(20)

    assert [answer.text for answer in answers_of(store, comparison.id)] == ["first", "first"]


def test_a_typed_question_is_answered_before_all_others(store: Store, study: Study) -> None:
    add_next(store, study, 3)
    own = add_free(store, "first-look", "  my own question  ")

    claimed = claim_waiting(store, study.id)

    assert claimed is not None
    assert (claimed.id, claimed.prompt) == (own.id, [{"role": "user", "content": "my own question"}])


def test_the_service_keeps_a_few_pairs_ready_ahead_and_no_more(settings: Settings, store: Store, study: Study) -> None:
    answerer = Answerer(Studio(settings=settings))
    answerer.start()
    answerer.look(study.id, "me")

    _until(lambda: store.value("select count(*) from comparisons where state = 'ready'") == AHEAD)
    time.sleep(0.3)
    answerer.stop()

    assert store.value("select count(*) from comparisons") == AHEAD


def test_the_service_goes_on_after_the_store_has_refused_it(
    settings: Settings, store: Store, study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    store.execute("create trigger full before insert on comparisons begin select raise(abort, 'disk is full'); end")
    answerer = Answerer(Studio(settings=settings))
    answerer.start()
    answerer.look(study.id, "me")
    _until(lambda: "disk is full" in caplog.text)

    store.execute("drop trigger full")
    _until(lambda: store.value("select count(*) from comparisons where state = 'ready'") == AHEAD)
    answerer.stop()


def test_answers_that_cannot_be_stored_are_waited_for_by_nobody(store: Store, study: Study) -> None:
    (asked,) = add_next(store, study, 1)
    store.execute("create trigger full before update on answers begin select raise(abort, 'disk is full'); end")
    claimed = claim_waiting(store, study.id)
    assert claimed is not None

    Filler(store, Engine(store.home), Hub(), threading.Event()).fill(claimed)

    ended = get_comparison(store, asked.id).comparison
    assert (ended.state, (ended.error or "")[:43]) == ("failed", "Something went wrong in the studio itself (")


def test_compare_waits_for_what_a_running_studio_has_taken_for_itself(
    settings: Settings, store: Store, study: Study
) -> None:
    answerer = Answerer(Studio(settings=settings))
    answerer.start()
    answerer.look(study.id, "me")

    made = make_comparisons(store, settings, "first-look", [], "questions", 12)
    answerer.stop()

    assert (made.comparisons, made.failed) == (12, 0)


def test_the_hub_shows_both_sides_while_they_are_being_written(
    settings: Settings, store: Store, study: Study, talker: Talker
) -> None:
    talker.held.clear()
    own = add_free(store, "first-look", "slowly, please")
    answerer = Answerer(Studio(settings=settings))
    answerer.start()
    answerer.look(study.id, "me")

    def texts() -> list[str]:
        live = answerer.hub.find(own.id)
        return live.now().texts if live else []

    _until(lambda: texts() == ["sh", "a "])  # as far as the other has come
    talker.held.set()
    _until(lambda: get_comparison(store, own.id).comparison.state == "ready")
    _until(lambda: answerer.hub.find(own.id) is None)
    answerer.stop()


def test_stopping_in_the_middle_leaves_the_comparison_waiting(
    settings: Settings, store: Store, study: Study, talker: Talker
) -> None:
    talker.held.clear()
    own = add_free(store, "first-look", "slowly, please")
    answerer = Answerer(Studio(settings=settings))
    answerer.start()
    answerer.look(study.id, "me")
    _until(lambda: get_comparison(store, own.id).comparison.state == "answering")

    answerer.stop()
    talker.held.set()

    _until(lambda: get_comparison(store, own.id).comparison.state == "waiting")
    assert [answer.text for answer in answers_of(store, own.id)] == [None, None]


def test_generate_answers_each_prompt_by_each_model_in_order(store: Store, study: Study) -> None:
    prompts: list[str | Messages] = ["one", [{"role": "user", "content": "two"}]]

    answers = generate(store, ["grand-walrus", "nimble-otter"], prompts, SamplingParams(seed=7)).to_json()["answers"]

    assert [(a["prompt"], a["model"], a["text"]) for a in answers] == [
        ("one", "grand-walrus", "a long answer"),
        ("one", "nimble-otter", "short 7"),
        ([{"role": "user", "content": "two"}], "grand-walrus", "a long answer"),
        ([{"role": "user", "content": "two"}], "nimble-otter", "short 7"),
    ]
    assert {"base", "base_sha256", "adapter_sha256", "template_sha256", "params", "seed"} <= answers[0]["stamp"].keys()


def test_a_prompts_file_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt": "hello"}\n\n{"prompt": [{"role": "user", "content": "hi"}]}\n', "utf-8")
    assert read_prompts(path) == ["hello", [{"role": "user", "content": "hi"}]]

    path.write_text('{"prompt": "hello"}\n{"question": 1}\n', "utf-8")
    with pytest.raises(BadInput, match="Line 2 has no prompt"):
        read_prompts(path)


def test_a_typed_question_is_begun_by_who_asks_past_all_hands(
    settings: Settings, store: Store, study: Study, talker: Talker
) -> None:
    talker.held.clear()
    answerer = Answerer(Studio(settings=settings))
    answerer.start()
    answerer.look(study.id, "me")
    answering = "select count(*) from comparisons where state = 'answering'"
    _until(lambda: store.value(answering) == AT_ONCE)
    own = add_free(store, "first-look", "slowly, please")

    answerer.answer_now(study.id, own.id)  # or its next round, where that came between
    assert get_comparison(store, own.id).comparison.state == "answering"
    assert not answerer.answer_now(study.id, own.id)  # it is being answered already
    talker.held.set()
    _until(lambda: get_comparison(store, own.id).comparison.state == "ready")
    answerer.stop()


def test_a_service_that_does_not_run_begins_nothing(settings: Settings, store: Store, study: Study) -> None:
    own = add_free(store, "first-look", "anybody?")

    assert not Answerer(Studio(settings=settings)).answer_now(study.id, own.id)
    assert get_comparison(store, own.id).comparison.state == "waiting"
