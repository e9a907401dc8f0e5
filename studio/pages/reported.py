"""Turns errors into one toast: the only place where an error of a handler becomes pixels."""

import functools
import html
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import gradio as gr

from storage.errors import RatchetError
from studio.bugs import report_bug

P = ParamSpec("P")
R = TypeVar("R")


def reported(handler: Callable[P, R]) -> Callable[P, R]:
    """Show a RatchetError's sentence to the person at the screen, and for a bug a sentence with a number.

    `functools.wraps` keeps the annotations, which Gradio (gr.Request, gr.EventData) and the wiring test read.
    A raised gr.Error stops the event, so the handler's outputs stay as they are. For plain functions: Gradio
    would not see that a wrapped generator or coroutine is one. Raises TypeError for those.
    """
    if inspect.isgeneratorfunction(handler) or inspect.iscoroutinefunction(handler):
        raise TypeError(f"@reported takes plain functions; {handler.__name__} is a generator or a coroutine.")

    @functools.wraps(handler)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handler(*args, **kwargs)
        except RatchetError as error:
            raise _toast(str(error)) from error
        except gr.Error:
            raise
        except Exception as error:
            raise _toast(report_bug(handler.__name__)) from error

    return wrapper


def _toast(sentence: str) -> Exception:
    """Gradio shows HTML in its toasts, so the sentence is escaped."""
    toast: Exception = gr.Error(html.escape(sentence), print_exception=False)
    return toast
