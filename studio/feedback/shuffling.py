"""Chance that can be repeated: numbers drawn from a hash, so that nothing need be remembered."""

import hashlib


def shuffled(*parts: object) -> int:
    """A number below 2**64 that is the same each time for the same parts, and random in all other ways."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
