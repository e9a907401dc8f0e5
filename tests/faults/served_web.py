"""The web process of `ratchet serve` by itself, without engine and worker, on a port that stays the same.

    python -m tests.faults.served_web HOME PORT

It does what `serve` does before and while it serves (`prepare`, `services`), so that killing it and starting it again
is what a person meets, and starts in a few seconds because nothing loads torch.
"""

import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT


class Web:
    """A web process that can be killed and started again at the same address."""

    def __init__(self, home: Path, log: Path) -> None:
        self.home = home
        self.log = log
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.starts += 1
        command = [sys.executable, "-m", "tests.faults.served_web", str(self.home), str(self.port)]
        with self.log.open("ab") as errors:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=errors, stderr=errors)
        deadline = time.monotonic() + 120
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text("utf-8")[-4000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as kill -9 does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def main() -> None:
    """Serve a home until killed."""
    import uvicorn

    from studio.app import build_app
    from studio.serve import prepare, services
    from studio.settings import Settings
    from studio.studio import Studio

    home, port = Path(sys.argv[1]), int(sys.argv[2])
    studio = Studio(settings=Settings.from_env({}, home=home, port=port))
    prepare(studio)
    app = build_app(studio)
    with socket.create_server(("127.0.0.1", port)) as listener, services(studio):
        uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="on")).run([listener])


if __name__ == "__main__":
    main()
