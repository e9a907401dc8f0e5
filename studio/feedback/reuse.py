"""An answer that exists already is not asked for again.

What decides an answer (weights, chat template, number format, messages, settings, seed) is hashed into a key. Drawn
without a seed, or by an endpoint whose weights nobody knows, an answer has none and is always asked for. The hashes
are those of what the engine holds now, so an answer of exchanged files is never taken for one of these.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any, NamedTuple

from storage.answerings import Standing, find_standing
from storage.prompts import content_sha256
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import Answer, SamplingParams
from studio.clients.engine import Engine

_LOOK_SECONDS = 0.2


class Identity(NamedTuple):
    """What answers by a model's name, as the engine says it."""

    base_sha256: str
    adapter_sha256: str | None
    template_sha256: str
    dtype: str


def identity_of(engine: Engine, store: Store, model: Model) -> Identity | None:
    """What the engine holds by a model's name, loaded if need be; None where an endpoint answers."""
    connection = None if model.kind == "endpoint" else engine.ensure(store, model)
    if connection is None:
        return None
    lines = {line["id"]: line for line in connection.get("/v1/models")["data"]}
    line = lines.get(model.name)
    base = lines.get(line["parent"]) if line and line["parent"] else line
    if line is None or base is None:  # put out again meanwhile, for others
        return None
    return Identity(
        base["sha256"], None if line is base else line["sha256"], line["template_sha256"], str(line["dtype"])
    )


def key_of(identity: Identity | None, messages: Sequence[dict[str, Any]], params: SamplingParams) -> str | None:
    """What decides an answer, as a hash; None where chance decides, or nobody knows."""
    if identity is None or (params.temperature > 0 and params.seed is None):
        return None
    drawn: dict[str, Any] = {"max_tokens": params.max_tokens, "temperature": 0, "exact": params.exact}
    if params.temperature > 0:
        drawn |= {"temperature": params.temperature, "top_p": params.top_p, "seed": params.seed}
    return content_sha256({"identity": identity._asdict(), "messages": list(messages), "drawn": drawn})


def proved(key: str | None, identity: Identity | None, stamp: Mapping[str, Any]) -> str | None:
    """The key, if the answer's own stamp names what the key does; else the engine holds something else meanwhile."""
    return key if identity and all(stamp.get(name) == value for name, value in identity._asdict().items()) else None


def standing_answer(store: Store, key: str) -> Answer | None:
    """The answer to that key, from whatever study or dataset it was made for; its stamp says which (`reused`)."""
    found = find_standing(store, key)
    return _answer(found) if found else None


def _answer(found: Standing) -> Answer:
    stamp = {"reused": found.whence, **found.stamp}  # the first place, where a reused one is used again
    return Answer(found.text, found.tokens, found.seconds, str(stamp.get("finish_reason", "stop")), stamp)


class Sharing:
    """Answers on their way, by key: who wants one that is being made already waits for it instead of asking too."""

    def __init__(self) -> None:
        self._making: dict[str, Future[Answer]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], Answer], over: Callable[[], bool]) -> tuple[Answer, bool]:
        """The answer, and whether somebody else made it. Where their attempt fails, or `over()`, it is made here."""
        with self._lock:
            theirs = self._making.get(key)
            mine: Future[Answer] = Future()
            if theirs is None:
                self._making[key] = mine
        if theirs is not None:
            return self._theirs(theirs, make, over)
        try:
            mine.set_result(make())
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[key]
        return mine.result(), False

    @staticmethod
    def _theirs(theirs: "Future[Answer]", make: Callable[[], Answer], over: Callable[[], bool]) -> tuple[Answer, bool]:
        while not over():
            wait([theirs], _LOOK_SECONDS)
            if theirs.done():
                if theirs.exception() is None:
                    return theirs.result(), True
                break  # it is told where it happened; here the question is asked anew
        return make(), False
