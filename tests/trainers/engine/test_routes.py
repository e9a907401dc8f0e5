"""What counts as somebody being here."""

import asyncio
from typing import Any

from tests.event_loop import run_alone
from trainers.engine.routes import Gate, LastSeen


def test_whoever_still_waits_for_a_load_or_a_stream_keeps_the_engine_awake() -> None:
    seen = LastSeen()
    heard: list[float] = []

    async def slow(*_: Any) -> None:
        await asyncio.sleep(0.02)
        heard.append(seen.seconds_ago())

    async def nothing(*_: Any) -> None:
        return

    scope = {"type": "http", "path": "/v1/load_base", "headers": [(b"authorization", b"Bearer t")]}
    run_alone(Gate(slow, "t", seen)(scope, nothing, nothing))

    assert heard == [0.0]
    assert seen.seconds_ago() > 0


def test_health_and_strangers_do_not_keep_it_awake() -> None:
    seen = LastSeen()
    during: list[float] = []

    async def answer(*_: Any) -> None:
        during.append(seen.seconds_ago())

    async def nothing(*_: Any) -> None:
        return

    run_alone(Gate(answer, "t", seen)({"type": "http", "path": "/health", "headers": []}, nothing, nothing))
    run_alone(Gate(answer, "t", seen)({"type": "http", "path": "/v1/models", "headers": []}, nothing, nothing))

    assert len(during) == 1 and during[0] > 0
