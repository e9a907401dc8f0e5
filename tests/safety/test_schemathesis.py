"""Schemathesis reads /api/openapi.json of a served studio and asks every route what it can think of.

It runs as its own command, as anybody would run it against a studio: its plugin for pytest stays switched off, because
it would be imported by every other test run.
"""

import fcntl
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.comparisons import create_study
from storage.models import list_models
from studio.people import accounts, keys
from studio.people.roles import Actor
from tests.browser.site import Site, served_site
from tests.safety.test_hostile_requests import LEFT_OUT
from tests.studio.training.project import add_dataset, conversation

pytest.importorskip("schemathesis", reason="schemathesis is not installed (extra: dev)")

pytestmark = pytest.mark.slow
OWNER = Actor("owner", "admin")
# Beside what loads models or asks the network: trainings, tasks and accounts that would really be made.
STARTING = ("/api/models$", "/api/people", "/api/data/import$", "/api/answerings$")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,ignored_auth"
)
# Half of the names are of things that are there, so that what lies behind them is asked as well.
CONFIGURATION = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]

[dictionaries]
names = { values = ["own", "look", "starter", "starter-prompts", "1"] }

[parameters]
"path.name" = { dictionary = "names", probability = 0.6 }
"path.study" = { dictionary = "names", probability = 0.6 }
"query.study" = { dictionary = "names", probability = 0.6 }
"query.dataset" = { dictionary = "names", probability = 0.6 }
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A studio over real HTTP with the starter's data, a dataset and a study; nobody trains what is asked for."""

    def furnish(studio: Any) -> None:
        store = studio.ready
        add_dataset(store, "own", "sft", [conversation("q", "a"), conversation("r", "b")])
        starter = list_models(store)[0]
        create_study(store, "look", [starter, starter], None)
        accounts.add(store, OWNER, "ada", "admin", "correct horse")  # so that nothing opens without a key

    folder = tmp_path_factory.mktemp("schemathesis")
    with served_site(folder, furnish) as site, site.store.home.worker_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield site


def test_every_answer_is_one_that_is_described(served: Site, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    token = keys.make(served.store, OWNER, "schemathesis", "admin").token
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml",
        "run", f"{served.url}/api/openapi.json", "--header", f"Authorization: Bearer {token}", "--checks", CHECKS,
        "--phases", "coverage,fuzzing", "--max-examples", "20", "--generation-deterministic", "--no-color",
        "--suppress-health-check", "all", "--request-timeout", "60",
        "--continue-on-failure", "--warnings", "off",
        "--exclude-path-regex", "|".join([*map(re.escape, LEFT_OUT), *STARTING]),
    ]  # fmt: skip

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1800)

    assert ran.returncode == 0, f"{ran.stdout[-30_000:]}\n{ran.stderr[-3000:]}"
