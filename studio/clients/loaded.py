"""Which models the running engine holds: told by the way, so nobody waits long for it."""

from storage.errors import RatchetError
from storage.home import Home
from studio.clients.connection import find

_SECONDS = 1.0


def loaded(home: Home) -> frozenset[str]:
    """Names of the bases and adapters in the engine; empty where none runs, or it is too busy to say."""
    engine = find(home)
    try:
        lines = engine.get("/v1/models", timeout=_SECONDS)["data"] if engine else []
    except RatchetError:
        return frozenset()
    return frozenset(str(line["id"]) for line in lines)
