"""The page /data of a studio without models, with a folder from which files may be imported."""

from typing import Any

from studio.curation.listing import show
from tests.browser.site import Site


def drop(page: Any, *files: tuple[str, str]) -> None:
    """Drop files (name, content) on the page as a file manager does, on whatever lies there."""
    page.evaluate(
        """(files) => {
          const carried = new DataTransfer();
          for (const [name, content] of files) carried.items.add(new File([content], name));
          for (const kind of ["dragenter", "dragover", "drop"]) {
            document.querySelector("h1").dispatchEvent(
              new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried }));
          }
        }""",
        [list(file) for file in files],
    )


def given(name: str, content: bytes | str) -> dict[str, Any]:
    """A file for `set_input_files`."""
    return {"name": name, "mimeType": "", "buffer": content.encode() if isinstance(content, str) else content}


def ready(page: Any, count: int = 1) -> None:
    """Wait until so many files can be imported."""
    page.wait_for_function("n => document.querySelectorAll('.import-files .chip-good').length === n", arg=count)


def press_import(page: Any) -> None:
    """Press the button and wait for what comes of it."""
    page.click(".import-body button.button-primary:text-matches('^(Import|Add to)')")
    page.wait_for_selector("#import-result")


def said(site: Site, dataset: str) -> list[list[str]]:
    """What the rows of a dataset say, turn by turn."""
    rows = show(site.store, dataset, limit=100).rows
    return [[item["content"] for item in row.content["messages"]] for row in rows]


def overflow(page: Any) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
