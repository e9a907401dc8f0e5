"""Running the checks of a dataset: only texts that are new, and whole-dataset checks only where something changed."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from storage import findings
from storage.datasets import count_examples, get_dataset
from storage.errors import BadInput
from storage.findings import Due, Finding, Looked, Standing
from storage.models import get_model
from storage.rows import Dataset
from storage.settling import settle
from storage.store import Store
from studio.clients.engine import Engine
from studio.curation.checks import registry, whole
from studio.curation.checks.check import Check
from studio.curation.checks.language import language_of_example
from studio.curation.checks.stopping import Stopped
from studio.curation.checks.whole import Against, Look
from studio.curation.counting import count_tokens

Progress = Callable[[float, str], bool | None]
"""Called with the fraction done and a sentence; answers True where somebody asked to stop."""

_CHUNK = 250
_NO_LIMIT = 1 << 40


class Options(NamedTuple):
    """What a dataset is compared with: a model by name, how many tokens it may have, another dataset by name."""

    model: str | None = None
    most_tokens: int | None = None
    against: str | None = None


class Done(NamedTuple):
    """What was computed: rows that were looked at, checks of the whole dataset that were made (others had no need)."""

    rows: int
    whole: list[str]


def run(store: Store, dataset: Dataset, options: Options | None = None, progress: Progress | None = None) -> Done:
    """Bring the findings of a dataset up to date; raises Stopped where `progress` answers True.

    Whatever was found until then stays, and the next run goes on from there. Raises BadInput for a number of tokens
    without a model to count them.
    """
    if options and options.most_tokens is not None and options.model is None:
        raise BadInput(f"Name the model whose tokenizer counts to {options.most_tokens:,} tokens.")
    settle(store, dataset.id)
    watch = _Watch(progress)
    rows = look_at_rows(store, dataset, watch.within(0.0, 0.5, "Looking at rows"))
    against = _against(store, dataset, options or Options(), watch.within(0.5, 0.6, "Counting tokens"))
    made = []
    checks = whole.wanted(dataset, against)
    for number, (name, find) in enumerate(checks.items()):
        low, high = (0.6 + 0.4 * place / len(checks) for place in (number, number + 1))
        if _look_at_whole(store, dataset, name, find, against, watch.within(low, high, _title(store, name))):
            made.append(name)
    return Done(rows, made)


class _Watch:
    """Progress of one part of the work, as a part of all of it."""

    def __init__(self, progress: Progress | None, low: float = 0.0, high: float = 1.0, sentence: str = "") -> None:
        self._progress, self._low, self._high, self._sentence = progress, low, high, sentence

    def within(self, low: float, high: float, sentence: str) -> "_Watch":
        return _Watch(self._progress, low, high, sentence)

    def __call__(self, fraction: float, sentence: str = "") -> None:
        """Tell how far this part is; raises Stopped where somebody asked for it."""
        if self._progress is not None:
            said = sentence or self._sentence
            if self._progress(self._low + (self._high - self._low) * min(fraction, 1.0), said):
                raise Stopped("The checks were stopped; what was found so far is kept.")


def look_at_rows(store: Store, dataset: Dataset, watch: Callable[[float], None] = lambda _: None) -> int:
    """Run the checks of single rows on the texts that today's checks have not seen; returns how many."""
    checks = registry.row_checks(store.home.path)
    suite = registry.suite(store)
    total = max(findings.count_due(store, dataset.id, suite), 1)
    looked = 0
    for part in findings.due(store, dataset.id, suite):
        for start in range(0, len(part), _CHUNK):
            _look_at_chunk(store, suite, checks, part[start : start + _CHUNK])
            looked += len(part[start : start + _CHUNK])
            watch(looked / total)
    return looked


def _look_at_chunk(store: Store, suite: int, checks: Sequence[Check], part: Sequence[Due]) -> None:
    """Look at some rows outside of any transaction, then note what was found in one."""
    contents = findings.contents(store, [item.revision for item in part])
    looked, found, names = [], [], {check.name for check in checks}
    for item in part:
        content = contents.get(item.revision)
        if content is None:
            continue
        looked.append(Looked(item.revision, language_of_example(content)))
        for check in checks:
            detail = check.find(content) if check.find else None
            if detail is not None:
                found.append(Finding(check.name, item.example, item.revision, check.severity, detail))
    findings.record(store, suite, looked, found, names | {name for item in part for name in item.suite})


def _against(store: Store, dataset: Dataset, options: Options, watch: _Watch) -> Against:
    """What the options name, its tokens counted."""
    other = get_dataset(store, options.against) if options.against else None
    if options.model is None:
        return Against(dataset=other)
    counted = count_tokens(
        store, dataset, get_model(store, options.model), Engine(store.home), lambda fraction, _: watch(fraction)
    )
    most = options.most_tokens or counted.tokenizer.context or _NO_LIMIT
    return Against(counted.tokenizer, most, other)


def _look_at_whole(
    store: Store, dataset: Dataset, name: str, find: whole.Whole, against: Against, watch: _Watch
) -> bool:
    """Make one check of the whole dataset, unless it was made on this very state; whether it was made now."""
    state = whole_state(store, dataset, name, against)
    before = findings.concluded(store, dataset.id).get(name)
    if before is not None and before.state == state:
        return False
    check = registry.checks(store.home.path)[name]
    total = max(count_examples(store, dataset.id), 1)

    def rows() -> Iterator[Standing]:
        for number, row in enumerate(findings.standing(store, dataset.id)):
            if number % _CHUNK == 0:
                watch(number / total)
            yield row

    watch(0.0)
    look = Look(store, dataset, against, rows, {})
    found = (Finding(name, item.example, item.revision, check.severity, item.detail) for item in find(look))
    findings.replace(store, dataset.id, name, found)
    findings.conclude(store, dataset.id, name, state, look.measured)
    return True


def whole_state(store: Store, dataset: Dataset, name: str, against: Against) -> str:
    """What a check of the whole dataset depends on, as a short text."""
    parts = [registry.checks(store.home.path)[name].version, findings.state_of(store, dataset.id)]
    if name in whole.OF_MODELS and against.tokenizer:
        parts += [against.tokenizer.sha256, str(against.most_tokens)]
    if name in whole.OF_TESTS and against.dataset:
        parts += [against.dataset.id, findings.state_of(store, against.dataset.id)]
    return "|".join(parts)


def _title(store: Store, name: str) -> str:
    return registry.checks(store.home.path)[name].title
