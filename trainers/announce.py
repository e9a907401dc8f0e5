"""Tell a running engine of a new adapter, so that it is loaded before somebody asks for it."""

from typing import Any, NamedTuple

from storage.home import Home, read_json
from storage.processes import alive
from storage.rows_training import ANSWERING, Model

# The worker looks after other runs too: it waits so long for an adapter, and for a base that has to be read first.
# What takes longer goes on in the engine.
_SECONDS, _BASE_SECONDS = 30.0, 10.0


class Announced(NamedTuple):
    """What came of it, in a sentence, and what the engine found wrong with the adapter, if anything."""

    sentence: str
    warning: str | None = None


def announce(home: Home, model: Model, base: Model, parent: str | None = None) -> Announced:
    """Ask the engine to load an adapter, with its base where that is not loaded. Nobody depends on success: the engine
    loads whatever it is asked for later. `parent`: the name of the model that it was trained from.
    """
    if model.kind != "adapter":
        return Announced(f"{model.name} is no adapter, so it is loaded when it is asked for.")
    if model.kind not in ANSWERING:
        return Announced(f"{model.name} judges answers and gives none, so the engine has no use for it.")
    said = read_json(home.engine_file)
    if said is None or not alive(said.get("pid"), said.get("started")):
        return Announced(f"No engine is running; it will load {model.name} when it is asked for.")
    import httpx

    body = {"lora_name": model.name, "lora_path": model.path, "base": base.name, "parent": parent}
    try:
        answer = _post(said, "/v1/load_lora_adapter", body, _SECONDS)
        if answer.status_code == httpx.codes.NOT_FOUND:  # its base is not loaded
            _post(said, "/v1/load_base", {"name": base.name, "path": base.path}, _BASE_SECONDS).raise_for_status()
            answer = _post(said, "/v1/load_lora_adapter", body, _SECONDS)
        answer.raise_for_status()
        warning = answer.json().get("warning")
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        return Announced(f"The engine did not load {model.name} ({error}); it will when it is asked for.")
    return Announced(f"The engine has loaded {model.name}.", warning)


def _post(said: dict[str, Any], path: str, body: dict[str, Any], seconds: float) -> Any:
    import httpx

    return httpx.post(
        f"http://127.0.0.1:{int(said['port'])}{path}",
        json=body,
        headers={"Authorization": f"Bearer {said.get('token')}"},
        timeout=seconds,
        trust_env=False,  # a proxy has no business between two processes of one machine
    )
