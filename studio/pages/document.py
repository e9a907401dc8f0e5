"""Dresses the HTML that Gradio sends for a page: our head, header and heading, without its social-media tags.

Gradio offers a `head` parameter, but puts it in by script after the page has loaded: the page would flash
unstyled and the header would come late. Replacing a handful of known places in the HTML costs about a
millisecond. Each place must be found: a Gradio release that moves one fails loudly, in a test first.
"""

import html
import json
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.assets import Assets
from studio.pages.shell import BOOT, Page, header, heading, page_at
from studio.people.roles import Actor

# Runs before the first paint: the kept theme, or what the system prefers.
THEME_SCRIPT = """
(() => {
  let kept = "system";
  try { kept = localStorage.getItem("ratchet.theme") || "system"; } catch { /* storage is switched off */ }
  const dark = kept === "dark" || (kept === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.documentElement.dataset.themeChoice = kept;
})();
"""
SOCIAL_TAGS = re.compile(r'\s*<meta\s+(?:property|name)="(?:og|twitter):[^>]*/>')
IFRAME_SCRIPT = re.compile(r"<script>\s*\(\(\) => \{\s*const root = .*?</script>", re.DOTALL)
CHARSET = re.compile(r'<meta charset="utf-8" />')
BODY = re.compile(r"<body\b[^>]*>")
APP = re.compile(r"<gradio-app\b.*?</gradio-app>", re.DOTALL)

EVERYWHERE_STYLES = ("studio", "gradio")
LATER = ("markdown_math", "markdown_code")  # what `ratchet.need` loads when a text wants it
FIRST = "home"  # the first page's bundles; its slug is empty

GONE = "Gradio's page has nothing like {} any more; studio/pages/document.py must learn where it went."


class Dresser:
    """Writes our parts into Gradio's HTML for one page."""

    def __init__(
        self, assets: Assets, widgets: Mapping[str, Sequence[str]], announced: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.assets = assets
        self.announced = announced  # page slug -> elements that ask for Gradio's files (studio/pages/preloads.py)
        self.mark = (assets.folder / "icons" / "mark.svg").read_text("utf-8").strip()
        assets.bundle("pages/all.css", [f"{name}.css" for name in EVERYWHERE_STYLES])
        for slug, names in widgets.items():  # page slug -> names of the widgets on it
            for kind in ("css", "js"):
                if files := [f"{name}.{kind}" for name in names if assets.has(f"{name}.{kind}")]:
                    assets.bundle(f"pages/{slug or FIRST}.{kind}", files)

    def dress(self, text: str, page: Page, actor: Actor | None = None, signed_in: bool = False) -> str:
        """The page's HTML with our head, header and heading; ValueError where Gradio's has changed."""
        text = SOCIAL_TAGS.sub("", text)
        text = _replace(IFRAME_SCRIPT, text, "")
        text = text.replace('<link rel="manifest" href="/manifest.json" />', "")
        text = text.replace('control_page_title="true"', 'control_page_title=""')
        text = _replace(CHARSET, text, f'<meta charset="utf-8">{self.head(page)}')
        bar = header(page, self.mark, actor, signed_in)
        role = f" role-{actor.role}" if actor else ""
        person = f' data-person="{html.escape(actor.name)}"' if actor else ""
        text = _replace(BODY, text, f'<body class="studio page-{page.name.lower()}{role}"{person}>{bar}')
        # After all that the first paint waits for, which would share the connections with it.
        text = text.replace("</head>", f"{self.announced.get(page.slug, '')}</head>", 1)
        app = APP.search(text)
        if app is None:
            raise ValueError(GONE.format("<gradio-app>"))
        main = f'<div id="content" class="content" tabindex="-1">{heading(page)}{BOOT}{app.group(0)}</div>'
        return text[: app.start()] + main + text[app.end() :]

    def head(self, page: Page) -> str:
        """Title, theme, styles and scripts; what the page is made of comes with it, not after it."""
        url, own = self.assets.url, f"pages/{page.slug or FIRST}"
        styles = [file for file in ("pages/all.css", f"{own}.css") if self.assets.has(file)]
        scripts = [file for file in ("shell.js", f"{own}.js") if self.assets.has(file)]
        links = "".join(f'<link rel="stylesheet" href="{url(file)}">' for file in styles)
        links += "".join(f'<script defer src="{url(file)}"></script>' for file in scripts)
        later = json.dumps({name: url(f"{name}.js") for name in LATER})
        return (
            f"<title>{page.title}</title>"
            f'<meta name="description" content="{page.lead}"><meta name="color-scheme" content="light dark">'
            f'<link rel="icon" type="image/svg+xml" href="{url("icons/favicon.svg")}">'
            f"<script>{THEME_SCRIPT}</script>{links}{self.announced.get(page.slug, '')}"
            f'<script type="application/json" id="parts">{later}</script>'
        )


class PageDocument:
    """Middleware that passes the HTML of our pages through the dresser and leaves all else alone."""

    def __init__(self, app: ASGIApp, dresser: Dresser) -> None:
        self.app = app
        self.dresser = dresser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dress the answer where the request is for one of our pages."""
        page = page_at(scope["path"]) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        if page is None:
            await self.app(scope, receive, send)
            return
        state = scope.get("state", {})
        asker = (state.get("actor"), bool(state.get("signed_in")))
        await self.app(scope, receive, _Held(page, self.dresser, send, asker))


class _Held:
    """Holds one HTML answer back until it is whole, then sends it dressed."""

    def __init__(self, page: Page, dresser: Dresser, send: Send, asker: tuple[Actor | None, bool]) -> None:
        self.page = page
        self.asker = asker
        self.dresser = dresser
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            if message["status"] == 200 and headers.get("content-type", "").startswith("text/html"):
                self.start = message
                return
        if self.start is None:
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        body = (
            self.dresser.dress(self.body.decode("utf-8"), self.page, *self.asker).encode("utf-8") if self.body else b""
        )
        headers = MutableHeaders(raw=start["headers"])
        headers["content-length"] = str(len(body))
        headers["cache-control"] = "no-store"
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": body})


def _replace(pattern: re.Pattern[str], text: str, new: str) -> str:
    replaced, count = pattern.subn(lambda _: new, text, count=1)
    if count == 0:
        raise ValueError(GONE.format(pattern.pattern))
    return replaced
