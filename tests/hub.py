"""A small Hub over real HTTP: it takes one commit of huggingface_hub's client, and gives its files out again."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """`files`: what was committed, by path. `created`: the repositories, as they were asked for."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.files: dict[str, bytes] = {}
        self.created: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        """What the Hub says to a call."""
        if path == "/api/whoami-v2":
            return {"type": "user", "name": "me", "auth": {"accessToken": {"role": "write"}}}
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.url}/datasets/me/sums", "name": "me/sums"}
        if "/preupload/" in path:
            asked = json.loads(body)["files"]
            return {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]}
        if "/commit/" in path:
            for line in body.splitlines():
                said = json.loads(line)
                if said["key"] == "file":
                    self.files[said["value"]["path"]] = base64.b64decode(said["value"]["content"])
            return {"commitUrl": f"{self.url}/datasets/me/sums/commit/abc", "commitOid": "abc", "success": True}
        return {}


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._file(b"" if self.path.split("?")[0].partition("/resolve/main/")[2] in hub.files else None)

        def do_GET(self) -> None:
            name = self.path.split("?")[0].partition("/resolve/main/")[2]
            if name:
                self._file(hub.files.get(name))
            else:
                self.do_POST()

        def _file(self, content: bytes | None) -> None:
            """A file as the Hub sends it: what it is by its hash, and of which commit."""
            name = self.path.split("?")[0].partition("/resolve/main/")[2]
            whole = hub.files.get(name, b"")
            self.send_response(404 if content is None else 200)
            self.send_header("x-repo-commit", "a" * 40)
            if content is None:
                self.send_header("x-error-code", "EntryNotFound")
            self.send_header("etag", f'"{hashlib.sha256(whole).hexdigest()}"')
            self.send_header("content-length", str(len(whole) if content is not None else 0))
            self.end_headers()
            self.wfile.write(content or b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers.get("transfer-encoding") == "chunked":
                body = self._chunks()
            hub.tokens.add(self.headers.get("authorization", ""))
            said = json.dumps(hub.answer(self.path.split("?")[0], body) if hub.status == 200 else {}).encode()
            self.send_response(hub.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def _chunks(self) -> bytes:
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing on the terminal."""

    return Handler
