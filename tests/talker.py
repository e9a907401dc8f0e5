"""A small OpenAI-compatible server that says what a test tells it to say, for endpoint models.

It speaks real HTTP and real server-sent events, so everything of ours between a comparison and an answer runs.
"""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Speech = Callable[[list[dict[str, Any]], int], str]
"""From the messages and the seed to the answer."""


class Talker:
    """`say` maps the name of a model to what it says; `pause`: seconds between two words.

    `failing`: it refuses; `refused`: words of prompts that it always refuses; `aside`: how many times it says that it
    has moved aside before it answers.
    """

    def __init__(self, say: dict[str, Speech], pause: float = 0.0) -> None:
        self.say = say
        self.pause = pause
        self.failing = False
        self.refused: str | None = None
        self.aside = 0
        self.asked: list[dict[str, Any]] = []
        self.held = threading.Event()
        self.held.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.held.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(talker: Talker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            talker.asked.append(asked)
            if talker.failing or (talker.refused and talker.refused in str(asked["messages"][-1]["content"])):
                self._refuse(400, "out of order", "bad-input")
                return
            if talker.aside > 0:
                talker.aside -= 1
                self._refuse(503, "moved aside for job 7", "moved-aside")
                return
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            words = talker.say[asked["model"]](asked["messages"], asked.get("seed") or 0)
            try:
                self._speak(words)
            except (BrokenPipeError, ConnectionResetError):
                return  # nobody listens any more

        def _speak(self, words: str) -> None:
            pieces = [piece for piece in words.replace(" ", " \x00").split("\x00") if piece]
            for number, piece in enumerate(pieces):
                if number == 1:
                    talker.held.wait(30)
                self._send({"choices": [{"index": 0, "delta": {"content": piece}}]})
                time.sleep(talker.pause)
            self._send(
                {
                    "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
                    "usage": {"completion_tokens": len(pieces)},
                }
            )
            self.wfile.write(b"data: [DONE]\n\n")

        def _send(self, event: dict[str, Any]) -> None:
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

        def _refuse(self, status: int, words: str, code: str) -> None:
            body = json.dumps({"error": {"message": words, "code": code}}).encode()
            self.send_response(status)
            self.send_header("retry-after", "0")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on the terminal."""

    return Handler
