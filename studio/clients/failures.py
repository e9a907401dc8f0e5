"""What a server said went wrong, as one of our errors with one sentence."""

from typing import Any

import httpx

from storage.errors import BadInput, Conflict, MovedAside, NotFound, NotReady, RatchetError, Refused

_BY_KIND = {kind.kind: kind for kind in (BadInput, Conflict, MovedAside, NotFound, NotReady, Refused)}
_BY_STATUS = {400: BadInput, 401: Refused, 403: Refused, 404: NotFound, 409: Conflict, 422: BadInput}
_LONGEST = 300  # characters of a server's own words; some send whole pages


def error_from(body: Any, status: int | None, who: str = "") -> RatchetError:
    """The error of a JSON body in OpenAI's shape (or another), `who` answered it: empty for our own engine."""
    said = body.get("error") if isinstance(body, dict) else None
    if isinstance(said, dict):
        message, code = str(said.get("message") or ""), said.get("code")
    else:
        message, code = str(said or body or ""), None
    kind = _BY_KIND.get(str(code)) or _BY_STATUS.get(status or 0) or (NotReady if _later(status) else RatchetError)
    words = " ".join(message.split())[:_LONGEST] or f"no reason, status {status}"
    return kind(f"{who} answered: {words}" if who else words)


def error_of(response: httpx.Response, who: str = "") -> RatchetError:
    """The error of a response whose body has been read."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    return error_from(body, response.status_code, who)


def _later(status: int | None) -> bool:
    return status is not None and (status == 429 or status >= 500)
