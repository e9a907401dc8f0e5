"""Runs a coroutine beside Playwright, whose own event loop stays open in the main thread for the whole session."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def run_alone(main: Coroutine[object, object, T]) -> T:
    """Run `main` in an event loop of its own, in a thread of its own, and give back what it returns."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main).result()
