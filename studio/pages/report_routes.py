"""The addresses of rounds' reports: /report/3, and with ?save=1 the file that needs no studio."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from storage import rounds
from storage.errors import NotFound
from studio.assets import Assets
from studio.pages.report import page, refusal
from studio.people.roles import Action, Actor
from studio.rounds.reporting import report

if TYPE_CHECKING:
    from studio.studio import Studio

_KEPT = {"Cache-Control": "no-store"}


def router(studio: "Studio", assets: Assets) -> APIRouter:
    """The page; what it says may be read by those who see results."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/report/{number}")
    async def read(number: str, request: Request, save: bool = False) -> HTMLResponse:
        actor: Actor = request.state.actor
        style = report_style(assets)
        if not actor.may(Action.SEE_RESULTS):
            said = f"{actor.name}, you are here as {actor.role}: reports name models, and are not for your role."
            return HTMLResponse(refusal(said, style), 403, _KEPT)
        if not number.isascii() or not number.isdecimal() or len(number) > 9:
            return HTMLResponse(refusal("A report is asked for by its round's number.", style), 404, _KEPT)
        try:
            told = await run_in_threadpool(lambda: report(studio.store, int(number)).to_json())
        except NotFound as error:
            return HTMLResponse(refusal(str(error), style), 404, _KEPT)
        if save:
            saved = {**_KEPT, "Content-Disposition": f'attachment; filename="round-{int(number)}.html"'}
            return HTMLResponse(page(told, style), headers=saved)
        known = [one.number for one in rounds.list_rounds(studio.store)]
        return HTMLResponse(page(told, style, bar(int(number), known)), headers=_KEPT)

    return routes


def report_style(assets: Assets) -> str:
    """The style that the file carries."""
    return assets.read("report.css").decode("utf-8")


def bar(number: int, known: list[int]) -> str:
    """Above the report in the studio: home, the neighbouring rounds, save and print."""
    links = ['<a href="/">Home</a>']
    links += [f'<a href="/report/{one}">Round {one}</a>' for one in (number - 1, number + 1) if one in known]
    links.append(f'<a href="/report/{number}?save=1" download>Save as a file</a>')
    return f'<nav class="bar" aria-label="Report">{"".join(links)}<button onclick="print()">Print</button></nav>'
