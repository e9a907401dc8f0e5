"""Pages without Gradio: sign in, take an invitation up, one's password, the list of people, "this is not for you".

They are plain HTML in the shell's look, because they must work before anybody has signed in, when Gradio's routes are
shut. Each is a frame with the words; its script (sign_in.js, account.js, people.js) talks to /api/people.
"""

import html

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from studio.assets import Assets
from studio.pages.document import THEME_SCRIPT
from studio.pages.shell import Page, header
from studio.people.passwords import SHORTEST
from studio.people.roles import Action, Actor

SIGN_IN = Page("/sign-in", "Sign in", "Sign in", "Your name and your password, as the administrator gave them.")
JOIN = Page("/join", "Join", "You are invited", "Choose a name and a password; then you can begin.")
ACCOUNT = Page("/account", "Account", "Your account", "Change your password.")
PEOPLE = Page("/people", "People", "People", "Who may come in, and what each may do.")

_NAME = """<div class="field"><label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="off" maxlength="40" required autofocus></div>"""
_PASSWORD = """<div class="field"><label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="{kind}" maxlength="1024" required
 aria-describedby="hint"><span class="hint" id="hint">{hint}</span></div>"""
_FIELD = """<div class="field"><label for="{id}">{label}</label>
<input id="{id}" name="{id}" type="password" autocomplete="{kind}" maxlength="1024" required{more}></div>"""
_FORM = """<form id="{id}" class="card stack narrow sign-in" method="post" action="{action}">{fields}
<p id="said" class="field-error" role="alert"></p>
<button type="submit" class="button button-primary">{button}</button></form>"""


class PlainPages:
    """Writes the pages."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.mark = (assets.folder / "icons" / "mark.svg").read_text("utf-8").strip()

    def sign_in(self) -> str:
        """The form that asks who one is."""
        password = _PASSWORD.format(kind="current-password", hint="Forgotten? An administrator can set a new one.")
        form = _FORM.format(id="sign-in-form", action="/api/people/sign-in", fields=_NAME + password, button="Sign in")
        return self._page(SIGN_IN, form, "sign_in")

    def join(self) -> str:
        """The form behind an invitation link; the link's secret stays in the address."""
        password = _PASSWORD.format(kind="new-password", hint=f"At least {SHORTEST} characters.")
        form = _FORM.format(id="join-form", action="/api/people/join", fields=_NAME + password, button="Join")
        return self._page(JOIN, form, "sign_in")

    def account(self, actor: Actor, signed_in: bool) -> str:
        """The form for a new password; on a machine of one's own there is none to change."""
        if not signed_in:
            said = "Nobody has an account here, so there is no password to change."
            return self._page(ACCOUNT, f'<p class="notice">{said}</p>', None, actor, False)
        hint = f"At least {SHORTEST} characters. You are signed out wherever else you are signed in."
        fields = _FIELD.format(id="old", label="Password now", kind="current-password", more=" autofocus")
        fields += _FIELD.format(id="new", label="New password", kind="new-password", more=' aria-describedby="hint"')
        fields += f'<span class="hint" id="hint">{hint}</span>'
        fields += _FIELD.format(id="again", label="New password again", kind="new-password", more="")
        name = f'<input type="hidden" name="username" autocomplete="username" value="{html.escape(actor.name)}">'
        form = _FORM.format(
            id="password-form", action="/api/people/me/password", fields=name + fields, button="Change the password"
        )
        return self._page(ACCOUNT, form, "account", actor, True)

    def people(self, actor: Actor, signed_in: bool) -> str:
        """The list of people; the script fills it."""
        admin = "true" if actor.may(Action.ADMINISTER) else "false"
        body = f'<div id="people" class="stack-l" data-admin="{admin}"></div>'
        body += '<p class="small"><a class="link" href="/api-docs">Routes for programs of your own</a></p>'
        return self._page(PEOPLE, body, "people", actor, signed_in)

    def forbidden(self, actor: Actor, name: str) -> str:
        """What somebody reads who may not see a page."""
        page = Page("/compare", name, "This page is not for you", f"You are here as {actor.role}.")
        said = (
            f'<div class="empty"><p>{html.escape(actor.name)}, your role has no part in the page {html.escape(name)}. '
            "An administrator can give you another role.</p>"
            '<p><a class="button button-primary" href="/compare">Go to the comparisons</a></p></div>'
        )
        return self._page(page, said, None, actor, True)

    def framed(self, page: Page, body: str, actor: Actor, signed_in: bool) -> str:
        """A page of somebody else's words in the same frame."""
        return self._page(page, body, None, actor, signed_in)

    def _page(
        self, page: Page, body: str, script: str | None, actor: Actor | None = None, signed_in: bool = False
    ) -> str:
        url = self.assets.url
        own = f'<script defer src="{url(f"{script}.js")}"></script>' if script else ""
        bar = header(page, self.mark, actor, signed_in, links=actor is not None)
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(page.title)}</title>
<meta name="color-scheme" content="light dark"><link rel="icon" type="image/svg+xml" href="{url("icons/favicon.svg")}">
<script>{THEME_SCRIPT}</script><link rel="stylesheet" href="{url("studio.css")}">
<link rel="stylesheet" href="{url("people.css")}"><script defer src="{url("shell.js")}"></script>{own}</head>
<body class="studio page-people">{bar}<main id="content" class="content" tabindex="-1">
<div class="page-head"><div><h1>{html.escape(page.heading)}</h1><p class="lead">{html.escape(page.lead)}</p></div></div>
{body}<noscript><p class="notice">The studio needs JavaScript: please allow it for this address.</p></noscript>
</main></body></html>"""


def router(pages: PlainPages) -> APIRouter:
    """The addresses of the pages."""
    routes = APIRouter(include_in_schema=False)
    kept = {"Cache-Control": "no-store"}

    @routes.get("/sign-in")
    def sign_in() -> HTMLResponse:
        return HTMLResponse(pages.sign_in(), headers=kept)

    @routes.get("/join/{token}")
    def join(token: str) -> HTMLResponse:
        return HTMLResponse(pages.join(), headers=kept)

    @routes.get("/account")
    def account(request: Request) -> HTMLResponse:
        return HTMLResponse(pages.account(request.state.actor, request.state.signed_in), headers=kept)

    @routes.get("/people")
    def people(request: Request) -> HTMLResponse:
        actor = request.state.actor
        if not actor.may(Action.RUN_STUDIES):
            return HTMLResponse(pages.forbidden(actor, "People"), status_code=403, headers=kept)
        return HTMLResponse(pages.people(actor, request.state.signed_in), headers=kept)

    return routes
