"""Which comparison comes next where a study chooses actively: what tells most first, near-identical answers last.

The queue reads one number a comparison (`comparisons.priority`), so that a vote costs the same either way. It is
written here, in the background, after votes have changed: the most telling comparisons get theirs, all others none.
With random choice nobody has one, and the order is that in which comparisons became ready. Contestants that are yet to
be asked are chosen by the same measure.

A reward model's margin is no part of it: the engine answers, it does not score answers.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from storage.judgements import counting_mark
from storage.priorities import Open, open_comparisons, set_priorities, texts_of
from storage.rows import RATED, Study
from storage.store import Store
from studio.feedback.contestants import LineUp
from studio.feedback.counting import Counted, count
from studio.feedback.study_settings import settings_of
from studio.feedback.uncertainty import ALIKE, Known, Pair, likeness, pair_of, pairs_of, worth_of

MOST = 200
"""Comparisons that are put in order; far more than are given out before the next look."""

LAST = -1.0
"""The priority of near-identical answers: after everything that has none."""

_PAUSE = 5.0  # seconds between two looks at a study whose votes change all the time
_SHARE = 20  # a look at a great study takes a second: at most a twentieth of the time, for voting goes on meanwhile


class Look(NamedTuple):
    """What the last look at a study found. `until`: no other look before that moment (`time.monotonic`)."""

    until: float
    mark: object
    known: Mapping[Pair, Known]


class Chooser:
    """Keeps the order of studies that choose actively; looks again after votes have changed, and never all the time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looks: dict[str, Look] = {}

    def refresh(self, study: Study) -> bool:
        """Put what is open in order, where votes or comparisons have changed since; whether that was done."""
        settings = settings_of(study)
        begun = time.monotonic()
        last = self._looks.get(study.id)
        if settings.choice != "active" or (last and begun < last.until):
            return False
        ready = [one.id for one in open_comparisons(self._store, study.id, settings.overlap) if one.state == "ready"]
        mark = (counting_mark(self._store, study.id), ready)
        changed = last is None or last.mark != mark
        known = known_of(count(self._store, study.id)) if last is None or changed else last.known
        if changed:
            prioritise(self._store, study, known)
        now = time.monotonic()
        self._looks[study.id] = Look(now + max(_PAUSE, _SHARE * (now - begun)), mark, known)
        return changed

    def known(self, study: Study) -> Mapping[Pair, Known] | None:
        """What the last look at a study found, None where there was none."""
        last = self._looks.get(study.id)
        return last.known if last else None


def prioritise(store: Store, study: Study, known: Mapping[Pair, Known] | None = None) -> dict[str, float]:
    """Give the most telling open comparisons of a study their priority; returns it by comparison.

    `known`: what the votes say so far, where it has been counted already.
    """
    known = known_of(count(store, study.id)) if known is None else known
    ready = [one for one in open_comparisons(store, study.id, settings_of(study).overlap) if one.state == "ready"]
    wanted = _telling(store, ready, known)
    set_priorities(store, study.id, wanted)
    return wanted


def _telling(store: Store, ready: Sequence[Open], known: Mapping[Pair, Known]) -> dict[str, float]:
    """Texts are read only as far as it takes to find enough that differ."""
    worth = {one.id: worth_of(one.names, known) for one in ready}
    order = sorted(worth, key=lambda identity: -worth[identity])
    found: dict[str, float] = {}
    telling = 0
    for start in range(0, len(order), MOST):
        some = order[start : start + MOST]
        texts = texts_of(store, some)
        for identity in some:
            alike = likeness(texts[identity]) >= ALIKE
            telling += not alike
            found[identity] = LAST if alike else round(worth[identity], 6)
        if telling >= MOST:
            break
    return found


def known_of(counted: Counted) -> dict[Pair, Known]:
    """What the votes of a study say of each pair, and ratings of each contestant; one prompt's are averaged first."""
    sums: dict[tuple[Pair, str], list[float]] = {}
    for one in counted.judged:
        pair = pair_of(one.first, one.second)
        sums.setdefault((pair, one.prompt), []).append(one.value if pair[0] == one.first else 1 - one.value)
    steps = settings_of(counted.study).scale - 1
    for vote in counted.votes:
        if vote.choice == RATED and vote.rating is not None:
            name = counted.contests[vote.comparison_id].models[0]
            unit = counted.unit(vote.comparison_id)
            sums.setdefault(((name, name), unit), []).append(min(1.0, max(0.0, (vote.rating - 1) / steps)))
    found: dict[Pair, Known] = {}
    for (pair, _), values in sums.items():
        found.setdefault(pair, Known()).add(sum(values) / len(values))
    return found


def telling_line_ups(
    store: Store, study: Study, names: Sequence[str], sides: int, known: Mapping[Pair, Known] | None = None
) -> Iterator[LineUp]:
    """Line-ups of one or two names without end: those of which the next judgement tells most, what is open counted.

    `known`: what the votes say so far, where it has been counted already.
    """
    known = known_of(count(store, study.id)) if known is None else known
    pending: Counter[Pair] = Counter()
    for one in open_comparisons(store, study.id, settings_of(study).overlap):
        pending.update(pairs_of(one.names))
    options = list(dict.fromkeys(combinations(names, sides)))
    while True:
        chosen = max(options, key=lambda line_up: worth_of(line_up, known, pending))
        pending.update(pairs_of(chosen))
        yield chosen
