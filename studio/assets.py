"""The static files and their addresses.

Every address carries a hash of the file's content (`/static/studio.css?v=1f3c…`), so a browser may keep the
file for a year and still sees a new one at once. Without the hash the file is served with `no-cache` and an
etag. Gradio's own page asks for a few files under /static as well; those are served from its package.
"""

import hashlib
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

YEAR = 365 * 24 * 3600


class Assets:
    """The static folder: which files it has and under which address a page asks for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes: MutableMapping[tuple[str, int], str] = {}

    def has(self, name: str) -> bool:
        """Whether the folder holds the file `name`."""
        return (self.folder / name).is_file()

    def version(self, name: str) -> str:
        """The first 12 hex digits of the file's SHA-256, kept until the file changes on disk."""
        path = self.folder / name
        key = (name, path.stat().st_mtime_ns)
        if key not in self._hashes:
            self._hashes[key] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        return self._hashes[key]

    def url(self, name: str) -> str:
        """The address of the file `name`, with its version."""
        return f"/static/{name}?v={self.version(name)}"


class HashedFiles(StaticFiles):
    """Static files that are kept for a year when asked for by version, and checked each time otherwise."""

    def __init__(self, assets: Assets) -> None:
        super().__init__(directory=assets.folder, packages=[("gradio", "templates/frontend/static")])
        self.assets = assets

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer one file; `immutable` only for the version that the folder holds now."""
        response = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        current = bool(asked) and self.assets.has(path) and self.assets.version(path) == asked
        keep = f"public, max-age={YEAR}, immutable" if current else "no-cache"
        response.headers["Cache-Control"] = keep
        return response
