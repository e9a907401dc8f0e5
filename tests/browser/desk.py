"""A served studio for the tests of the editor, datasets of each test's own, and what the tests do again and again."""

import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storage.rows import Example
from storage.store import Store
from studio.curation.importing import import_files
from studio.curation.listing import show
from tests.browser.conftest import running


class Site(NamedTuple):
    """A served studio without models, and its store."""

    url: str
    store: Store


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The real application over a fresh home, from a thread: no engine, no worker, no starter."""
    from studio.app import build_app
    from studio.settings import Settings
    from studio.studio import Studio

    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    studio = Studio(settings=Settings.from_env({}, home=tmp_path_factory.mktemp("desk") / "home", port=port))
    before = dict(os.environ)
    with running(build_app(studio), listener) as url:
        yield Site(url, studio.store)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def fill(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., str]:
    """`fill(rows)`: a dataset of this test's own; answers its name."""

    def filler(rows: list[dict[str, Any]]) -> str:
        name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
        path = tmp_path / "given.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        import_files(site.store, [path], name)
        return name

    return filler


def sums(count: int) -> list[dict[str, Any]]:
    """So many short questions with answers."""
    return [{"prompt": f"What is {n} plus 1?", "completion": str(n + 1)} for n in range(count)]


def chat(*turns: tuple[str, str]) -> dict[str, Any]:
    """A conversation of roles and texts."""
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def rows(store: Store, dataset: str) -> list[Example]:
    """The rows of a dataset as stored."""
    return show(store, dataset, limit=100).rows


def said(store: Store, dataset: str, number: int = 0) -> list[tuple[str, str]]:
    """Roles and texts of one conversation as stored."""
    return [(turn["role"], turn["content"]) for turn in rows(store, dataset)[number].content["messages"]]


def open_row(visit: Callable[..., Any], site: Site, dataset: str, number: int = 0, **options: Any) -> Any:
    """A page with the editor open on a row of a dataset."""
    row = rows(site.store, dataset)[number].id
    page = visit(site.url, **options).open(f"/data?dataset={dataset}&row={row}", wait_for=".editor .editor-body")
    page.wait_for_selector(f".editor h2:text-is('Example {number + 1}')")
    return page


def wait_saved(page: Any) -> None:
    """Wait until nothing is unsaved."""
    page.wait_for_selector(".editor-head .chip:text-is('Saved')")


def wait_kept(page: Any) -> None:
    """Wait until what is unsaved has been kept on the server."""
    page.wait_for_selector(".editor-head .num:has-text('kept')")


def focused(page: Any) -> str | None:
    """The label of the field that has the focus."""
    label: str | None = page.evaluate("document.activeElement.getAttribute('aria-label')")
    return label
