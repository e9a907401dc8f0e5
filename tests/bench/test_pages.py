"""Trial runs of the measurements in Chromium: everything is counted. No time is asserted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.pages.shell import PAGES

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.torch]


def _trial(name: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", "--small"], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_every_page_is_weighed_cold_and_warm() -> None:
    found = _trial("page")

    assert list(found["ours"]) == [page.path for page in PAGES]
    for both in (*found["ours"].values(), found["baselines"]["plain Gradio"]):
        assert both["cold"]["requests"] > both["warm"]["requests"] > 0
        assert both["cold"]["kilobytes"] > 100 > both["warm"]["kilobytes"] > 0


def test_every_question_is_answered_on_all_pages() -> None:
    found = _trial("first_token")

    counts = [one["count"] for one in (*found["ours"].values(), found["baselines"]["plain page"])]
    assert list(found["ours"]) == ["question", "chat"]
    assert counts == [3, 3, 3]


def test_both_servers_are_started_and_weighed() -> None:
    found = _trial("start")

    for one in (found["ours"], found["baselines"]["bare Gradio"]):
        assert min(one["seconds"], one["megabytes"], one["idle_megabytes"]) > 0
