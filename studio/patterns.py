"""Regular expressions of strangers: programs that are read within bounds, before anything is searched with them."""

import re
from math import prod

from storage.errors import BadInput

_REPEATS = re.compile(r"\{\s*(\d*)\s*(?:,\s*(\d*))?")
_MOST_REPEATS = 10_000  # all counts of a pattern multiplied: nested ones are written out when it is read
_LONGEST_REPEAT = 6  # digits, leading zeros too
_VERBOSE = re.compile(r"\(\?[a-zLV01-]*x")  # blanks and comments may then stand anywhere, within counts too


def check_pattern(pattern: str) -> None:
    """Read a pattern once, to know that it can be; its repeats are counted first, for reading has no deadline.

    Raises BadInput. A search with it needs a deadline all the same.
    """
    import regex

    if _VERBOSE.search(pattern):
        raise BadInput(f'The pattern "{short(pattern)}" sets the flag x, which is not read here; write it without.')
    counts = [count for pair in _REPEATS.findall(pattern) for count in pair if count]
    long = any(len(count) > _LONGEST_REPEAT for count in counts)
    if long or prod(max(1, int(count)) for count in counts) > _MOST_REPEATS:
        raise BadInput(f'The pattern "{short(pattern)}" repeats more than {_MOST_REPEATS:,} times; write it shorter.')
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise BadInput(f'The pattern "{short(pattern)}" cannot be read: {error}.') from None


def short(text: str) -> str:
    """A text for a sentence."""
    return text if len(text) <= 80 else f"{text[:79]}…"
