"""The official MCP client talks to the tools: over HTTP with a key, and over standard input, in both forms."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.people import keys
from studio.people.roles import Actor
from tests.browser.site import Site, served_site
from tests.event_loop import run_alone

pytestmark = pytest.mark.heavy
mcp = pytest.importorskip("mcp", reason="the official MCP client is not installed (extra: servers)")

ROOT = Path(__file__).resolve().parents[3]
OWNER = Actor("you", "admin")
forms = pytest.mark.parametrize("mode", ["legacy", "auto"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A studio over real HTTP."""
    with served_site(tmp_path_factory.mktemp("tools")) as site:
        yield site


def _by_http(site: Site, token: str) -> Any:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})
    return streamable_http_client(f"{site.url}/mcp", http_client=client)


@forms
def test_over_http_a_key_of_a_role_lists_and_calls(served: Site, mode: str) -> None:
    token = keys.make(served.store, OWNER, f"assistant {mode}", "curator").token

    async def ask() -> tuple[set[str], Any, Any]:
        async with mcp.Client(_by_http(served, token), mode=mode) as client:
            tools = await client.list_tools()
            rounds = await client.call_tool("rounds", {})
            missing = await client.call_tool("show", {"name": "no-such"})
            return {tool.name for tool in tools.tools}, rounds, missing

    names, rounds, missing = run_alone(ask())

    assert {"rounds", "datasets", "freeze"} < names
    assert not {"train", "promote", "import"} & names
    assert rounds.is_error is False
    assert set(rounds.structured_content) == {"rounds", "champion"}
    assert missing.is_error is True
    assert missing.structured_content["error"]["kind"] == "not-found"


@forms
def test_over_standard_input_every_verb_is_there(tmp_path: Path, mode: str) -> None:
    command = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "studio", "mcp", "--home", str(tmp_path / "home")], cwd=ROOT
    )

    async def ask() -> tuple[set[str], Any]:
        async with mcp.Client(command, mode=mode) as client:
            tools = await client.list_tools()
            return {tool.name for tool in tools.tools}, await client.call_tool("datasets", {})

    names, datasets = run_alone(ask())

    assert {"import", "train", "promote", "votes-export"} < names
    assert {one["name"] for one in datasets.structured_content["datasets"]} == {"starter", "starter-prompts"}
