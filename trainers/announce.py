"""Tell a running engine of a new adapter, so that it answers at once when it is asked for."""

from storage.home import Home, read_json
from storage.processes import alive
from storage.rows_training import ANSWERING, Model

_SECONDS = 30.0


def announce(home: Home, model: Model, base: Model) -> str:
    """Ask the engine to load an adapter; returns a sentence on what came of it. Nobody depends on success: the
    engine loads whatever it is asked for later.
    """
    if model.kind != "adapter":
        return f"{model.name} is no adapter, so it is loaded when it is asked for."
    if model.kind not in ANSWERING:
        return f"{model.name} judges answers and gives none, so the engine has no use for it."
    said = read_json(home.engine_file)
    if said is None or not alive(said.get("pid"), said.get("started")):
        return f"No engine is running; it will load {model.name} when it is asked for."
    import httpx

    try:
        answer = httpx.post(
            f"http://127.0.0.1:{int(said['port'])}/v1/load_lora_adapter",
            json={"lora_name": model.name, "lora_path": model.path, "base": base.name},
            headers={"Authorization": f"Bearer {said.get('token')}"},
            timeout=_SECONDS,
            trust_env=False,  # a proxy has no business between two processes of one machine
        )
        answer.raise_for_status()
    except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        return f"The engine did not load {model.name} ({error}); it will when it is asked for."
    return f"The engine has loaded {model.name}."
