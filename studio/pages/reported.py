"""Turns our own errors into one toast: the only place where an error of a handler becomes pixels."""

import functools
import html
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gradio as gr

from storage.errors import RatchetError

P = ParamSpec("P")
R = TypeVar("R")


def reported(handler: Callable[P, R]) -> Callable[P, R]:
    """Show a RatchetError's sentence to the person at the screen; let a bug be a bug.

    `functools.wraps` keeps the annotations, which Gradio (gr.Request, gr.EventData) and the wiring test read.
    The sentence is escaped, because Gradio's toasts show HTML. A raised gr.Error stops the event, so the
    handler's outputs stay as they are.
    """

    @functools.wraps(handler)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handler(*args, **kwargs)
        except RatchetError as error:
            raise gr.Error(html.escape(str(error)), title="That did not work", print_exception=False) from error

    return wrapper
