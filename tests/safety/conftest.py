"""A whole studio with one person of each role, and a browser's worth of cookies for each."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from studio.app import build_app
from studio.people import accounts
from studio.people.roles import ROLES, Actor
from studio.settings import Settings
from studio.studio import Studio

HERE = "http://127.0.0.1:7860"
OWNER = Actor("owner", "admin")
PASSWORD = "correct horse"
NAMES = {"annotator": "ann", "curator": "cy", "trainer": "tr", "admin": "ada"}


class House(NamedTuple):
    """A studio with accounts."""

    studio: Studio
    app: FastAPI


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A studio in which nobody has an account."""
    studio = Studio(settings=Settings.from_env({}, home=tmp_path_factory.mktemp("safety") / "home"))
    assert studio.ready is studio.store
    return House(studio, build_app(studio))


@pytest.fixture(scope="module")
def house(empty: House) -> House:
    """A studio with one person of each role."""
    for role in sorted(ROLES, key=lambda role: role != "admin"):
        accounts.add(empty.studio.store, OWNER, NAMES[role], role, PASSWORD)
    return empty


def come_in(app: FastAPI, name: str) -> TestClient:
    """Sign in over HTTP."""
    client = TestClient(app, base_url=HERE, follow_redirects=False)
    answer = client.post("/api/people/sign-in", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client


@pytest.fixture(scope="module")
def signed(house: House) -> Iterator[dict[str, TestClient]]:
    """A client of each role, and "nobody"."""
    clients = {role: come_in(house.app, name) for role, name in NAMES.items()}
    clients["nobody"] = TestClient(house.app, base_url=HERE, follow_redirects=False)
    yield clients
    for client in clients.values():
        client.close()
