"""A writer of files for the tests of this folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.studio.curation.files import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("a.jsonl", content)`: bytes and texts as they are, a list as JSONL, another value as JSON."""

    def writer(name: str, content: Any) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        elif name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        else:
            path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return writer
