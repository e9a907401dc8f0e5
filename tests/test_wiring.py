"""Every Gradio event returns as many values as it is wired to.

Gradio 6.31 only logs a warning where a handler returns too many values, and raises where it returns too few, and
both only when somebody clicks. The annotations, which mypy demands anyway, tell it before.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import gradio as gr
import pytest

from studio.app import build_pages
from studio.settings import Settings
from studio.studio import Studio


def wiring_errors(demo: gr.Blocks) -> Iterator[str]:
    """One line for each event whose handler's annotation does not fit its outputs."""
    for event in demo.fns.values():
        if event.fn is None or not event.targets:  # runs in the browser alone, or is Gradio's own
            continue
        returned = _returned(event.fn)
        if returned != len(event.outputs):
            yield f"{event.name}: returns {returned}, wired to {len(event.outputs)}"


def _returned(handler: Any) -> int:
    hint = get_type_hints(handler).get("return")
    return 0 if hint is type(None) else len(getattr(hint, "_fields", [hint]))


class Two(NamedTuple):
    """What a handler for two outputs returns."""

    left: str
    right: str


@pytest.mark.parametrize(("outputs", "errors"), [(2, []), (1, ["both: returns 2, wired to 1"])])
def test_a_forgotten_output_is_found(outputs: int, errors: list[str]) -> None:
    def both() -> Two:
        return Two("a", "b")

    with gr.Blocks() as demo:
        boxes = [gr.Textbox() for _ in range(outputs)]
        gr.Button().click(both, outputs=boxes)

    assert list(wiring_errors(demo)) == errors


def test_every_event_of_every_page_returns_what_it_is_wired_to(tmp_path: Path) -> None:
    demo = build_pages(Studio(settings=Settings.from_env({}, home=tmp_path / "home")))

    assert list(wiring_errors(demo)) == []
