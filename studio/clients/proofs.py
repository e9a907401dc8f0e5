"""What the running engine found of the adapters that it holds: how far each acts, and a warning where one does not."""

from typing import Any

from storage.errors import RatchetError
from storage.home import Home
from studio.clients.connection import find

_SECONDS = 3.0  # nobody waits longer for what is told by the way


def proofs(home: Home) -> dict[str, dict[str, Any]]:
    """By the model's name `acts` (max_difference of a probe prompt's logits from those of `parent`) and `warning`.

    Empty where no engine runs, or it is too busy to say.
    """
    engine = find(home)
    try:
        lines = engine.get("/v1/models", timeout=_SECONDS)["data"] if engine else []
    except RatchetError:
        return {}
    told = {line["id"]: {key: line[key] for key in ("acts", "warning") if line.get(key)} for line in lines}
    return {name: found for name, found in told.items() if found}
