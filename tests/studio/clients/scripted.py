"""A real HTTP server that answers each question with the next of its replies, well or badly."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Part = str | bytes | float
"""What is sent; a number: seconds of silence before the next part."""


class Reply(NamedTuple):
    """One reply; `whole`: False where the connection is cut after the last part."""

    status: int
    headers: dict[str, str]
    parts: Sequence[Part]
    whole: bool


def chunk(text: str | None = None, reason: str | None = None, **more: Any) -> str:
    """A piece of an answer as OpenAI streams it."""
    delta = {"content": text} if text is not None else {}
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}) + "\n\n"


GOOD = (
    ": a comment\n\n",
    chunk(""),
    chunk("Good "),
    chunk("day 😀", system_fingerprint="fp-1"),
    chunk(None, "stop"),
    'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}\n\n',
    "data: [DONE]\n\n",
)


class Server:
    """`says` lines replies up; `asked` holds the questions (path, headers, body); `lists`: what GET answers by path."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.lists: dict[str, Any] = {}
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.url = f"{self.root}/v1"

    def says(self, *parts: Part, status: int = 200, whole: bool = True, **headers: str) -> None:
        """Line one reply up; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies.append(Reply(status, named, parts, whole))


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = server.lists.get(self.path)
            self.send_response(200 if said is not None else 404)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with server.lock:
                server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                reply = server.replies.pop(0)
                server.at_once += 1
                server.most_at_once = max(server.most_at_once, server.at_once)
            try:
                self._send(reply)
            except OSError:
                pass  # the client has hung up
            finally:
                with server.lock:
                    server.at_once -= 1

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if not reply.whole:
                self.send_header("content-length", "1000000")  # so that the cut is seen as one
            self.end_headers()
            for part in reply.parts:
                if isinstance(part, float):
                    time.sleep(part)
                else:
                    self.wfile.write(part.encode() if isinstance(part, str) else part)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def serving() -> Iterator[Server]:
    """A server that answers while the context lasts."""
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.http.shutdown()
        thread.join()
        made.http.server_close()
