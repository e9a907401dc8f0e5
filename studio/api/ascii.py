"""JSON that can carry anything that stands in somebody's data."""

import json
from typing import Any

from fastapi.responses import JSONResponse


class Ascii(JSONResponse):
    """JSON in ASCII: a lone surrogate in somebody's data cannot be written as UTF-8."""

    def render(self, content: Any) -> bytes:
        """The bytes of an answer."""
        return json.dumps(content, separators=(",", ":")).encode()
