"""Checks that need a whole dataset: copies, leaks from training into measuring, taste for length, contradictions.

Each streams the dataset with flat memory and is computed again only when the dataset (or what it is compared with)
has changed since the last time.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from storage import findings, tokens
from storage.findings import Standing
from storage.rows import Dataset
from storage.segments import name_of
from storage.store import Store
from studio.curation.checks import duplicates, pairs
from studio.curation.checks.check import Detail
from studio.curation.checks.duplicates import Item, Twin
from studio.curation.checks.passages import body, prompt_of, spoken

# A dataset is of one language where nine rows in ten are; more foreign rows than that are no accident.
_MOST = 0.9


class Found(NamedTuple):
    """An example that a check found something in."""

    example: int
    revision: int
    detail: Detail


class Against(NamedTuple):
    """What the dataset is compared with where somebody chose it: a model's limit, another dataset."""

    tokenizer: tokens.Tokenizer | None = None
    most_tokens: int = 0
    dataset: Dataset | None = None


class Look(NamedTuple):
    """One check of a whole dataset at work. `rows` streams it and counts progress; `measured` is what it measures."""

    store: Store
    dataset: Dataset
    against: Against
    rows: Callable[[], Iterator[Standing]]
    measured: dict[str, Any]


Whole = Callable[[Look], Iterable[Found]]


def find_copies(look: Look) -> Iterator[Found]:
    """Rows whose content an earlier row has."""
    for copy in findings.copies(look.store, look.dataset.id):
        yield Found(copy.example, copy.revision, _like(copy.of, 1.0, "The same as"))


def find_near_copies(look: Look) -> Iterator[Found]:
    """Rows that are nearly an earlier row; exact copies are told of elsewhere."""
    exact = {copy.example for copy in findings.copies(look.store, look.dataset.id)}
    revisions: dict[int, int] = {}

    def items() -> Iterator[Item]:
        for row in look.rows():
            if row.example not in exact:
                revisions[0] = row.revision  # of the row at hand: a twin is told before the next row is read
                yield Item(row.example, body(row.content))

    for twin in duplicates.near_duplicates(items(), lambda key: body(findings.content_of(look.store, key))):
        yield Found(twin.key, revisions[0], _twin(twin, "Nearly the same as"))


def find_leaks(look: Look) -> Iterator[Found]:
    """Training rows whose prompt is nearly one that is kept for measuring."""
    held_out = (Item(row.example, _asked(row.content)) for row in look.rows() if row.split == "measure")
    yield from _leaks(look, held_out, lambda row: row.split == "train")


def find_leaks_of_another(look: Look) -> Iterator[Found]:
    """Rows whose prompt is nearly one of the dataset that was chosen to test with."""
    assert look.against.dataset is not None
    other = findings.standing(look.store, look.against.dataset.id)
    look.measured["against"] = look.against.dataset.name
    yield from _leaks(look, (Item(row.example, _asked(row.content)) for row in other), lambda row: True)


def _leaks(look: Look, held_out: Iterable[Item], wanted: Callable[[Standing], bool]) -> Iterator[Found]:
    at_hand: dict[int, int] = {}

    def training() -> Iterator[Item]:
        for row in look.rows():
            if wanted(row):
                at_hand[0] = row.revision
                yield Item(row.example, _asked(row.content))

    def text_of(key: int) -> str:
        return _asked(findings.content_of(look.store, key))

    for twin in duplicates.leaks(held_out, training(), text_of):
        yield Found(twin.key, at_hand[0], _twin(twin, "Its prompt is that of"))


def _asked(content: dict[str, Any]) -> str:
    """The prompt of a row as text; a plain text is its own."""
    return str(content["text"]) if "text" in content else spoken(prompt_of(content))


def _twin(twin: Twin, said: str) -> Detail:
    return _like(twin.of, twin.similarity, said)


def _like(key: int, similarity: float, said: str) -> Detail:
    share = "" if similarity == 1 else f" ({similarity:.0%} alike)"
    return {"sentence": f"{said} row {name_of(key)}{share}.", "of": name_of(key), "similarity": similarity}


def find_length_bias(look: Look) -> Iterator[Found]:
    """The lopsided pairs of a dataset in which longer (or shorter) answers win; none where they do not."""
    lengths, revisions = [], {}
    for row in look.rows():
        found = pairs.lengths_of(row.example, row.content)
        if found is not None:
            lengths.append(found)
            revisions[row.example] = row.revision
    bias = pairs.length_bias(lengths)
    look.measured.update(bias._asdict(), biased=bias.biased)
    if bias.biased:
        for key, detail in pairs.lopsided(lengths, bias):
            yield Found(key, revisions[key], detail)


def find_contradictions(look: Look) -> Iterator[Found]:
    """Rows that say the opposite of each other."""
    claims, revisions = [], {}
    for row in look.rows():
        claim = pairs.claims_of(row.example, row.content)
        if claim is not None:
            claims.append(claim)
            revisions[row.example] = row.revision
    for key, detail in pairs.contradictions(claims):
        others = [name_of(other) for other in detail["against"]]
        yield Found(key, revisions[key], {**detail, "against": others})


def find_foreign(look: Look) -> Iterator[Found]:
    """Rows in another language than nine in ten."""
    known = {code: rows for code, rows in findings.languages(look.store, look.dataset.id).items() if code}
    look.measured["languages"] = known
    main, rows = next(iter(known.items()), ("", 0))
    if rows >= _MOST * sum(known.values()):
        for row in findings.in_other_languages(look.store, look.dataset.id, main):
            sentence = f"Most rows are in {main}, this one is in {row.language}."
            yield Found(row.example, row.revision, {"sentence": sentence, "language": row.language})


def find_too_long(look: Look) -> Iterator[Found]:
    """Rows with more tokens than are wanted."""
    tokenizer, most = look.against.tokenizer, look.against.most_tokens
    assert tokenizer is not None
    look.measured.update(model=tokenizer.model, most_tokens=most)
    for row in tokens.above(look.store, look.dataset.id, tokenizer.sha256, most):
        if row.tokens is not None:
            sentence = f"{row.tokens:,} tokens, {tokenizer.model} is given {most:,} at most."
            yield Found(row.example, row.revision, {"sentence": sentence, "tokens": row.tokens})


def find_refused(look: Look) -> Iterator[Found]:
    """Rows that the chat template of the model refuses."""
    tokenizer = look.against.tokenizer
    assert tokenizer is not None
    look.measured.update(model=tokenizer.model)
    for row in tokens.above(look.store, look.dataset.id, tokenizer.sha256, look.against.most_tokens):
        if row.tokens is None:
            yield Found(row.example, row.revision, {"sentence": f"The chat template of {tokenizer.model} refuses it."})


ALWAYS: dict[str, Whole] = {
    "duplicate": find_copies,
    "near-duplicate": find_near_copies,
    "contamination": find_leaks,
    "language": find_foreign,
}
OF_PREFERENCES: dict[str, Whole] = {"length-bias": find_length_bias, "contradiction": find_contradictions}
OF_MODELS: dict[str, Whole] = {"too-long": find_too_long, "refused-by-template": find_refused}
OF_TESTS: dict[str, Whole] = {"contamination-other": find_leaks_of_another}


def wanted(dataset: Dataset, against: Against) -> dict[str, Whole]:
    """The checks of whole datasets that apply, by name."""
    return {
        **ALWAYS,
        **(OF_PREFERENCES if dataset.kind == "preference" else {}),
        **(OF_MODELS if against.tokenizer else {}),
        **(OF_TESTS if against.dataset else {}),
    }
