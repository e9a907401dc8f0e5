"""Talking in a demo: what a visitor asks, who answers, and the answers as they are written.

A question names the answer that it goes on from, and the turns before come from the store: nobody can put words into a
model's mouth and have them judged. What goes wrong with a model is told to visitors in words that name nothing of the
project; the log has the rest.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, MutableMapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import demo_talk
from storage.clock import blind_id, now
from storage.demo_talk import Said
from storage.demos import Demo, list_demos
from storage.errors import BadInput, Forbidden, NotFound, NotReady, RatchetError, TooMany
from storage.prompts import Messages
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import Answer, SamplingParams
from studio.clients.engine import Engine
from studio.demos.making import answering
from studio.demos.pace import Pace
from studio.demos.terms import HOTTEST, LONGEST_SYSTEM, LONGEST_TALK, LONGEST_TEXT, MOST_TURNS, ONE_IN, Terms
from studio.feedback.room import NEXT

log = logging.getLogger(__name__)

Json = dict[str, Any]
STOPPED = "stopped"
FORGOTTEN = "This conversation is not here any more; begin a new one."
_FAILED = "The model cannot answer at this moment; try again in a little while."
_STARTING = "The model is getting ready; try again in a moment."
_TOO_LONG = "This conversation has become too long; begin a new one."
_DAY = 24 * 3600.0
_REFUSED_DAYS = 30
_ENOUGH = "This demo has answered as much as it may within a day; come back later."
_SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class Question:
    """What a visitor asks. `parent`: the answer that it goes on from. `model`: its place in the demo's list."""

    text: str
    parent: str | None = None
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    model: int | None = None
    pair: bool = False


class Asked(NamedTuple):
    """A question that may be asked: the whole prompt, how the answer is drawn, and by whom, from left to right."""

    prompt: Messages
    params: SamplingParams
    models: Sequence[Model]


def prepare(store: Store, demo: Demo, visitor: str, question: Question, chance: random.Random) -> Asked:
    """Raises BadInput for what is too long, Forbidden for what the terms do not allow, TooMany, NotFound, NotReady."""
    terms = Terms.from_json(demo.settings)
    _refuse_unallowed(terms, question)
    if demo_talk.answers_since(store, demo.id, now() - _DAY) >= terms.per_day:
        raise TooMany(_ENOUGH)
    models = answering(store, demo)
    if _wants_pair(terms, question, chance):
        sides = chance.sample(models, 2) if len(models) > 1 else [models[0], models[0]]
    else:
        sides = [_chosen(models, question.model)]
    return Asked(_prompt(store, demo, visitor, question), _params(terms, question), sides)


def _refuse_unallowed(terms: Terms, question: Question) -> None:
    if not question.text.strip():
        raise BadInput("The question is empty.")
    if len(question.text) > LONGEST_TEXT:
        raise BadInput(f"A question has at most {LONGEST_TEXT} characters here, not {len(question.text)}.")
    if not all(_is_text(one) for one in (question.text, question.system or "")):
        raise BadInput("The question holds signs that are no text.")
    if question.system and not terms.system:
        raise Forbidden("This demo takes no system prompt.")
    if len(question.system or "") > LONGEST_SYSTEM:
        raise BadInput(f"A system prompt has at most {LONGEST_SYSTEM} characters here.")
    if (question.temperature is not None or question.max_tokens is not None) and not terms.settings:
        raise Forbidden("The settings of this demo are fixed.")
    if question.model is not None and not terms.names:
        raise Forbidden("Who answers cannot be chosen in this demo.")
    if question.pair and terms.comparing == "never":
        raise Forbidden("This demo gives one answer at a time.")


def _is_text(text: str) -> bool:
    """Halves of a sign (lone surrogates) come through JSON, and no engine takes them."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _wants_pair(terms: Terms, question: Question, chance: random.Random) -> bool:
    """Two answers where the visitor wishes them, and now and then where the demo's terms say so."""
    drawn = terms.comparing == "sometimes" and question.model is None and chance.randrange(ONE_IN) == 0
    return question.pair or drawn


def _chosen(models: Sequence[Model], place: int | None) -> Model:
    if place is not None and not 0 <= place < len(models):
        raise BadInput("There is no such model in this demo; reload the page.")
    return models[place or 0]


def _prompt(store: Store, demo: Demo, visitor: str, question: Question) -> Messages:
    """The conversation so far, as it was, and the question; a system prompt holds for all of it."""
    turns: Messages = []
    if question.parent is not None:
        before = demo_talk.answer(store, demo.id, question.parent, visitor)
        if before is None or (before.finish == STOPPED and not before.text):
            raise NotFound(FORGOTTEN)
        turns = [turn for turn in before.prompt if turn["role"] != "system"]
        turns.append({"role": "assistant", "content": before.text})
    system = (question.system or "").strip()
    head = [{"role": "system", "content": system}] if system else []
    turns = [*head, *turns, {"role": "user", "content": question.text.strip()}]
    asked = sum(turn["role"] == "user" for turn in turns)
    if asked > MOST_TURNS or sum(len(turn["content"]) for turn in turns) > LONGEST_TALK:
        raise BadInput(_TOO_LONG)
    return turns


def _params(terms: Terms, question: Question) -> SamplingParams:
    most = min(question.max_tokens or terms.max_tokens, terms.max_tokens)
    wanted = terms.temperature if question.temperature is None else question.temperature
    if not 0 <= wanted <= HOTTEST:
        raise BadInput(f"The temperature lies between 0 and {HOTTEST}, not at {wanted}.")
    return SamplingParams(max(1, most), wanted)


