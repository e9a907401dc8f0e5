"""Conversations of visitors: true histories, nothing beyond the terms, errors that tell nothing of the project."""

import asyncio
import random
import threading
from typing import Any

import pytest

from storage import demo_talk
from storage.errors import BadInput, Forbidden, NotFound, TooMany
from studio.demos import judging, making, quarantine
from studio.demos.talking import STOPPED, Question, Talks, forget_old
from tests.event_loop import run_alone
from tests.studio.demos.conftest import HERE, NAMES, OWNER, Stage


def _text(events: list[dict[str, Any]], side: int = 0) -> str:
    return "".join(event["text"] for event in events if event["kind"] == "text" and event["side"] == side)


def test_an_answer_comes_piece_by_piece_and_is_kept_with_what_made_it(stage: Stage) -> None:
    demo = stage.demo()

    begin, *pieces, end = stage.ask(demo, " Hello there ")

    assert _text(pieces) == "otter heard 1"
    assert len(pieces) > 1
    assert end == {"kind": "end", "side": 0, "finish": "stop"}
    said = demo_talk.answer(stage.store, demo.id, begin["answers"][0], "vera")
    assert said is not None
    assert (said.prompt, said.text, said.model_name, said.finish) == (
        [{"role": "user", "content": "Hello there"}], "otter heard 1", NAMES[0], "stop",
    )  # fmt: skip
    assert said.stamp["params"]["max_tokens"] == 512


def test_the_next_question_goes_on_from_what_was_really_answered(stage: Stage) -> None:
    demo = stage.demo(system=True)
    (first,) = stage.answered(demo, "One")

    (second,) = stage.answered(demo, Question("Two", parent=first, system="Be kind"))
    (third,) = stage.answered(demo, Question("Three", parent=second))

    found = [demo_talk.answer(stage.store, demo.id, one) for one in (second, third)]
    turns = [{"role": "user", "content": "One"}, {"role": "assistant", "content": "otter heard 1"},
             {"role": "user", "content": "Two"}]  # fmt: skip
    assert [one.prompt for one in found if one] == [
        [{"role": "system", "content": "Be kind"}, *turns],
        [*turns, {"role": "assistant", "content": "otter heard 4"}, {"role": "user", "content": "Three"}],
    ]


def test_an_answer_of_somebody_else_or_of_another_demo_is_no_conversation_of_ones_own(stage: Stage) -> None:
    demo, other = stage.demo(), stage.demo("other")
    (first,) = stage.answered(demo, "One")

    for place, visitor in ((demo, "eve"), (other, "vera")):
        with pytest.raises(NotFound, match="not here any more; begin a new one"):
            stage.ask(place, Question("Two", parent=first), visitor)


def test_two_answers_come_from_two_models_or_twice_from_the_only_one(stage: Stage) -> None:
    pairs = [stage.answered(stage.demo(), Question("Hi", pair=True)),
             stage.answered(stage.demo("alone", models=NAMES[:1]), Question("Hi", pair=True))]  # fmt: skip

    named = "select model_name from demo_answers where id = ?"
    names = [[stage.store.value(named, [one]) for one in pair] for pair in pairs]
    assert [sorted(one) for one in names] == [sorted(NAMES), [NAMES[0]] * 2]


def test_which_model_stands_left_is_drawn_anew(stage: Stage) -> None:
    demo = stage.demo(rate=600, rate_all=600)

    left = [_text(stage.ask(demo, Question("Hi", pair=True)))[:5] for _ in range(12)]

    assert set(left) == {"otter", "walru"}


def test_now_and_then_two_answers_come_without_a_wish(stage: Stage) -> None:
    demo = stage.demo(comparing="sometimes", rate=600, rate_all=600)

    sides = [len(stage.answered(demo, "Hi")) for _ in range(30)]

    assert set(sides) == {1, 2}
    assert sides.count(2) < 15


