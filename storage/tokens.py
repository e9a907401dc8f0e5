"""How many tokens a revision has, by tokenizer: counted once, kept for filters, histograms and checks of length."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from storage.clock import now
from storage.rows import LIVE
from storage.segments import ranges
from storage.store import Store

_CHUNK = 200
_LIVE = ", ".join(f"'{status}'" for status in LIVE)


class Tokenizer(NamedTuple):
    """A tokenizer with its chat template by their hash. `model`: the base that was asked with it last."""

    sha256: str
    model: str
    context: int | None


class Uncounted(NamedTuple):
    """A revision without a count, and the example that it belongs to."""

    example: int
    revision: int


class Counted(NamedTuple):
    """An example and its tokens; None where the chat template refuses it."""

    example: int
    revision: int
    tokens: int | None


def register(store: Store, tokenizer: Tokenizer) -> None:
    """Know a tokenizer, and who was asked with it last."""
    store.execute(
        "insert into tokenizers (sha256, model, context, seen_at) values (?1, ?2, ?3, ?4) on conflict (sha256) "
        "do update set model = ?2, context = ?3, seen_at = ?4",
        [*tokenizer, now()],
    )


def tokenizers(store: Store) -> list[Tokenizer]:
    """The tokenizers that counted anything, the last used first."""
    rows = store.rows("select sha256, model, context from tokenizers order by seen_at desc, sha256")
    return [Tokenizer(**row) for row in rows]


def uncounted(store: Store, dataset_id: str, sha256: str) -> Iterator[list[Uncounted]]:
    """The examples whose text this tokenizer has not counted, 200 at a time."""
    for span in ranges(store, dataset_id):
        after = span.low - 1
        while rows := store.rows(
            "select e.id, e.revision_id from examples e left join tokens t on t.tokenizer_sha256 = ? "
            f"and t.revision_id = e.revision_id where e.id > ? and e.id <= ? and e.status in ({_LIVE}) "
            "and t.revision_id is null order by e.id limit ?",
            [sha256, after, span.high, _CHUNK],
        ):
            yield [Uncounted(row["id"], row["revision_id"]) for row in rows]
            after = rows[-1]["id"]


def record(store: Store, sha256: str, counts: Mapping[int, int | None]) -> None:
    """Keep counts by revision, in one transaction."""
    with store.write() as db:
        db.conn.executemany(
            "insert or replace into tokens (tokenizer_sha256, revision_id, tokens) values (?, ?, ?)",
            [(sha256, revision, tokens) for revision, tokens in counts.items()],
        )


def above(store: Store, dataset_id: str, sha256: str, limit: int) -> Iterator[Counted]:
    """The examples with more tokens than `limit`, and those that the template refuses, in order."""
    for span in ranges(store, dataset_id):
        rows = store.rows(
            "select e.id as example, e.revision_id as revision, t.tokens from examples e join tokens t "
            "on t.tokenizer_sha256 = ? and t.revision_id = e.revision_id where e.id between ? and ? "
            f"and e.status in ({_LIVE}) and (t.tokens is null or t.tokens > ?) order by e.id",
            [sha256, span.low, span.high, limit],
        )
        yield from (Counted(**row) for row in rows)


class Bar(NamedTuple):
    """How many examples have `low` to below `high` tokens; `high` is None for the last bar."""

    low: int
    high: int | None
    rows: int


def histogram(store: Store, dataset_id: str, sha256: str, edges: tuple[int, ...]) -> list[Bar]:
    """Examples by their tokens: a bar from each edge to the next, the last one open."""
    places = " ".join(f"when t.tokens < {int(edge)} then {number - 1}" for number, edge in enumerate(edges) if number)
    counts = dict.fromkeys(range(len(edges)), 0)
    for span in ranges(store, dataset_id):
        rows = store.rows(
            f"select case {places} else {len(edges) - 1} end as bar, count(*) as rows from examples e join tokens t "
            "on t.tokenizer_sha256 = ? and t.revision_id = e.revision_id where e.id between ? and ? "
            f"and e.status in ({_LIVE}) and t.tokens is not null group by bar",
            [sha256, span.low, span.high],
        )
        for row in rows:
            counts[row["bar"]] += row["rows"]
    return [
        Bar(edge, edges[number + 1] if number + 1 < len(edges) else None, counts[number])
        for number, edge in enumerate(edges)
    ]
