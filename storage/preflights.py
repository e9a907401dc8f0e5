"""What preflights found, by what was asked: the same request on the same rows is not measured twice."""

import json
from typing import Any

from storage.clock import now
from storage.store import Store

_KEPT = 500  # results; older ones are measured again


def get_preflight(store: Store, key: str) -> dict[str, Any] | None:
    """The result under a key, or None."""
    found = store.value("select result from preflights where key = ?", [key])
    return json.loads(found) if found else None


def keep_preflight(store: Store, key: str, result: dict[str, Any]) -> None:
    """Keep a result; the oldest go."""
    with store.write():
        store.execute(
            "insert or replace into preflights (key, result, created_at) values (?, ?, ?)",
            [key, json.dumps(result, ensure_ascii=False), now()],
        )
        store.execute(
            "delete from preflights where key not in (select key from preflights order by created_at desc limit ?)",
            [_KEPT],
        )
