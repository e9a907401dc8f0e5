"""Filters as texts, the way an address, a saved view, a request and the command line write them, made into a Query.

search: words that must all occur. status: "draft", "approved,rejected", "deleted" (the trash). tag: one or a list, all
of which a row must have. split: train or measure. role: system, user, assistant, tool, "tool calls"; several divided by
commas. chars, turns, tokens: "10-200", "10-", "-200", "10". tokenizer: which one counted the tokens. source: id of an
import. finding: name of a check. author: who changed the row last. since, until: days ("2026-01-31"), both included.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from storage.errors import BadInput
from storage.queries import Limits, Query
from storage.store import Store

NAMES = ("search", "status", "tag", "split", "role", "chars", "turns", "tokens", "tokenizer", "source", "finding",
         "author", "since", "until")  # fmt: skip
_RANGE = re.compile(r"(\d{0,12})(-?)(\d{0,12})")


def query_of(
    store: Store,
    given: Mapping[str, Any],
    *,
    sort: str = "",
    limit: int = 25,
    offset: int = 0,
    after: str | None = None,
) -> Query:
    """The query that filters ask for; raises BadInput naming the filter that cannot be read."""
    for name in given:
        if name not in NAMES:
            raise BadInput(f'There is no filter "{name}"; there are {", ".join(NAMES)}.')
    tokens = _limits("tokens", given.get("tokens"))
    query = Query(
        search=_text(given.get("search")),
        status=_words(given.get("status")),
        tags=_list(given.get("tag")),
        roles=_words(given.get("role")),
        chars=_limits("chars", given.get("chars")),
        turns=_limits("turns", given.get("turns")),
        tokens=tokens,
        tokenizer=_text(given.get("tokenizer")) or (last_tokenizer(store) if tokens else None),
        source=_text(given.get("source")) or None,
        finding=_text(given.get("finding")) or None,
        author=_text(given.get("author")) or None,
        since=_day("since", given.get("since"), 0),
        until=_day("until", given.get("until"), 1),
        split=_text(given.get("split")) or None,
        sort=sort or "number",
        limit=limit,
        offset=offset,
        after=after,
    )
    query.check()
    return query


def last_tokenizer(store: Store) -> str | None:
    """The tokenizer that counted tokens last, or None where none did."""
    found = store.value("select sha256 from tokenizers order by seen_at desc limit 1")
    return str(found) if found else None


def _text(given: Any) -> str:
    """One text; of a list the first."""
    found = given[0] if isinstance(given, list) and given else given
    return "" if found is None else str(found).strip()


def _list(given: Any) -> list[str]:
    """Several texts, each once."""
    many = given if isinstance(given, list | tuple) else [given]
    return list(dict.fromkeys(str(one).strip() for one in many if one is not None and str(one).strip()))


def _words(given: Any) -> list[str]:
    """Several words, divided by commas or as a list."""
    return _list([word for one in _list(given) for word in one.split(",")])


def _limits(name: str, given: Any) -> Limits | None:
    """ "10-200" as (10, 200); either side may be open."""
    text = _text(given)
    if not text:
        return None
    found = _RANGE.fullmatch(text.replace(" ", ""))
    if not found or not (found[1] or found[3]):
        raise BadInput(f'The filter {name} is a range such as "10-200", "10-" or "-200", not "{text}".')
    low, high = (int(end) if end else None for end in (found[1], found[3] if found[2] else found[1]))
    if low is not None and high is not None and low > high:
        raise BadInput(f"The filter {name} goes from {low:,} to {high:,}; the first number must not be the larger one.")
    return low, high


def _day(name: str, given: Any, later: int) -> float | None:
    """The beginning of a day in this machine's time, in seconds since 1970; `later`: so many days on."""
    text = _text(given)
    if not text:
        return None
    try:
        return (datetime.fromisoformat(text[:10]) + timedelta(days=later)).timestamp() - (0.000001 if later else 0)
    except ValueError as error:
        raise BadInput(f'The filter {name} is a day such as "2026-01-31", not "{text}".') from error
