"""What every backend must do, whoever answers: a class of tests to be inherited.

An heir gives `asked`: a model with the backend that answers for it. Models are small and real, so that texts are
compared with each other and not with what a particular model says. An heir whose server cannot do something says so
in one of the flags, each with the reason; nothing else may be left out.
"""

import threading
from dataclasses import replace
from typing import NamedTuple

import pytest

from storage.errors import RatchetError
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from storage.usage import totals
from studio.clients.answers import Answer, Delta, SamplingParams
from studio.clients.backend import Backend
from studio.clients.engine import Engine
from tests.event_loop import run_alone

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
OTHER = [{"role": "user", "content": "What is three plus four?"}]
FOREIGN = [{"role": "user", "content": "Größe, naïve, 東京 and 👩‍👩‍👧: what are these?"}]
TALK = [
    {"role": "system", "content": "Answer in one sentence."},
    *QUESTION,
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of Italy?"},
]
GREEDY = SamplingParams(max_tokens=16, temperature=0.0, seed=5)
DRAWN = SamplingParams(max_tokens=16, temperature=1.0, top_p=0.95, seed=5)
STAMPED = {"base", "base_sha256", "adapter", "adapter_sha256", "template_sha256", "params", "seed", "engine"}


class Asked(NamedTuple):
    """A model, and an engine whose `backend` answers for it."""

    store: Store
    engine: Engine
    model: Model

    @property
    def backend(self) -> Backend:
        return self.engine.backend(self.store, self.model)

    def say(self, messages: list[dict[str, str]] = QUESTION, params: SamplingParams = GREEDY) -> Answer:
        return self.engine.complete(self.model, self.store, messages, params)


class BackendContract:
    """The tests; see the docstring of the module."""

    tells_names = True
    """Whether a model that the server does not hold is an error there."""

    lists = True
    """Whether its list of models names the one that answers."""

    repeats = True
    """Whether a seed, and greedy choice, give the same answer again."""

    @pytest.fixture
    def asked(self) -> Asked:
        raise NotImplementedError

    def test_an_answer_is_text_with_its_count_its_end_and_its_stamp(self, asked: Asked) -> None:
        answer = asked.say()

        assert answer.text.strip()
        assert 0 < answer.tokens <= 16
        assert answer.finish_reason in ("stop", "length")
        assert answer.seconds > 0
        assert set(answer.stamp) >= STAMPED
        assert answer.stamp["params"] == {"max_tokens": 16, "temperature": 0.0, "top_p": 1.0}
        assert answer.stamp["seed"] == 5

    def test_the_pieces_are_the_whole(self, asked: Asked) -> None:
        deltas = list(asked.backend.stream(asked.model, asked.store, QUESTION, GREEDY))

        assert deltas[-1].answer is not None
        assert "".join(delta.text for delta in deltas) == deltas[-1].answer.text
        assert [delta.answer for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
        assert len(deltas) > 2

    def test_an_event_loop_gets_the_same(self, asked: Asked) -> None:
        async def read() -> list[Delta]:
            stream = asked.backend.astream(asked.model, asked.store, QUESTION, GREEDY)
            return [delta async for delta in stream]

        deltas = run_alone(read())

        assert deltas[-1].answer is not None
        assert "".join(delta.text for delta in deltas) == deltas[-1].answer.text
        assert not self.repeats or deltas[-1].answer.text == asked.say().text

    def test_the_likeliest_answer_is_the_same_again(self, asked: Asked) -> None:
        if not self.repeats:
            pytest.skip("this server's answers differ from time to time")

        assert asked.say().text == asked.say().text

    def test_a_seed_makes_an_answer_again_and_another_seed_another_one(self, asked: Asked) -> None:
        if not self.repeats:
            pytest.skip("this server's answers differ from time to time")

        first, again = asked.say(params=DRAWN).text, asked.say(params=DRAWN).text
        others = {asked.say(params=replace(DRAWN, seed=seed)).text for seed in range(6, 12)}

        assert first == again
        assert others - {first}

    def test_no_more_tokens_come_than_asked_for(self, asked: Asked) -> None:
        answer = asked.say(TALK, replace(GREEDY, max_tokens=2))

        assert (answer.tokens <= 2, answer.finish_reason) == (True, "length")

    def test_a_conversation_and_signs_of_every_kind_are_read(self, asked: Asked) -> None:
        assert asked.say(TALK).tokens > 0
        assert asked.say(FOREIGN).tokens > 0

    def test_several_questions_at_once_get_each_its_own_answer(self, asked: Asked) -> None:
        questions = [QUESTION, OTHER, TALK, FOREIGN]
        alone = [asked.say(question).text for question in questions]
        together: dict[int, str] = {}

        def ask(number: int) -> None:
            together[number] = asked.say(questions[number]).text
            asked.store.close()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(questions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(together) == len(questions)
        assert not self.repeats or [together[number] for number in range(len(questions))] == alone

    def test_whoever_hangs_up_leaves_the_next_one_undisturbed(self, asked: Asked) -> None:
        expected = asked.say().text
        stream = asked.backend.stream(asked.model, asked.store, OTHER, replace(GREEDY, max_tokens=200))
        next(stream)

        stream.close()

        assert not self.repeats or asked.say().text == expected

    def test_it_says_that_it_is_ready_and_lists_the_model(self, asked: Asked) -> None:
        asked.say()

        health = asked.backend.health()

        assert (health.ready, health.sentence.endswith(".")) == (True, True), health
        assert not self.lists or (asked.model.remote_name or asked.model.name) in asked.backend.models()

    def test_a_model_that_is_not_there_is_a_sentence(self, asked: Asked) -> None:
        if not self.tells_names:
            pytest.skip("this server answers whatever the model is called")
        row = {**asked.model.__dict__, "remote_name": "nobody-knows-it", "path": "/nowhere/nobody-knows-it"}
        nobody = add_model(asked.store, "nobody", **{name: row[name] for name in _ASKED})

        with pytest.raises(RatchetError) as refusal:
            asked.engine.complete(nobody, asked.store, QUESTION, GREEDY)

        with asked.store.write():
            asked.store.execute("delete from usage where model_id = ?", [nobody.id])
            asked.store.execute("delete from models where id = ?", [nobody.id])
        assert "nobody" in str(refusal.value)
        assert asked.say().text

    def test_what_an_endpoint_answers_is_counted(self, asked: Asked) -> None:
        if asked.model.kind != "endpoint":
            pytest.skip("our own engine costs nothing")
        asked.say()
        before = totals(asked.store)[asked.model.id]

        answer = asked.say()

        after = totals(asked.store)[asked.model.id]
        assert after.requests - before.requests == 1
        assert after.completion_tokens - before.completion_tokens == answer.tokens
        assert after.prompt_tokens > before.prompt_tokens
        assert (after.failures, after.estimated) == (before.failures, before.estimated)


_ASKED = ("kind", "url", "remote_name", "key_env", "dialect", "path")
