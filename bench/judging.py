"""Studios full of people who judge, for the benches of votes: ours and the plain Gradio one, and their people.

    python -m bench.judging HOME PORT

serves a home as `ratchet serve` does, without engine and worker. The people are connections of one asyncio loop that
speak HTTP/1.1 by hand: a client library would take more of the machine than the studio does.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

Json = dict[str, Any]

STUDY = "bench"
WORDS = "This is a sentence of an answer, about as long as people write them. " * 12


class Answered(NamedTuple):
    """An answer of the server: its status, its JSON, and the seconds that it took."""

    status: int
    body: Json
    seconds: float


class Line:
    """One person's connection, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, cookie: str) -> None:
        self.reader, self.writer, self.port = reader, writer, port
        self.head = f"host: 127.0.0.1:{port}\r\ncookie: {cookie}\r\ncontent-type: application/json\r\n"

    @classmethod
    async def open(cls, port: int, cookie: str = "") -> Self:
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        return cls(reader, writer, port, cookie)

    async def ask(self, method: str, path: str, body: Json | None = None) -> Answered:
        """Send one request and read its answer."""
        data = b"" if body is None else json.dumps(body).encode()
        begun = time.perf_counter()
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{self.head}content-length: {len(data)}\r\n\r\n".encode() + data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        answer = await self.reader.readexactly(length)
        seconds = time.perf_counter() - begun
        return Answered(int(head.split(" ", 2)[1]), json.loads(answer), seconds)

    async def dial_again(self) -> None:
        """Connect anew, as a browser does after a pause: the server hangs up after five seconds without a word."""
        self.writer.close()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


class Judge:
    """A person who votes on what comes, over one line."""

    def __init__(self, line: Line, name: str) -> None:
        self.line, self.name = line, name
        self.pairs: dict[str, Json] = {}
        self.order: list[str] = []
        self.given = 0
        self.last: Json = {}

    async def begin(self) -> None:
        """Ask for the first comparisons."""
        self._take((await self.line.ask("GET", f"/api/compare/next?study={STUDY}")).body)

    async def vote(self) -> Answered:
        """Vote on the comparison that is before them; raises RuntimeError where the vote is not acknowledged."""
        pair = self.pairs.pop(self.order[0])
        self.given += 1
        self.last = {
            "id": f"{self.name}-{self.given:08}", "study": STUDY, "comparison": pair["comparison"],
            "choice": ("left", "right", "tie", "both_bad")[self.given % 4], "seconds": 2.0,
            "shown": [side["sha256"] for side in pair["sides"]], "hold": self.order[1:],
        }  # fmt: skip
        answered = await self.line.ask("POST", "/api/compare/vote", self.last)
        if answered.status != 200 or not answered.body["new"]:
            raise RuntimeError(f"A vote was answered {answered.status}: {answered.body}")
        self._take(answered.body["sitting"])
        return answered

    async def send_again(self) -> None:
        """Send the last vote once more, as a browser does whose answer was lost; raises RuntimeError if it counts."""
        answered = await self.line.ask("POST", "/api/compare/vote", self.last)
        if answered.status != 200 or answered.body["new"]:
            raise RuntimeError(f"A vote sent twice was answered {answered.status}: {answered.body}")
        self._take(answered.body["sitting"])

    async def wake(self) -> None:
        """Connect anew after a pause."""
        await self.line.dial_again()

    def leave(self) -> None:
        """Hang up."""
        self.line.close()

    def _take(self, sitting: Json) -> None:
        """Keep what came, as the page does: what it holds already comes as an id alone."""
        for pair in sitting["pairs"]:
            if not pair.get("held"):
                self.pairs[pair["comparison"]] = pair
        self.order = [pair["comparison"] for pair in sitting["pairs"]]


