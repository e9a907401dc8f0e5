"""Passwords as scrypt hashes (Percival 2009, RFC 7914) at the cost that OWASP advises: 32 MB and some 100 ms each."""

import base64
import hashlib
import hmac
import secrets

from storage.errors import BadInput

SHORTEST = 8
LONGEST = 1024
_COST, _BLOCK, _PARALLEL = 15, 8, 1
_MEMORY = 64 * 1024 * 1024


def hashed(password: str) -> str:
    """A password as it is stored: method, costs, salt and hash; raises BadInput for one that cannot protect."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}.")
    salt = secrets.token_bytes(16)
    key = _derived(password, salt, _COST, _BLOCK, _PARALLEL)
    return "$".join(["scrypt", str(_COST), str(_BLOCK), str(_PARALLEL), _text(salt), _text(key)])


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the stored one; takes as long where there is nothing to compare with."""
    if stored is None or len(password) > LONGEST:
        _derived("nobody", b"0123456789abcdef", _COST, _BLOCK, _PARALLEL)
        return False
    _, cost, block, parallel, salt, key = stored.split("$")
    derived = _derived(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(derived, base64.b64decode(key))


def _derived(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=1 << cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