@pytest.mark.parametrize(
    ("terms", "question", "error", "sentence"),
    [
        ({}, Question("  "), BadInput, "The question is empty"),
        ({}, Question("x" * 4001), BadInput, "at most 4000 characters here, not 4001"),
        ({}, Question("\ud800"), BadInput, "signs that are no text"),
        ({}, Question("Hi", system="Be rude"), Forbidden, "takes no system prompt"),
        ({"system": True}, Question("Hi", system="x" * 2001), BadInput, "at most 2000 characters"),
        ({}, Question("Hi", temperature=0.1), Forbidden, "settings of this demo are fixed"),
        ({}, Question("Hi", max_tokens=5), Forbidden, "settings of this demo are fixed"),
        ({"settings": True}, Question("Hi", temperature=3), BadInput, "between 0 and 2, not at 3"),
        ({}, Question("Hi", model=1), Forbidden, "cannot be chosen"),
        ({"names": True}, Question("Hi", model=2), BadInput, "no such model in this demo"),
        ({"comparing": "never"}, Question("Hi", pair=True), Forbidden, "one answer at a time"),
    ],
)
def test_what_the_terms_do_not_allow_is_refused_before_any_model_is_asked(
    stage: Stage, terms: dict[str, Any], question: Question, error: type[Exception], sentence: str
) -> None:
    demo = stage.demo(**terms)

    with pytest.raises(error, match=sentence):
        stage.ask(demo, question)

    assert stage.talker.asked == []
    assert stage.store.rows("select * from demo_answers") == []


def test_settings_that_are_allowed_reach_the_model_and_never_pass_the_demos_own(stage: Stage) -> None:
    demo = stage.demo(settings=True, names=True, max_tokens=100)

    stage.ask(demo, Question("Hi", temperature=0.5, max_tokens=999, model=1))

    (asked,) = stage.talker.asked
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("w", 0.5, 100)


def test_a_conversation_has_an_end(stage: Stage) -> None:
    demo = stage.demo(rate=600, rate_all=600)
    stage.talker.say["o"] = lambda messages, seed: "word " * 3000
    (first,) = stage.answered(demo, "One")
    (second,) = stage.answered(demo, Question("Two", parent=first))

    with pytest.raises(BadInput, match="has become too long; begin a new one"):
        stage.ask(demo, Question("Three", parent=second))


def test_a_minute_has_its_limit(stage: Stage) -> None:
    demo = stage.demo(rate=2)
    for _ in range(2):
        stage.ask(demo, "Hi")

    with pytest.raises(TooMany, match="more than 2 questions a minute from one place"):
        stage.ask(demo, "Hi")
    assert _text(stage.ask(demo, "Hi", address="10.0.0.2")) == "otter heard 1"


def test_a_day_has_its_limit(stage: Stage) -> None:
    demo = stage.demo(per_day=2)
    for visitor in ("one", "two"):
        stage.answered(demo, "Hi", visitor)

    with pytest.raises(TooMany, match="as much as it may within a day"):
        stage.answered(demo, "Hi", "three")
    stage.store.execute("update demo_answers set created_at = created_at - 100000")
    assert len(stage.answered(demo, "Hi", "three")) == 1


def test_what_was_stopped_is_kept_as_far_as_it_came_and_can_be_gone_on_from(stage: Stage) -> None:
    demo = stage.demo()
    stage.talker.held.clear()  # the first word comes, the others wait

    async def stopped() -> list[dict[str, Any]]:
        events = stage.talks.answer(demo, "vera", HERE, Question("Hi"))
        seen = [await anext(events), await anext(events)]
        await events.aclose()
        stage.talker.held.set()
        follow = [event async for event in stage.talks.answer(
            demo, "vera", HERE, Question("Go on", parent=seen[0]["answers"][0]))]  # fmt: skip
        return [*seen, *follow]

    begin, piece, *rest = run_alone(stopped())

    said = demo_talk.answer(stage.store, demo.id, begin["answers"][0])
    assert said is not None
    assert (said.text, said.finish) == (piece["text"], STOPPED)
    assert _text(rest) == "otter heard 3"


def test_what_goes_wrong_with_a_model_names_nothing_of_the_project(stage: Stage) -> None:
    demo = stage.demo()
    stage.talker.failing = True

    begin, end = stage.ask(demo, "Hi")

    assert end == {"kind": "error", "side": 0,
                   "sentence": "The model cannot answer at this moment; try again in a little while."}  # fmt: skip
    said = demo_talk.answer(stage.store, demo.id, begin["answers"][0])
    assert said is not None
    assert (said.text, said.finish) == ("", STOPPED)
    with pytest.raises(NotFound, match="not here any more"):
        stage.ask(demo, Question("Go on", parent=said.id))
    with pytest.raises(NotFound, match="stopped cannot be judged"):
        judging.vote(stage.store, demo, "vera", [said.id], "down")


