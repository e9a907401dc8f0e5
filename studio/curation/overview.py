"""A dataset at a glance: how much there is of what, each count with the filter that shows its rows."""

from typing import Any, NamedTuple

from storage import census, findings, tokens
from storage.census import Census
from storage.datasets import get_dataset
from storage.store import Store
from studio.curation.facets import facets

_TOKEN_EDGES = (0, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
_HISTOGRAMS = ("chars", "turns", "tokens")


class Part(NamedTuple):
    """One bar: what it is called, how many rows, and the filters that a click on it sets."""

    label: str
    rows: int
    filters: dict[str, str]


def overview(store: Store, name: str) -> dict[str, Any]:
    """Charts of a dataset for JSON; raises NotFound. Empty bars stay in histograms alone."""
    dataset = get_dataset(store, name)
    counts = census.take(store, dataset.id)
    charts = {
        "statuses": [Part(status, rows, {"status": status}) for status, rows in counts.statuses.items()],
        "splits": [Part(split, rows, {"split": split}) for split, rows in counts.splits.items()],
        "chars": _bars(counts.chars, "chars"),
        "turns": _bars(counts.turns, "turns"),
        "tokens": _tokens(store, dataset.id),
        "roles": [Part(role, rows, {"role": role}) for role, rows in counts.roles.items()],
        "tags": [Part(tag, rows, {"tag": tag}) for tag, rows in counts.tags.items()],
        "sources": _sources(store, name, counts),
        "languages": [Part(code, rows, {}) for code, rows in findings.languages(store, dataset.id).items() if code],
    }
    filled = {
        chart: parts if chart in _HISTOGRAMS else [part for part in parts if part.rows]
        for chart, parts in charts.items()
    }
    return {
        "dataset": dataset.name,
        "kind": dataset.kind,
        "rows": sum(rows for status, rows in counts.statuses.items() if status != "deleted"),
        "charts": {chart: [part._asdict() for part in parts] for chart, parts in filled.items() if parts},
    }


def _bars(bars: list[census.Bar], name: str) -> list[Part]:
    """The bars of a histogram, each with the filter from its lowest to its highest value."""
    return [Part(_span(bar), bar.rows, {name: f"{bar.low}-{'' if bar.high is None else bar.high}"}) for bar in bars]


def _span(bar: census.Bar) -> str:
    if bar.high is None:
        return f"{bar.low:,} and more"
    return f"{bar.low:,}" if bar.low == bar.high else f"{bar.low:,} to {bar.high:,}"


def _tokens(store: Store, dataset_id: str) -> list[Part]:
    """Tokens by the tokenizer that was seen last, where they are counted."""
    known = tokens.tokenizers(store)
    if not known:
        return []
    bars = tokens.histogram(store, dataset_id, known[0].sha256, _TOKEN_EDGES)
    found = [census.Bar(bar.low, None if bar.high is None else bar.high - 1, bar.rows) for bar in bars]
    while found and not found[-1].rows:
        found.pop()
    return [part._replace(filters={**part.filters, "tokenizer": known[0].sha256}) for part in _bars(found, "tokens")]


def _sources(store: Store, name: str, counts: Census) -> list[Part]:
    labels = {facet["id"]: facet["label"] for facet in facets(store, name)["sources"]}
    found = [
        Part(
            labels.get(source, "an import") if source else "written by hand", rows, {"source": source} if source else {}
        )
        for source, rows in counts.sources.items()
    ]
    return sorted(found, key=lambda part: -part.rows)
