"""A component of our own: a Python name on one side, a JavaScript function in static/ on the other.

How to make one, say `compare`:

1. `static/compare.js` registers a function (and `static/compare.css`, if there is one, styles it)::

       window.ratchet.widgets.compare = (element, props, gradio) => {
         const { el, api, keys } = window.ratchet;
         element.append(el("p", { class: "muted" }, props.hello));        // el() sets text, never HTML
         gradio.watch((value) => { … });                                   // a Python handler returned a new value
         gradio.trigger("voted", { id: "…" });                             // raises the Python event `voted`
         gradio.server.next_pair({ study: "…" }).then((pair) => { … });    // calls a Python function
         return () => { … };                                               // optional: runs when it is taken away
       };

2. The page places it: `box = widget("compare", props={"hello": "world"}, server=[next_pair], events=["voted"])`.
   Both files come with the page's HTML by themselves, with their content's hash in the address.
   `box` is an ordinary component: `outputs=[box]` sends a new JSON value to `gradio.watch`, and
   `box.voted(handler, …)` listens to an event that the script triggers.

What to know: `element` is an empty <div data-widget="compare"> that belongs to the script alone. The template is
constant, so Gradio, which compares templates before it touches the page, never re-renders it (a test changes
the value and looks). `props` and values are JSON: they reach the page as data and become text by `el`. Small
things go into `props`; data comes from /api or from `server`, because what a constructor holds is sent with
every page. A function of `server` gets ONE argument, the JSON that the script passed, and answers JSON; it is
not queued. Its RatchetErrors come back as a rejected promise with the sentence (`error.message`).

It is a function and not a subclass of gr.HTML because Gradio writes a .pyi file beside every subclass's source.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr

from storage.errors import RatchetError
from studio.bugs import report_bug

JSON = Any  # what json.dumps takes
NAME = re.compile(r"[a-z][a-z0-9_]*")
PLACE = re.compile(rf'<div data-widget="({NAME.pattern})"(?: data-parts="([a-z0-9_ ]+)")?></div>')


def widget(
    name: str,
    *,
    props: Mapping[str, JSON] | None = None,
    server: Sequence[Callable[[Any], JSON]] = (),
    events: Sequence[str] = (),
    value: JSON = None,
    elem_id: str | None = None,
    visible: bool = True,
    parts: Sequence[str] = (),
) -> gr.HTML:
    """Place the component whose content is made by `window.ratchet.widgets[name]` in /static/<name>.js.

    `parts`: further scripts and styles of the same kind (/static/<part>.js) that the page loads before it.
    Raises ValueError for a name that could not be a file's.
    """
    for word in (name, *parts):
        if not NAME.fullmatch(word):
            raise ValueError(
                f"The widget name {word!r} must be lower-case letters, digits and underscores, as its file's."
            )
    more = f' data-parts="{" ".join(parts)}"' if parts else ""
    return gr.HTML(
        value=value,
        html_template=f'<div data-widget="{name}"{more}></div>',
        # The names of the events must stand in the script in quotes: Gradio finds listeners that way.
        js_on_load=f"window.ratchet.mount(element, {json.dumps(name)}, "
        f"{{props, server, trigger, watch, upload, events: {json.dumps(list(events))}}})",
        server_functions=[_answering(name, function) for function in server],
        apply_default_css=False,
        container=False,
        padding=False,
        elem_id=elem_id,
        elem_classes=["widget"],
        visible=visible,
        options=dict(props or {}),
    )


def _answering(name: str, function: Callable[[Any], JSON]) -> Callable[[Any], dict[str, JSON]]:
    """The function as the script calls it: an answer, or the sentence of what went wrong."""

    @functools.wraps(function)
    def answer(argument: Any = None) -> dict[str, JSON]:
        try:
            return {"answer": function(argument)}
        except RatchetError as error:
            return {"error": {"sentence": str(error), "kind": error.kind}}
        except Exception:  # noqa: BLE001 - a bug, which report_bug logs
            return {"error": {"sentence": report_bug(f"{name}.{function.__name__}"), "kind": "bug"}}

    return answer


def widget_names(demo: gr.Blocks, page: str) -> list[str]:
    """The files of the widgets on the page with this slug, each once, in order, parts before their widget."""
    templates = (
        block.html_template for block in demo.blocks.values() if isinstance(block, gr.HTML) and block.page == page
    )
    found = [match for template in templates if (match := PLACE.fullmatch(template))]
    return list(dict.fromkeys(name for match in found for name in [*(match[2] or "").split(), match[1]]))
