"""Time and identity: seconds since 1970 in UTC, ids that sort by when they were made, and ids that tell nothing."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: no i, l, o, u


def now() -> float:
    """Seconds since 1970, UTC."""
    return time.time()


def new_id() -> str:
    """A fresh id of 26 characters: 48 bits of milliseconds, then 80 random bits (as a ULID)."""
    return _written((int(time.time() * 1000) << 80) | secrets.randbits(80))


def blind_id() -> str:
    """A fresh id that looks like the others and is drawn whole: people who judge see the ids of comparisons, and one
    that tells when it was made tells a known answer, or what was seen before, from the rest of the queue.
    """
    return _written(secrets.randbits(128))


def _written(value: int) -> str:
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))