class GradioJudge:
    """A person at `baselines/gradio_votes.py`, who votes as Gradio's own page does: join the queue, read events."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.session = port, name
        self.line: Line | None = None

    async def vote(self) -> Answered:
        """Vote on the pair that is before them; raises RuntimeError where the event fails."""
        if self.line is None:
            await self.wake()
        assert self.line is not None
        begun = time.perf_counter()
        asked = {"data": [None], "fn_index": 0, "session_hash": self.session, "trigger_id": 1}
        joined = await self.line.ask("POST", "/gradio_api/queue/join", asked)
        if joined.status != 200:
            raise RuntimeError(f"Gradio's queue answered {joined.status}: {joined.body}")
        event = await self._completed()
        seconds = time.perf_counter() - begun
        if not event["success"]:
            raise RuntimeError(f"Gradio's event failed: {event}")
        return Answered(200, event, seconds)

    async def _completed(self) -> Json:
        """The event that ends the vote, from a stream that is opened for it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"host: 127.0.0.1:{self.port}\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n"
        writer.write(f"GET /gradio_api/queue/data?session_hash={self.session} HTTP/1.1\r\n{head}".encode())
        try:
            while line := await reader.readline():
                if line.startswith(b"data:") and b'"process_completed"' in line:
                    event: Json = json.loads(line[5:])
                    return event
            raise RuntimeError("Gradio's stream ended without the event.")
        finally:
            writer.close()

    async def wake(self) -> None:
        """Connect, or connect anew after a pause."""
        if self.line is not None:
            self.line.close()
        self.line = await Line.open(self.port)

    def leave(self) -> None:
        """Hang up."""
        if self.line is not None:
            self.line.close()


def furnish(home: Path, people: int, comparisons: int, starter: bool = False, admin: bool = False) -> list[str]:
    """Make a home with a study of so many ready comparisons and so many signed-in people; their sessions' tokens.

    `starter`: with the starter model and its data too, as `ratchet serve` makes them. Its study is older than ours, so
    nobody has it answered. `admin`: an administrator comes last, beside the people.
    """
    from storage.comparisons import NewComparison, add_comparison, create_study
    from storage.home import Home
    from storage.models import add_model
    from storage.people import add_person
    from storage.prompts import as_messages
    from storage.store import Store
    from studio.people.sessions import begin
    from studio.settings import Settings
    from studio.training.starter import ensure_starter

    store = Store.open(Home(home))
    if starter:
        ensure_starter(store, Settings.from_env({}, home=home))
    with store.write():
        models = [
            add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name) for name in ("a1", "b1")
        ]
        study = create_study(store, STUDY, models, None)
        contestants = [(model.id, model.name) for model in models]
        for number in range(comparisons):
            texts = [f"{number}. {WORDS}", f"{number}. {WORDS[::-1]}"]
            new = NewComparison(as_messages(f"Question {number}?"), contestants, texts=texts)
            add_comparison(store, study, new)
        names = [(f"p{number:02}", "annotator") for number in range(people)] + [("admin", "admin")] * admin
        tokens = [begin(store, add_person(store, name, role, "-")).token for name, role in names]
    store.close()
    return tokens


async def gather(port: int, tokens: list[str]) -> list[Judge]:
    """The people, each at their first comparison."""
    judges = []
    for number, token in enumerate(tokens):
        judge = Judge(await Line.open(port, f"ratchet_session_{port}={token}"), f"p{number:02}")
        await judge.begin()
        judges.append(judge)
    return judges


@contextmanager
def serving(*command: str) -> Iterator[int]:
    """Run a server that takes its port as its last argument, until the block ends; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, *command, str(port)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{' '.join(command)} does not serve (exit code {process.poll()}).")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> None:
    """Serve a home until told to end."""
    import uvicorn

    from studio.app import build_app
    from studio.serve import services
    from studio.settings import Settings
    from studio.studio import Studio

    port = int(sys.argv[2])
    studio = Studio(settings=Settings.from_env({}, home=sys.argv[1], port=port))
    config = uvicorn.Config(
        build_app(studio), host="127.0.0.1", port=port, log_level="warning", access_log=False, server_header=False,
        ws="none", lifespan="on",
    )  # fmt: skip
    with services(studio):
        uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
