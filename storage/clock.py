"""Time and identity: seconds since 1970 in UTC, and ids that sort by the moment they were made."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: no i, l, o, u


def now() -> float:
    """Seconds since 1970, UTC."""
    return time.time()


def new_id() -> str:
    """A fresh id of 26 characters: 48 bits of milliseconds, then 80 random bits (as a ULID)."""
    value = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
