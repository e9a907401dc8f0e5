"""Endpoints by https: a certificate is trusted or nothing is sent, and a silent server is hung up on as by http."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.errors import NotReady
from storage.models import add_model
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import SamplingParams
from studio.clients.engine import Engine
from tests.event_loop import run_alone
from tests.studio.clients.scripted import GOOD, Server, chunk, serving

pytestmark = pytest.mark.heavy

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine that nobody has signed, with its key beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not here")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"),
         "-out", str(folder / "certificate.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "certificate.pem"


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with serving() as made:
        made.http.socket = context.wrap_socket(made.http.socket, server_side=True)
        yield made


@pytest.fixture
def model(store: Store, server: Server) -> Model:
    url = server.url.replace("http:", "https:")
    return add_model(store, "far", "endpoint", url=url, remote_name="m", timeout=1.0)


def test_a_certificate_that_is_not_trusted_ends_it_before_anything_is_sent(
    store: Store, server: Server, model: Model
) -> None:
    engine = Engine(store.home, environ={})

    with pytest.raises(NotReady, match="a certificate that this machine does not trust, so nothing was sent"):
        engine.complete(model, store, HELLO, SamplingParams())

    assert "does not trust" in engine.backend(store, model).health().sentence
    assert server.asked == []


@pytest.mark.parametrize("way", ["threads", "event loop"])
def test_one_that_is_trusted_is_asked_and_hung_up_on_when_it_falls_silent(
    store: Store, server: Server, model: Model, certificate: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    engine = Engine(store.home, environ={})

    async def read() -> str:
        return "".join([delta.text async for delta in engine.astream(model, store, HELLO, SamplingParams())])

    def ask() -> str:
        return engine.complete(model, store, HELLO, SamplingParams()).text if way == "threads" else run_alone(read())

    server.says(*GOOD)
    server.says(chunk("Good "), 6.0, *GOOD)

    assert ask() == "Good day 😀"
    with pytest.raises(NotReady, match="has not answered in time"):
        ask()
