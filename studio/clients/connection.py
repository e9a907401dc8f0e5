"""Finding the engine of a home, or starting it; asking it for JSON."""

import subprocess
import time
from typing import Any

import httpx

from storage.errors import NotReady
from storage.home import Home, read_json
from storage.processes import alive
from studio.clients.failures import error_of
from studio.clients.processes import held, start_engine

_START_SECONDS = 120.0  # torch's import from a cold disk can take most of a minute
_LOAD_SECONDS = 900.0
_POLL_SECONDS = 0.05


class Connection:
    """A running engine: where it is, and its token."""

    def __init__(self, home: Home, port: int, token: str) -> None:
        self._home = home
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": f"Bearer {token}"}

    def gone(self) -> bool:
        """Whether the engine that it leads to has ended since, also where another one runs now."""
        now = find(self._home)
        return now is None or now.headers != self.headers

    def get(self, path: str, timeout: float = 10.0) -> dict[str, Any]:
        """GET; raises the engine's error, or NotReady where it is gone."""
        return self._ask("GET", path, None, timeout)

    def post(self, path: str, body: dict[str, Any], timeout: float = _LOAD_SECONDS) -> dict[str, Any]:
        """POST; raises as `get`."""
        return self._ask("POST", path, body, timeout)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, timeout: float) -> dict[str, Any]:
        try:
            with httpx.Client(trust_env=False, verify=False, timeout=httpx.Timeout(timeout, connect=5)) as client:
                response = client.request(method, self.url + path, json=body, headers=self.headers)
        except httpx.TimeoutException as error:
            raise NotReady(f"The engine has not answered {path} for {timeout:g} s; ask again later.") from error
        except httpx.TransportError as error:
            raise NotReady(f"The engine has ended while it was asked ({_log_name(self._home)} says why).") from error
        if response.is_error:
            raise error_of(response)
        answer: dict[str, Any] = response.json()
        return answer


def find(home: Home) -> Connection | None:
    """The running engine of a home, or None; asks it nothing."""
    said = read_json(home.engine_file)
    if said and alive(said.get("pid"), said.get("started")):
        return Connection(home, int(said["port"]), str(said["token"]))
    return None


def find_or_start(home: Home) -> Connection:
    """The running engine of a home, started where there is none; raises NotReady where it will not start."""
    deadline = time.monotonic() + _START_SECONDS
    started: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        connection = find(home)
        if connection:
            return connection
        if started is not None and started.poll() not in (None, 0) and not held(home.engine_lock):
            raise NotReady(f"The engine did not start: {_last_words(home)}")
        if started is None or started.poll() is not None:
            started = start_engine(home) or started
        time.sleep(_POLL_SECONDS)
    raise NotReady(f"The engine has not started within {_START_SECONDS:g} s; {_log_name(home)} says why.")


def _last_words(home: Home) -> str:
    """The last line of the engine's log."""
    log = home.logs / "engine.log"
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return f"{lines[-1][:300] if lines else 'it said nothing'} (see {_log_name(home)})."


def _log_name(home: Home) -> str:
    return str(home.logs / "engine.log")