class Talks:
    """The answers that are being written in the demos of one studio."""

    def __init__(self, store: Store, pace: Pace | None = None, chance: random.Random | None = None) -> None:
        self.store = store
        self.pace = pace or Pace()
        self._chance = chance or random.SystemRandom()
        self._writing: MutableMapping[str, asyncio.Task[None]] = {}

    async def answer(self, demo: Demo, visitor: str, address: str, question: Question) -> AsyncGenerator[Json, None]:
        """Events: begin (ids of the answers, from left to right), text, end or error of each side.

        What is refused is raised before the first event; raises as `prepare`, and TooMany. Closing it stops the
        answers, and keeps what was written.
        """
        terms = Terms.from_json(demo.settings)
        await self._settled(question.parent)
        asked = await asyncio.to_thread(prepare, self.store, demo, visitor, question, self._chance)
        with self.pace.under_way(demo.id, address, terms):
            self.pace.ask(demo.id, address, terms, len(asked.models))
            question_id, *ids = [blind_id() for _ in range(1 + len(asked.models))]
            yield {"kind": "begin", "answers": ids}
            events: asyncio.Queue[Json] = asyncio.Queue()
            drafts = [_Draft(ids[side], question_id, demo.id, visitor, asked, side) for side in range(len(ids))]
            tasks = [self._begin(events, draft) for draft in drafts]
            try:
                left = len(tasks)
                while left:
                    event = await events.get()
                    left -= event["kind"] != "text"
                    yield event
            finally:
                for task in tasks:
                    task.cancel()

    def _begin(self, events: asyncio.Queue[Json], draft: "_Draft") -> asyncio.Task[None]:
        """A task for one side, which outlives its listener until what was written is kept."""
        task = asyncio.create_task(self._side(events, draft.side, draft))
        self._writing[draft.answer_id] = task
        task.add_done_callback(lambda _: self._writing.pop(draft.answer_id, None))
        return task

    async def _side(self, events: asyncio.Queue[Json], side: int, draft: "_Draft") -> None:
        """Write one answer; whatever happens, the listener hears its end."""
        end: Json = {"kind": "error", "side": side, "sentence": _FAILED}
        try:
            whole = await self._kept(events, side, draft)
            end = {"kind": "end", "side": side, "finish": whole.finish_reason}
        except NotReady as error:
            log.warning("demo: %s", error)
            end["sentence"] = _STARTING
        except RatchetError as error:
            log.warning("demo: %s", error)
        except Exception:  # the listener must not wait for ever
            log.exception("demo: an answer failed")
        events.put_nowait(end)

    async def _kept(self, events: asyncio.Queue[Json], side: int, draft: "_Draft") -> Answer:
        """One answer, kept; what was stopped or failed as far as it came, be it nothing, for a model was at work."""
        parts: list[str] = []
        try:
            whole = await self._written(events, side, draft, parts)
        except NotReady:
            raise  # no model was asked
        except (asyncio.CancelledError, Exception):
            await self._keep(draft.said("".join(parts), STOPPED))
            raise
        await self._keep(draft.said(whole.text, whole.finish_reason, whole))
        return whole

    async def _written(self, events: asyncio.Queue[Json], side: int, draft: "_Draft", parts: list[str]) -> Answer:
        """The whole answer, its pieces told as they come and left in `parts`."""
        model, asked = draft.asked.models[side], draft.asked
        stream = Engine(self.store.home).astream(model, self.store, asked.prompt, asked.params, NEXT)
        async with aclosing(stream) as pieces:
            async for delta in pieces:
                if delta.text:
                    parts.append(delta.text)
                    events.put_nowait({"kind": "text", "side": side, "text": delta.text})
                if delta.answer is not None:
                    return delta.answer
        raise RatchetError("A stream ended without its answer.")

    async def _keep(self, said: Said) -> None:
        await asyncio.to_thread(_keep, self.store, said)

    async def _settled(self, answer_id: str | None) -> None:
        """Wait until an answer that was stopped a moment ago is kept."""
        task = self._writing.get(answer_id or "")
        if task is not None:
            await asyncio.wait([task], timeout=_SETTLE_SECONDS)


def forget_old(store: Store) -> None:
    """Forget what has had its time in every demo, closed ones too; done when the studio starts."""
    for demo in list_demos(store):
        _forget(store, demo.id)


def _keep(store: Store, said: Said) -> None:
    """Keep an answer, and forget what has had its time."""
    demo_talk.keep(store, said)
    _forget(store, said.demo_id)


def _forget(store: Store, demo_id: str) -> None:
    moment = now()
    demo_talk.forget(store, demo_id, moment - _DAY, moment - _REFUSED_DAYS * _DAY)


class _Draft(NamedTuple):
    """An answer before it is known."""

    answer_id: str
    question_id: str
    demo_id: str
    visitor: str
    asked: Asked
    side: int

    def said(self, text: str, finish: str, whole: Answer | None = None) -> Said:
        """As it is kept."""
        model = self.asked.models[self.side]
        return Said(
            id=self.answer_id, demo_id=self.demo_id, visitor=self.visitor, prompt=self.asked.prompt, model_id=model.id,
            model_name=model.name, text=text, finish=finish, stamp=whole.stamp if whole else {},
            tokens=whole.tokens if whole else None, seconds=whole.seconds if whole else None,
            question=self.question_id, created_at=now(),
        )  # fmt: skip
