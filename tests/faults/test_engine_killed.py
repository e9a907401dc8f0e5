"""kill -9 of the engine in the middle of streams: it is started again, work goes on, nothing half or wrong stands."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storage import answerings as kept
from storage.batches import open_batch, publish
from storage.comparisons import answers_of, create_study
from storage.datasets import create_dataset, get_dataset
from storage.examples import Draft, add_examples, page
from storage.home import read_json
from storage.models import add_model
from storage.processes import alive
from storage.queries import Query
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import SamplingParams
from studio.clients.engine import Engine
from studio.clients.processes import start_engine, stop_engine
from studio.clients.reviving import EngineKeeper
from studio.feedback import answerings
from studio.feedback.answerings import Wish, begin, report
from studio.feedback.comparing import add_next
from studio.feedback.sampling import Sampling
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

TOKENS = 200
PROMPTS = [f"question {number}: what is it about?" for number in range(24)]
FEW = 6
GREEDY = SamplingParams(max_tokens=TOKENS, temperature=0)
PATIENCE = 240.0


class Kept(NamedTuple):
    """A home whose engine is kept running, two models on one base, and prompts."""

    store: Store
    a: Model
    b: Model

    def pid(self) -> int | None:
        """The engine that can be asked now."""
        said = read_json(self.store.home.engine_file)
        return int(said["pid"]) if said and alive(said["pid"], said["started"]) else None

    def kill(self) -> None:
        """End the engine as kill -9 does, and wait until it is gone."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        until(lambda: self.pid() != pid, "the engine is gone")

    def alone(self, model: Model, prompt: list[dict[str, Any]]) -> str:
        """What a model answers when nobody disturbs it."""
        return Engine(self.store.home).complete(model, self.store, prompt, GREEDY).text


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    base = tiny.save_base(root / "base")
    return {"base": base, "a": tiny.save_adapter(root / "a", base, 1), "b": tiny.save_adapter(root / "b", base, 2)}


@pytest.fixture
def home_kept(store: Store, folders: dict[str, Path]) -> Iterator[Kept]:
    base = add_model(store, "tiny", "base", path=str(folders["base"]))
    a, b = (
        add_model(store, name, "adapter", base_id=base.id, parent_id=base.id, path=str(folders[name])) for name in "ab"
    )
    dataset = create_dataset(store, "questions", "prompts")
    batch = open_batch(store, dataset.id, "import", "me")
    add_examples(store, batch, [Draft({"prompt": [{"role": "user", "content": text}]}, text) for text in PROMPTS])
    publish(store, batch)
    start_engine(store.home)
    keeper = EngineKeeper(store.home)
    keeper.start()
    yield Kept(store, a, b)
    keeper.stop()
    stop_engine(store.home)


def until(happened: Callable[[], bool], words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"{words}: that did not happen within {PATIENCE:g} s"
        time.sleep(0.005)


def in_the_middle(studio: Studio, comparisons: list[str], letters: int) -> Callable[[], bool]:
    """Whether some answer has come so far."""

    def reached() -> bool:
        found = (studio.answerer.hub.find(one) for one in comparisons)
        return any(letters <= len(text) for live in found if live for text in live.now().texts)

    return reached


def answer_all(place: Kept, kills: list[int], count: int) -> list[str]:
    """Have a study answered ahead while the engine is killed when an answer has so many letters, once for each."""
    store = place.store
    sampling = {"sampling": {"temperature": 0, "max_tokens": TOKENS}}
    study = create_study(store, "first-look", [place.a, place.b], get_dataset(store, "questions").id, sampling, seed=3)
    studio = Studio(settings=Settings.from_env({}, home=store.home.path))
    made = [one.id for one in add_next(store, study, count)]
    studio.answerer.start()
    studio.answerer.look(study.id, "me")
    for letters in kills:
        before = states(store).count("ready")
        until(in_the_middle(studio, made, letters), f"{letters} letters are there")
        place.kill()
        if count > FEW:  # one comparison bears a few ends of the engine, not twenty
            until(lambda before=before: states(store).count("ready") > before, "one more is answered")  # type: ignore[misc]
    until(lambda: set(states(store)) == {"ready"}, "all are answered")
    studio.answerer.stop()
    return made


def states(store: Store) -> list[str]:
    return [row["state"] for row in store.rows("select state from comparisons order by number")]


def assert_nothing_wrong(place: Kept, made: list[str]) -> None:
    """Every stored answer is whole, and what its model answers undisturbed; its stamp names that model's weights."""
    for identity in made:
        prompt = place.store.value("select prompt from comparisons where id = ?", [identity])
        for answer in answers_of(place.store, identity):
            model = place.a if answer.model_name == "a" else place.b
            assert answer.stamp is not None
            assert answer.text == place.alone(model, json.loads(prompt))
            assert (answer.tokens, answer.stamp["finish_reason"], answer.stamp["adapter"]) == (
                TOKENS, "length", answer.model_name,
            )  # fmt: skip


@pytest.mark.slow
def test_what_is_answered_ahead_goes_on_after_the_engine_was_killed(home_kept: Kept) -> None:
    made = answer_all(home_kept, [1, 100], FEW)

    assert_nothing_wrong(home_kept, made[:3])
    assert home_kept.store.value("select count(*) from comparisons where error is not null") == 0


@pytest.mark.slow
def test_a_dataset_is_answered_to_its_end_although_the_engine_was_killed(home_kept: Kept) -> None:
    answered_although_killed(home_kept, 1, FEW)


@pytest.mark.slow
def test_an_engine_killed_at_twelve_moments_spoils_nothing(home_kept: Kept) -> None:
    moments = random.Random(7)
    made = answer_all(home_kept, [moments.randrange(1, 300) for _ in range(12)], len(PROMPTS))

    assert_nothing_wrong(home_kept, made)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [2, 3])
def test_a_dataset_outlives_many_engines(home_kept: Kept, kills: int) -> None:
    answered_although_killed(home_kept, kills, len(PROMPTS))


def answered_although_killed(place: Kept, kills: int, count: int) -> None:
    """Have prompts answered by both models, kill the engine so often, and compare with the undisturbed."""
    store = place.store
    wish = Wish("questions", ["a", "b"], "answered", sampling=Sampling(TOKENS, 0.0), seed=1, count=count)
    answering = begin(store, Actor("ada", "curator"), wish)
    for number in range(kills):
        before = kept.counts(store, answering.id).answered
        until(lambda: _load(store) > 0, "rows are written")
        place.kill()
        if number + 1 < kills:  # the same questions bear a few ends of the engine, not any number
            until(
                lambda before=before: kept.counts(store, answering.id).answered > before,  # type: ignore[misc]
                "more are answered",
            )

    until(lambda: not answerings.working(store, answering), "the answering has ended")

    told = report(store, kept.get_answering(store, answering.id))
    assert (told["state"], told["answered"], told["failed"], told["error"]) == ("done", 2 * count, 0, None)
    for row in page(store, get_dataset(store, "answered").id, Query(limit=50)).examples[::4]:
        said = {one["model"]: one["messages"][-1]["content"] for one in row.content["answers"]}
        assert said == {model.name: place.alone(model, row.content["prompt"]) for model in (place.a, place.b)}


def _load(store: Store) -> int:
    said = Engine(store.home).health()
    return int(said["load"]["background"]) if said else 0
