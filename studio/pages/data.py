"""The page data: its first form, to be filled."""

from typing import Any

import gradio as gr


def build(studio: Any) -> None:
    """Place the page's components; called inside the page's route."""
    gr.HTML('<div class="empty"><h2>Nothing here yet</h2><p>This page is being built.</p></div>')
