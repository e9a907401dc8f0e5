"""JSON routes about people, under /api/people: sign in and out, invitations, accounts.

A session lives in a cookie that scripts cannot read (HttpOnly), that other sites' requests do not carry
(SameSite=Lax) and that never leaves https where it came by https (Secure). Signing in always begins a new session:
a token that somebody planted in the browser before is worth nothing after.
"""

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from storage import people
from studio.api.allowed import Asker
from studio.api.ascii import Ascii
from studio.doorman import cookie_name
from studio.people import accounts, sessions
from studio.people.roles import Action
from studio.studio import Studio

Json = dict[str, Any]
Role = Literal["annotator", "curator", "trainer", "admin"]
_DAY = 86_400


class Credentials(BaseModel):
    """Who somebody says to be."""

    name: str = Field(max_length=200)
    password: str = Field(max_length=2000)


class Joining(Credentials):
    """An invitation taken up."""

    token: str = Field(max_length=200)


class NewPerson(Credentials):
    """An account to be made."""

    role: Role = "annotator"


class NewPassword(BaseModel):
    """One's own password, changed."""

    old: str = Field(max_length=2000)
    new: str = Field(max_length=2000)


class Change(BaseModel):
    """What becomes of an account; what is absent stays."""

    role: Role | None = None
    password: str | None = Field(default=None, max_length=2000)
    disabled: bool | None = None


class Invitation(BaseModel):
    """An invitation to be made."""

    role: Role = "annotator"


def router(studio: Studio) -> APIRouter:
    """The routes of this subject."""
    routes = APIRouter(prefix="/api/people", tags=["people"], default_response_class=Ascii)
    _add_sessions(routes, studio)
    _add_accounts(routes, studio)
    _add_invitations(routes, studio)
    return routes


def _add_sessions(routes: APIRouter, studio: Studio) -> None:
    """Coming in and going out."""
    store, settings = studio.store, studio.settings
    one_at_a_time = asyncio.Lock()  # a hash takes 32 MB and a tenth of a second: a crowd of guesses waits in line

    @routes.post("/sign-in")
    async def sign_in(given: Credentials, request: Request, response: Response) -> Json:
        address = request.client.host if request.client else "unknown"
        async with one_at_a_time:
            signed = await run_in_threadpool(sessions.sign_in, store, given.name, given.password, address)
        return await run_in_threadpool(_begin, studio, request, response, signed)

    @routes.post("/join")
    async def join(given: Joining, request: Request, response: Response) -> Json:
        async with one_at_a_time:
            person = await run_in_threadpool(accounts.accept, store, given.token, given.name, given.password)
        signed = await run_in_threadpool(sessions.begin, store, person)
        return await run_in_threadpool(_begin, studio, request, response, signed)

    @routes.post("/sign-out")
    def sign_out(request: Request, response: Response) -> Json:
        sessions.sign_out(store, request.cookies.get(cookie_name(settings)))
        response.delete_cookie(cookie_name(settings), httponly=True, samesite="lax")
        return {"signed_out": True}

    @routes.get("/me")
    def me(asker: Asker, request: Request) -> Json:
        may = sorted(action.value for action in Action if asker.may(action))
        signed_in = bool(getattr(request.state, "signed_in", False))
        return {"name": asker.name, "role": asker.role, "may": may, "signed_in": signed_in}

    @routes.post("/me/password")
    async def change_password(given: NewPassword, request: Request) -> Json:
        token = request.cookies.get(cookie_name(settings))
        async with one_at_a_time:
            ended = await run_in_threadpool(sessions.change_password, store, token, given.old, given.new)
        return {"changed": True, "ended": ended}


def _begin(studio: Studio, request: Request, response: Response, signed: sessions.SignedIn) -> Json:
    """End the session that the browser had, and give it the new one."""
    name = cookie_name(studio.settings)
    sessions.sign_out(studio.store, request.cookies.get(name))
    response.set_cookie(
        name, signed.token, max_age=sessions.SESSION_DAYS * _DAY, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return accounts.person_json(signed.person)


def _add_accounts(routes: APIRouter, studio: Studio) -> None:
    """The list, and what administrators do with it."""
    store = studio.store

    @routes.get("")
    def listed(asker: Asker) -> Json:
        if asker.may(Action.ADMINISTER):
            return accounts.listed(store, asker) | {"first": not people.any_people(store)}
        return accounts.invited(store, asker) | {"people": [], "first": False}

    @routes.post("")
    def add(given: NewPerson, asker: Asker) -> Json:
        accounts.check_first(store, given.role)
        return accounts.person_json(accounts.add(store, asker, given.name, given.role, given.password))

    @routes.patch("/{name}")
    def change(name: str, given: Change, asker: Asker) -> Json:
        if given.role is not None:
            accounts.set_role(store, asker, name, given.role)
        if given.password is not None:
            accounts.set_password(store, asker, name, given.password)
        if given.disabled is not None:
            (accounts.disable if given.disabled else accounts.enable)(store, asker, name)
        return accounts.person_json(people.get_person(store, name))


def _add_invitations(routes: APIRouter, studio: Studio) -> None:
    """Links by which people make their own accounts."""
    store = studio.store

    @routes.post("/invitations")
    def invite(given: Invitation, asker: Asker) -> Json:
        accounts.check_first(store, "invited")
        made = accounts.invite(store, asker, given.role)
        return {"id": made.id, "role": made.role, "expires_at": made.expires_at, "path": f"/join/{made.token}"}

    @routes.delete("/invitations/{invitation}")
    def withdraw(invitation: str, asker: Asker) -> Json:
        accounts.withdraw(store, asker, invitation)
        return {"withdrawn": invitation}
