"""Schemathesis reads /api/openapi.json of a served studio and asks every route what it can think of."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from studio.people import keys
from studio.people.roles import Actor
from tests.browser.site import Site, served_site
from tests.safety.test_hostile_requests import LEFT_OUT

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra: dev)")

pytestmark = pytest.mark.slow
OWNER = Actor("owner", "admin")
# Beside what loads models or asks the network: trainings, tasks and accounts that would really be made.
STARTING = ("/api/models", "/api/people", "/api/data/import", "/api/answerings")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A studio over real HTTP, with the starter's data."""

    def furnish(studio: Any) -> None:
        assert studio.ready is studio.store

    with served_site(tmp_path_factory.mktemp("schemathesis"), furnish) as site:
        yield site


@pytest.fixture(scope="module")
def headers(served: Site) -> dict[str, str]:
    """The key of an administrator's program."""
    return {"Authorization": f"Bearer {keys.make(served.store, OWNER, 'schemathesis', 'admin').token}"}


@pytest.fixture(scope="module")
def described(served: Site, headers: dict[str, str]) -> Any:
    """The description as the studio gives it, without what is not to be pressed."""

    def pressed(context: Any) -> bool:
        path = context.operation.path
        return any(part in path for part in LEFT_OUT) or path.startswith(STARTING)

    return schemathesis.openapi.from_url(f"{served.url}/api/openapi.json", headers=headers).exclude(pressed)


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_every_answer_is_one_that_is_described(case: Any, served: Site, headers: dict[str, str]) -> None:
    from schemathesis.specs.openapi import checks

    answer = case.call(base_url=served.url, headers=headers, timeout=60)

    assert answer.status_code != 500, answer.text
    case.validate_response(
        answer, checks=[checks.status_code_conformance, checks.content_type_conformance,
                        checks.response_schema_conformance]
    )  # fmt: skip
