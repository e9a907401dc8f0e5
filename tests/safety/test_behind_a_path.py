"""A path under which a proxy shows the studio is a way in from elsewhere: nobody is its owner without signing in."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from storage.errors import Refused
from studio.app import build_app
from studio.doorman import check_reach
from studio.people import accounts
from studio.people.roles import Actor
from studio.settings import Settings
from studio.studio import Studio

HERE = "http://127.0.0.1:7860"


def _studio(home: Path, root_path: str | None) -> Studio:
    studio = Studio(settings=Settings.from_env({}, home=home, root_path=root_path))
    assert studio.ready is studio.store
    return studio


def test_nobody_is_the_owner_behind_a_proxy(tmp_path: Path) -> None:
    """The proxy keeps the name of this machine, so nothing in the request tells that it comes from elsewhere."""
    studio = _studio(tmp_path / "home", "/ratchet")
    with TestClient(build_app(studio), base_url=HERE, follow_redirects=False) as client:
        asked = client.get("/ratchet/api/models")
        page = client.get("/ratchet/data", headers={"accept": "text/html"})
        added = client.post("/api/data/datasets", json={"name": "x", "kind": "sft"})

    assert (asked.status_code, added.status_code) == (401, 401)
    assert (page.status_code, page.headers["location"]) == (303, "/ratchet/sign-in?next=/data")
    assert studio.store.value("select count(*) from datasets where name = 'x'") == 0


def test_it_does_not_listen_there_before_there_is_an_account(tmp_path: Path) -> None:
    studio = _studio(tmp_path / "home", "/ratchet")
    with pytest.raises(Refused, match=r'does not listen on "127\.0\.0\.1 \(/ratchet\)" yet.*Make an account first'):
        check_reach(studio.settings, studio.store)

    accounts.add(studio.store, Actor("owner", "admin"), "ada", "admin", "correct horse")

    check_reach(studio.settings, studio.store)


def test_on_a_machine_of_ones_own_nobody_signs_in(tmp_path: Path) -> None:
    studio = _studio(tmp_path / "home", None)
    check_reach(studio.settings, studio.store)
    with TestClient(build_app(studio), base_url=HERE) as client:
        assert client.get("/api/models").status_code == 200
