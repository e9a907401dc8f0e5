"""A served studio for the tests of the editor, datasets of each test's own, and what the tests do again and again."""

from collections.abc import Callable
from typing import Any

from storage.rows import Example
from storage.store import Store
from studio.curation.listing import show
from tests.browser.site import Site


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
