"""The static files and their addresses: ours under /static, Gradio's under /assets.

Every address of ours carries a hash of the content (`/static/studio.css?v=1f3c…`), so a browser may keep the
file for a year and still sees a new one at once. Without the hash the file is served with `no-cache` and an
etag. Gradio's own page asks for a few files under /static as well; those are served from its package.

The scripts and styles of a page are many small files, each a noun, and travel as one: a bundle
(`/static/pages/compare.js`). Every file is a function that calls itself, so one after the other is all it takes.
"""

import hashlib
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from studio.packed import TYPES, Shelf, Text

YEAR = 365 * 24 * 3600
FOR_EVER = f"public, max-age={YEAR}, immutable"
ASK_FIRST = "no-cache"


class Assets:
    """The static folder: which files it has, which of them travel together, and under which address a page asks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bundles: MutableMapping[str, Sequence[str]] = {}
        self._hashes: MutableMapping[tuple[str, int], str] = {}

    def bundle(self, name: str, files: Sequence[str]) -> None:
        """Let these files travel as one file `name`, in this order."""
        self._bundles[name] = tuple(files)

    def has(self, name: str) -> bool:
        """Whether there is a file or a bundle `name`."""
        return name in self._bundles or (self.folder / name).is_file()

    def version(self, name: str) -> str:
        """The first 12 hex digits of the content's SHA-256, kept until a file changes on disk."""
        if name in self._bundles:
            return _digest("".join(self.version(part) for part in self._bundles[name]).encode())
        path = self.folder / name
        key = (name, path.stat().st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = _digest(path.read_bytes())
        return self._hashes[key]

    def url(self, name: str) -> str:
        """The address of the file or bundle `name`, with its version."""
        return f"/static/{name}?v={self.version(name)}"

    def read(self, name: str) -> bytes:
        """The content of the file or bundle `name`."""
        return b"\n".join((self.folder / part).read_bytes() for part in self._bundles.get(name, (name,)))


class HashedFiles(StaticFiles):
    """Static files that are kept for a year when asked for by version, and checked each time otherwise."""

    def __init__(self, assets: Assets) -> None:
        super().__init__(directory=assets.folder, packages=[("gradio", "templates/frontend/static")])
        self.assets = assets
        self._shelf = Shelf()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one file; `immutable` only for the version that there is now."""
        within = ".." not in Path(path).parts and not Path(path).is_absolute()
        ours = within and Path(path).suffix in TYPES and self.assets.has(path)
        current = self.assets.version(path) if ours else None
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        keep = FOR_EVER if current is not None and asked == current else ASK_FIRST
        if current is not None and scope["method"] in ("GET", "HEAD"):
            return await self._shelf.answer(Text(path, current, lambda: self.assets.read(path)), keep, scope)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = keep
        return response


class GradioFiles(StaticFiles):
    """The scripts of Gradio's page; their names hold a hash of their content."""

    def __init__(self) -> None:
        super().__init__(packages=[("gradio", "templates/frontend/assets")])
        self._shelf = Shelf()

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one file, to be kept for a year."""
        found, _ = self.lookup_path(path)
        if Path(found).suffix in TYPES and scope["method"] in ("GET", "HEAD"):
            return await self._shelf.answer(Text(path, _digest(path.encode()), Path(found).read_bytes), FOR_EVER, scope)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = FOR_EVER
        return response


class ThemeFile:
    """Gradio's theme as a style, an application of one file; a page names its version, and waits for it to be drawn.

    `current`: the style and the version by which pages ask for it.
    """

    def __init__(self, current: Callable[[], tuple[str, str]]) -> None:
        self.current = current
        self._shelf = Shelf()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the style; kept for a year where it is asked for by its version."""
        style, version = self.current()
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        text = Text("theme.css", version[:12], style.encode)
        response = await self._shelf.answer(text, FOR_EVER if asked == version else ASK_FIRST, scope)
        await response(scope, receive, send)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
