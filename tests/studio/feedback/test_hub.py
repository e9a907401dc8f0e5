"""Answers while they are being made: nobody sees which side is quicker, and who watches is woken when there is news."""

import threading
import time

from studio.feedback.hub import Bell, Hub, Live
from tests.event_loop import run_alone


def texts(live: Live) -> list[str]:
    return live.now().texts


def test_all_sides_are_shown_as_far_as_the_slowest_has_come() -> None:
    live = Live(2)
    quick, slow = live.speaker(0), live.speaker(1)

    quick("Certainly! ")
    assert texts(live) == ["", ""]
    slow("It ")
    assert texts(live) == ["Cer", "It "]
    slow("is nine, as everybody knows.")
    assert texts(live) == ["Certainly! ", "It is nine,"]


def test_an_answer_that_has_ended_holds_the_others_back_no_longer() -> None:
    live = Live(3)
    for position, text in enumerate(("Nine.", "It is nine", "It is nine, I think")):
        live.speaker(position)(text)
    assert texts(live) == ["Nine.", "It is", "It is"]

    live.end(0)
    assert texts(live) == ["Nine.", "It is nine", "It is nine"]
    live.end(1)
    live.end(2)
    assert texts(live) == ["Nine.", "It is nine", "It is nine, I think"]


def test_asked_again_it_begins_anew() -> None:
    live = Hub().begin("one", 2)
    live.speaker(0)("Nine.")
    live.end(0)
    live.restart()
    live.speaker(1)("It is nine.")

    assert live.now()[:2] == (["", ""], "starting")


def test_who_watches_is_woken_by_whatever_happens_and_by_nothing_else() -> None:
    async def watch() -> list[bool]:
        hub = Hub()
        heard = []
        with hub.watch("one") as bell:

            async def after(happens: object) -> bool:
                bell.hush()
                threading.Thread(target=happens).start()  # type: ignore[arg-type]
                begun = time.monotonic()
                await bell.wait(0.6)
                return time.monotonic() - begun < 0.5

            heard.append(await after(lambda: hub.begin("another", 2)))
            heard.append(await after(lambda: hub.begin("one", 2)))
            live = hub.find("one")
            assert live is not None
            steps = (lambda: live.enter("answering"), lambda: live.speaker(0)("It"), lambda: live.end(0), live.restart)
            for step in (*steps, lambda: hub.end("one")):
                heard.append(await after(step))
        live.enter("aside")  # nobody watches any more
        assert hub._bells == {}
        return heard

    assert run_alone(watch()) == [False, *[True] * 6]


def test_what_rings_between_a_look_and_the_wait_is_not_missed() -> None:
    async def wait() -> float:
        bell = Bell()
        bell.hush()
        bell.ring()
        bell.ring()
        begun = time.monotonic()
        await bell.wait(5.0)
        return time.monotonic() - begun

    assert run_alone(wait()) < 1.0


def test_a_bell_outlives_its_loop_quietly() -> None:
    async def make() -> Bell:
        return Bell()

    bell = run_alone(make())
    bell.ring()
