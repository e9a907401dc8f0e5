"""The page behind a demo's link: a conversation, and nothing of the studio around it.

Plain HTML in the shell's look, because Gradio's routes are shut for those who have not signed in. What the demo is
called stands in it; all else comes from /api/demo/{link} (static/demo.js).
"""

import html
import json

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from storage.errors import NotFound
from studio.assets import Assets
from studio.demos.making import CLOSED, demo_of
from studio.demos.terms import Terms
from studio.pages.document import LATER, THEME_SCRIPT
from studio.studio import Studio

_NOTED = "Models make mistakes. What you ask and what you think of the answers may be read by those who made this page."
_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


class DemoPage:
    """Writes the page."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.mark = (assets.folder / "icons" / "mark.svg").read_text("utf-8").strip()

    def open(self, terms: Terms) -> str:
        """The conversation; the script fills it."""
        lead = f'<p class="lead">{html.escape(terms.lead)}</p>' if terms.lead else ""
        body = f"""<div class="demo-head"><h1>{html.escape(terms.title)}</h1>{lead}</div>
<div id="demo" class="demo"></div>
<p class="muted small">{_NOTED}</p>
<noscript><p class="notice">This page needs JavaScript: please allow it for this address.</p></noscript>"""
        return self._page(terms.title, body, ("markdown", "demo"))

    def shut(self) -> str:
        """What a wrong or closed link shows."""
        said = f'<div class="empty"><h1>Nothing here</h1><p>{CLOSED} Ask whoever gave you the link.</p></div>'
        return self._page("Nothing here", said, ())

    def _page(self, title: str, body: str, scripts: tuple[str, ...]) -> str:
        url = self.assets.url
        own = "".join(f'<script defer src="{url(f"{name}.js")}"></script>' for name in scripts)
        later = json.dumps({name: url(f"{name}.js") for name in LATER})
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(title)}</title>
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="{url("icons/favicon.svg")}">
<script>{THEME_SCRIPT}</script><link rel="stylesheet" href="{url("studio.css")}">
<link rel="stylesheet" href="{url("demo.css")}"><script defer src="{url("shell.js")}"></script>{own}
<script type="application/json" id="parts">{later}</script></head>
<body class="studio page-demo"><a class="skip-link" href="#content">Skip to the content</a>
<header class="shell-bar"><div class="shell-bar-inner"><span class="wordmark">{self.mark}</span>
<div class="shell-tools"><span id="connection" class="chip chip-warning" role="status" hidden></span>
<button type="button" class="tool-button" id="show-keys" title="Keys of this page (?)" aria-label="Keys of this page"
 aria-keyshortcuts="?"><span aria-hidden="true">?</span></button>
<button type="button" class="tool-button" id="theme-toggle" aria-label="Theme: system"></button></div></div></header>
<main id="content" class="content" tabindex="-1">{body}</main></body></html>"""


def router(page: DemoPage, studio: Studio) -> APIRouter:
    """The address of the page."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/demo/{link}")
    def demo(link: str) -> HTMLResponse:
        try:
            found = demo_of(studio.store, link)
        except NotFound:
            return HTMLResponse(page.shut(), status_code=404, headers=_HEADERS)
        return HTMLResponse(page.open(Terms.from_json(found.settings)), headers=_HEADERS)

    return routes
