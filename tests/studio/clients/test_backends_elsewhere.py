"""The contract of backends on servers that others wrote: llama.cpp's, and `transformers serve`; with real weights.

Each is skipped where its package is absent: neither is a dependency (`pip install 'ratchet-studio[servers]'`).
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from storage.home import Home
from storage.models import add_model
from storage.store import Store
from studio.clients.engine import Engine
from studio.clients.processes import stop_engine
from tests.studio.clients import gguf_model
from tests.studio.clients.backend_contract import GREEDY, OTHER, QUESTION, Asked, BackendContract

pytestmark = [pytest.mark.torch, pytest.mark.slow]

HERE = Path(__file__).resolve().parent
STARTER = HERE.parents[2] / "static" / "starter" / "model"
START_SECONDS = 180


@contextmanager
def running(words: Sequence[str], log: Path, address: str, **more: str) -> Iterator[None]:
    """A server's process, from its first good answer to the test's end."""
    with log.open("wb") as file:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=file, stderr=file, env={**os.environ, **more})
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(address):
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.1)
            yield
        finally:
            process.kill()
            process.communicate()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def far(folder: Path, port: int, **row: object) -> Asked:
    """A home that knows the server as an endpoint."""
    store = Store.open(Home(folder / "home"))
    model = add_model(store, "far", "endpoint", url=f"http://127.0.0.1:{port}/v1", **row)
    return Asked(store, Engine(store.home, environ={}), model)


@pytest.fixture(scope="module")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    for package in ("xllamacpp", "gguf"):
        if find_spec(package) is None:
            pytest.skip(f"the package {package} is not here; the wheel of xllamacpp holds llama.cpp's server")
    folder, port = tmp_path_factory.mktemp("llama-cpp"), free_port()
    gguf_model.write(STARTER, folder / "starter.gguf")
    words = [sys.executable, str(HERE / "llama_cpp_server.py"), str(folder / "starter.gguf"), "starter", str(port)]
    with running(words, folder / "log", f"http://127.0.0.1:{port}/health"):
        asked = far(folder, port, remote_name="starter", dialect="llama.cpp")
        yield asked
        stop_engine(asked.store.home)
        asked.store.close()


@pytest.fixture(scope="module")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    if find_spec("openai") is None:
        pytest.skip("transformers serve needs the package openai, which is not here")
    folder, port = tmp_path_factory.mktemp("transformers-serve"), free_port()
    words = [str(Path(sys.executable).with_name("transformers")), "serve", str(STARTER), "--port", str(port),
             "--device", "cpu", "--dtype", "float32"]  # fmt: skip
    (folder / "cache" / "hub").mkdir(parents=True)  # its list of models fails without
    more = {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with running(words, folder / "log", f"http://127.0.0.1:{port}/health", **more):
        # Its random state is one for the whole process: a seed holds while nobody else asks.
        asked = far(folder, port, remote_name=str(STARTER), at_once=1)
        yield asked
        stop_engine(asked.store.home)
        asked.store.close()


class SameWeights(BackendContract):
    """The same weights in float32 with the same tokens: the likeliest answers are those of our engine."""

    tells_names = False  # one model answers, whatever it is called

    def test_it_answers_as_our_engine_does(self, asked: Asked) -> None:
        base = add_model(asked.store, "starter", "base", path=str(STARTER))
        questions = [QUESTION, OTHER, [{"role": "user", "content": "What is 12 plus 4?"}]]

        ours = [asked.engine.complete(base, asked.store, question, GREEDY).text for question in questions]

        assert [asked.say(question).text.strip() for question in questions] == ours


class TestLlamaCpp(SameWeights):
    @pytest.fixture
    def asked(self, llama_cpp: Asked) -> Asked:
        return llama_cpp


class TestTransformersServe(SameWeights):
    lists = False  # it lists what the Hub's cache holds, not what it was started with

    @pytest.fixture
    def asked(self, transformers_serve: Asked) -> Asked:
        return transformers_serve
