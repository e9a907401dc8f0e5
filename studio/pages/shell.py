"""The frame around every page: which pages there are, their headings, and the HTML that carries them.

Gradio draws a page only after its scripts have run (about a second on a cold start). So the word mark, the
navigation, the page's `h1` and its lead sentence are written into the HTML that the server sends: they are there
with the first paint and Gradio cannot re-render them. `build()` of a page adds what stands below its heading and
makes no `h1` of its own. Buttons that belong beside the heading go into the element `#page-actions`.
"""

import html
from collections.abc import Sequence
from typing import NamedTuple

from studio.people.roles import Action, Actor


class Page(NamedTuple):
    """One page: its address, its name in the navigation, its heading and the sentence below that."""

    path: str
    name: str
    heading: str
    lead: str
    action: Action = Action.SEE_RESULTS
    """What one must be allowed to do to come here."""

    @property
    def slug(self) -> str:
        """The address as Gradio names it: without the slash, empty for the first page."""
        return self.path.strip("/")

    @property
    def title(self) -> str:
        """What the browser's tab shows."""
        return f"{self.name} · Ratchet"


PAGES: Sequence[Page] = (
    Page("/", "Home", "Rounds", "Each turn of the loop, and the one next step."),
    Page("/data", "Data", "Data", "Import examples, read them, and mend them by hand.", Action.READ_DATA),
    Page("/compare", "Compare", "Compare", "Answers without names. Say which one is better.", Action.JUDGE),
    Page(
        "/studies",
        "Studies",
        "Studies",
        "What is judged, how, and by whom; how far it is.",
        Action.SEE_RESULTS,
    ),
    Page(
        "/results",
        "Results",
        "Results",
        "Who wins, how sure that is, and who judged. Names of models are shown here.",
        Action.SEE_RESULTS,
    ),
    Page("/models", "Models", "Models", "What was made from what, how good it is, and what can be done with it."),
    Page("/train", "Train", "Train", "Teach a model from examples or from votes, and watch it learn."),
)


def page_at(path: str) -> Page | None:
    """The page at this address, or None."""
    return next((page for page in PAGES if page.path == path), None)


def navigation(current: Page, actor: Actor | None = None) -> str:
    """The links to the pages this person may see, the current one marked for the eye and for screen readers."""
    links = (
        f'<a href="{page.path}"{" aria-current=page" if page is current else ""}>{html.escape(page.name)}</a>'
        for page in PAGES
        if actor is None or actor.may(page.action)
    )
    return f'<nav class="shell-nav" aria-label="Pages">{"".join(links)}</nav>'


def account(actor: Actor | None, signed_in: bool) -> str:
    """Who is here, with the ways to the list of people, the own password and out; nothing on a machine of one's own."""
    if actor is None:
        return ""
    people = '<a href="/people">People</a>' if actor.may(Action.RUN_STUDIES) else ""
    if not signed_in:
        return f'<span class="account-local">{people}</span>'
    name = html.escape(actor.name)
    return f"""<details class="account"><summary class="tool-button" aria-label="Signed in as {name}">{name}</summary>
      <div class="account-menu"><p class="muted small">{name}, {actor.role}</p>{people}<a href="/account">Password</a>
      <button type="button" class="button button-secondary button-s" id="sign-out">Sign out</button></div></details>"""


def header(current: Page, mark: str, actor: Actor | None = None, signed_in: bool = False, links: bool = True) -> str:
    """The bar on top: skip link, word mark, navigation, connection status, keys, theme and who is here."""
    return f"""
<a class="skip-link" href="{current.path}#content">Skip to the content</a>
<header class="shell-bar">
  <div class="shell-bar-inner">
    <a class="wordmark" href="/" aria-label="Ratchet, home">{mark}<span>Ratchet</span></a>
    {navigation(current, actor) if links else ""}
    <div class="shell-tools">
      <span id="connection" class="chip chip-warning" role="status" hidden></span>
      <button type="button" class="tool-button" id="show-keys" title="Keys of this page (?)"
        aria-label="Keys of this page" aria-keyshortcuts="?"><span aria-hidden="true">?</span></button>
      <button type="button" class="tool-button" id="theme-toggle" aria-label="Theme: system"></button>
      {account(actor, signed_in)}
    </div>
  </div>
</header>"""


def heading(page: Page) -> str:
    """The page's `h1`, its lead sentence and the place for its actions."""
    return f"""
<div class="page-head">
  <div><h1>{html.escape(page.heading)}</h1><p class="lead">{html.escape(page.lead)}</p></div>
  <div class="page-actions" id="page-actions"></div>
</div>"""


BOOT = """
<div id="boot" class="boot" aria-hidden="true">
  <div class="skeleton" style="height:56px"></div><div class="skeleton" style="height:160px"></div>
  <div class="skeleton" style="width:60%"></div><div class="skeleton" style="width:40%"></div>
</div>
<noscript><div class="empty"><p>The studio needs JavaScript: please allow it for this address.</p></div></noscript>"""
