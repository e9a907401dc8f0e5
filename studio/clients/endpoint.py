"""Where a question goes: the local engine or an OpenAI-compatible endpoint, told apart here and nowhere else."""

import random
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from storage.errors import BadInput
from storage.rows_training import Model
from studio.clients.answers import Messages, SamplingParams

_RETRIED = frozenset({408, 429, 500, 502, 503, 504})
_ATTEMPTS = 4
_LONGEST_PAUSE = 30.0


class Route(NamedTuple):
    """How to ask: `who` names a stranger in errors, empty for our engine; `stamp` stands where it sends none."""

    url: str
    headers: dict[str, str]
    body: dict[str, Any]
    stamp: dict[str, Any]
    who: str
    attempts: int

    def client_options(self) -> dict[str, Any]:
        """httpx's options: no proxy and no certificates on loopback, both on the way to strangers."""
        local = not self.who
        timeout = httpx.Timeout(600 if local else 120, connect=5 if local else 15)
        return {"timeout": timeout, "trust_env": not local, "verify": not local}


def endpoint_route(model: Model, environ: Mapping[str, str], messages: Messages, params: SamplingParams) -> Route:
    """The way to an endpoint model; raises BadInput where its key is not in the environment."""
    headers = {"Authorization": f"Bearer {_key(model, environ)}"} if model.key_env else {}
    body = {
        "model": model.remote_name or model.name,
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        **params.body(),
    }
    return Route(f"{model.url}/chat/completions", headers, body, _stamp(model, params), f'"{model.name}"', _ATTEMPTS)


def pause_before_retry(response: httpx.Response | None, attempt: int) -> float | None:
    """Seconds to wait before asking again, None where that would be no use; `response` None: no connection.

    Doubles from half a second, with half of it random so that many askers do not come back at once; a server's
    own Retry-After wins.
    """
    if response is not None and response.status_code not in _RETRIED:
        return None
    said = response.headers.get("retry-after", "") if response is not None else ""
    if said.isdigit():
        return min(float(said), _LONGEST_PAUSE)
    return float(min(0.5 * 2**attempt * (1 + random.random()) / 2, _LONGEST_PAUSE))


def _key(model: Model, environ: Mapping[str, str]) -> str:
    key = environ.get(model.key_env or "", "")
    if not key:
        raise BadInput(
            f'The model "{model.name}" needs a key: set the environment variable {model.key_env} and start Ratchet '
            "again."
        )
    return key


def _stamp(model: Model, params: SamplingParams) -> dict[str, Any]:
    """What is known of a stranger's answer: no hashes, and the name that it was asked by."""
    return {
        "base": model.name,
        "base_sha256": None,
        "adapter": None,
        "adapter_sha256": None,
        "template_sha256": None,
        "params": {
            "max_tokens": params.max_tokens,
            "temperature": params.temperature,
            "top_p": params.top_p,
        },
        "seed": params.seed,
        "engine": model.url,
        "remote_name": model.remote_name,
    }
