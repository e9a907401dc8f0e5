"""Answers while they are being made: nobody sees which side is quicker."""

from studio.feedback.hub import Hub, Live


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
