"""A small Hub: one dataset or model out of a folder, over real HTTP, as much of the protocol as its client asks for.

It wants a token, so that a test sees whether the login of the machine is used.
"""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_this_machine"
_COMMIT = "c0ffee" * 6 + "c0ff"


class SmallHub:
    """Serves `folder` as the dataset or model `name` until `close`; `asked` lists the paths of all requests.

    `gated`: whether its terms must be accepted first, which nobody has.
    """

    def __init__(self, folder: Path, name: str, kind: str = "datasets", gated: bool = False) -> None:
        self.folder = folder
        self.name = name
        self.gated = gated
        self.api = f"/api/{kind}/{name}"
        self.resolve = f"/datasets/{name}/resolve/" if kind == "datasets" else f"/{name}/resolve/"
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def files(self) -> list[Path]:
        """The files of the dataset."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def entry(self, path: Path) -> dict[str, Any]:
        """A file or folder as the Hub lists it."""
        name = path.relative_to(self.folder).as_posix()
        oid = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
        if path.is_dir():
            return {"type": "directory", "oid": oid, "size": 0, "path": name}
        return {"type": "file", "oid": oid, "size": path.stat().st_size, "path": name}

    def info(self) -> dict[str, Any]:
        """What the Hub says of the dataset."""
        names = [path.relative_to(self.folder).as_posix() for path in self.files()]
        return {
            "_id": "0" * 24, "id": self.name, "author": self.name.split("/")[0], "sha": _COMMIT, "private": True,
            "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0,
            "siblings": [{"rfilename": name} for name in names],
        }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    """Answers for the hub of `_handler`."""

    protocol_version = "HTTP/1.1"
    hub: SmallHub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        api, files = self.hub.api, self.hub.resolve
        if self.headers.get("authorization") != f"Bearer {TOKEN}" or not path.startswith((api, files)):
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
        elif self.hub.gated:
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
        elif path.startswith(files):
            self._file(self.hub.folder / path.removeprefix(files).partition("/")[2])
        else:
            self._json(path.removeprefix(api).strip("/").split("/"), body)

    def _json(self, parts: list[str], body: bytes) -> None:
        answer: Any = self.hub.info()
        if parts[0] == "tree":
            place = self.hub.folder.joinpath(*parts[2:])
            if not place.is_dir():
                return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            deep = "recursive=true" in self.path.lower()
            answer = [self.hub.entry(path) for path in sorted(place.rglob("*") if deep else place.iterdir())]
        elif parts[0] == "paths-info":
            wanted = json.loads(body)["paths"]
            answer = [self.hub.entry(self.hub.folder / name) for name in wanted if (self.hub.folder / name).exists()]
        return self._send(200, json.dumps(answer).encode(), {"content-type": "application/json"})

    def _file(self, path: Path) -> None:
        if not path.is_file():
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        content = path.read_bytes()
        told = {"ETag": f'"{self.hub.entry(path)["oid"]}"', "X-Repo-Commit": _COMMIT, "Accept-Ranges": "bytes"}
        wanted = self.headers.get("range")
        if not wanted:
            return self._send(200, content, told)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        end = min(int(last or len(content) - 1), len(content) - 1)
        told["Content-Range"] = f"bytes {first}-{end}/{len(content)}"
        return self._send(206, content[int(first) : end + 1], told)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _handler(hub: SmallHub) -> type[BaseHTTPRequestHandler]:
    """The handler of one hub: http.server makes an instance of it for each request."""
    return type("Handler", (_Handler,), {"hub": hub})