def test_what_failed_or_was_stopped_before_its_first_word_counts_for_the_day_too(stage: Stage) -> None:
    demo = stage.demo(per_day=2)
    stage.talker.failing = True
    stage.ask(demo, "Hi")
    stage.talker.failing = False
    asked, speaking = threading.Event(), threading.Event()

    def think(messages: list[dict[str, Any]], seed: int) -> str:
        asked.set()
        return str(speaking.wait(30))

    stage.talker.say["o"] = think

    async def stopped() -> None:
        events = stage.talks.answer(demo, "vera", HERE, Question("Hi"))
        begin = await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.to_thread(asked.wait, 30)
        waiting.cancel()
        await asyncio.wait([waiting])
        await stage.talks._settled(begin["answers"][0])

    run_alone(stopped())
    speaking.set()

    assert stage.store.rows("select text, finish from demo_answers") == [{"text": "", "finish": STOPPED}] * 2
    with pytest.raises(TooMany, match="as much as it may within a day"):
        stage.ask(demo, "Hi")


def test_answers_without_votes_are_forgotten_after_a_day_and_voted_ones_are_not(stage: Stage) -> None:
    demo = stage.demo()
    voted = stage.voted(demo, "up")
    (other,) = stage.answered(demo, "Hello")
    stage.store.execute("update demo_answers set created_at = created_at - 100000")

    (last,) = stage.answered(demo, "Again")

    assert _kept(stage) == {*voted, last}
    assert other not in _kept(stage)


def test_answers_whose_votes_were_refused_are_forgotten_after_a_month(stage: Stage) -> None:
    demo = stage.demo()
    refused = stage.voted(demo, "down")
    quarantine.refuse(stage.store, OWNER, "fair")
    accepted = stage.voted(demo, "up")
    quarantine.accept(stage.store, OWNER, "fair")
    month = 31 * 86_400
    stage.store.execute(f"update demo_votes set decided_at = decided_at - {month}")
    stage.store.execute(f"update demo_answers set created_at = created_at - {month}")

    (last,) = stage.answered(demo, "Again")

    assert _kept(stage) == {*accepted, last}
    assert not _kept(stage) & set(refused)
    assert stage.tally(demo) == {"pending": 0, "accepted": 1, "refused": 0}


def test_what_a_closed_demo_holds_is_forgotten_too(stage: Stage) -> None:
    demo = stage.demo()
    (unvoted,) = stage.answered(demo, "Hello")
    refused, waiting = stage.voted(demo, "down"), stage.voted(demo, "up", visitor="wim")
    quarantine.refuse(stage.store, OWNER, "fair", [quarantine.waiting(stage.store, OWNER, "fair")[1]["id"]])

    making.close(stage.store, OWNER, "fair")
    assert _kept(stage) == {*refused, *waiting}
    forget_old(stage.store)
    assert _kept(stage) == {*refused, *waiting}
    stage.store.execute(f"update demo_votes set decided_at = decided_at - {31 * 86_400}")
    stage.store.execute(f"update demo_answers set created_at = created_at - {31 * 86_400}")
    forget_old(stage.store)

    assert _kept(stage) == {*waiting}
    assert unvoted not in waiting


def _kept(stage: Stage) -> set[str]:
    return {row["id"] for row in stage.store.rows("select id from demo_answers")}


def test_two_visitors_are_answered_at_the_same_time(stage: Stage) -> None:
    demo = stage.demo()
    talks = Talks(stage.store, chance=random.Random(1))

    async def one(visitor: str) -> str:
        return _text([event async for event in talks.answer(demo, visitor, visitor, Question(f"I am {visitor}"))])

    async def all_of_them() -> list[str]:
        return list(await asyncio.gather(*(one(f"v{number}") for number in range(5))))

    assert run_alone(all_of_them()) == ["otter heard 1"] * 5
    assert talks.pace._open == {}
    assert stage.store.value("select count(distinct visitor) from demo_answers") == 5
