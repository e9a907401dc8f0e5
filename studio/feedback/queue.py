"""The queue: what each person is to judge next, so that nobody does what another one does already.

Every comparison has as many slots as the study's overlap. A slot is filled by a vote that counts, or held by a lease
for a few minutes; nobody is given a comparison whose slots are all filled or held by others. A lease that runs out
comes back by itself; a vote that arrives later is kept all the same. Those with the fewest votes come first, so that
every prompt is judged once before one is judged twice: the unit of all statistics is the prompt.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from storage import leases, workdays
from storage.clock import blind_id, now
from storage.comparisons import get_comparison
from storage.errors import Forbidden, NotFound
from storage.judgements import ask_again
from storage.leases import Held, Lease
from storage.rows import Study
from storage.store import Store
from studio.feedback.comparing import add_free
from studio.feedback.gold import unseen
from studio.feedback.mixing import gold_due, second_due
from studio.feedback.second_looks import again, turned
from studio.feedback.showing import Shown, show
from studio.feedback.study_settings import StudySettings, settings_of

AHEAD = 4
"""Comparisons kept for each person: the one being read and three more."""

_READY = "ready"
_STATES = (_READY, "answering", "waiting")
# What was taken back comes first, then what the person typed, then the rest as it was taken.
_RANK = {leases.BACK: 0, leases.SECOND_BACK: 0, leases.TYPED: 1}
# A lease is written anew when a tenth of its time is over: a write less for most looks.
_FRESH = 0.9

# Leases taken at one moment stay in their order.
_STEP = 1e-6


class Dealt(NamedTuple):
    """A lease, and whether the person held it before with all answers there: the browser may have it whole."""

    lease: Lease
    ready: bool

    @property
    def shown_id(self) -> str:
        """The id by which the browser knows it."""
        return self.lease.alias or self.lease.comparison_id


class Span(NamedTuple):
    """From when to when a lease runs, in seconds since 1970."""

    begin: float
    end: float


def closed_to(settings: StudySettings, annotator: str) -> str | None:
    """The sentence for a person who does not take part in a study; None for who does."""
    if not settings.people or annotator in settings.people:
        return None
    return f"{annotator} does not take part in this study; whoever runs it can add the name to its people."


def refuse_stranger(store: Store, settings: StudySettings, annotator: str, comparison_id: str) -> None:
    """Raise Forbidden for somebody who does not take part and was never given the comparison."""
    sentence = closed_to(settings, annotator)
    if sentence and leases.of(store, comparison_id, annotator) is None:
        raise Forbidden(sentence)


def upcoming(store: Store, study: Study, annotator: str, limit: int = AHEAD) -> list[Shown]:
    """What a person is to judge next, the first one now and the others to be kept ready; all leased to them."""
    return [present(store, study, lease) for lease in deal(store, study, annotator, limit)]


def pairs(store: Store, study: Study, annotator: str, hold: Collection[str] = ()) -> list[dict[str, Any]]:
    """What `upcoming` gives, for the browser; of what it holds already (`hold`) only the id, read from nowhere.

    A comparison that was incomplete when the browser got it is sent again.
    """
    return [
        {"comparison": one.shown_id, "held": True}
        if one.ready and one.shown_id in hold
        else present(store, study, one.lease).to_json()
        for one in _dealt(store, study, annotator, AHEAD)
    ]


def present(store: Store, study: Study, lease: Lease) -> Shown:
    """A leased comparison as its person sees it; at a second look the other way round, under another id."""
    whole = get_comparison(store, lease.comparison_id)
    order = turned(store, study, whole, lease.annotator) if lease.alias else None
    shown = show(study, whole, lease.annotator, order)
    return shown._replace(alias=lease.alias, lease_until=lease.expires_at)


def find(store: Store, study: Study, annotator: str, shown_id: str) -> Shown:
    """A comparison of a study by the id under which a person knows it, leased or not.

    Raises NotFound, and Forbidden for somebody who does not take part and was never given it.
    """
    lease = leases.by_alias(store, shown_id, annotator) or leases.of(store, shown_id, annotator)
    if lease and lease.study_id == study.id:
        return present(store, study, lease)
    whole = get_comparison(store, shown_id)
    if whole.comparison.study_id != study.id:
        raise NotFound(f'Study "{study.name}" has no comparison "{shown_id}".')
    refuse_stranger(store, settings_of(study), annotator, shown_id)
    return show(study, whole, annotator)


def deal(store: Store, study: Study, annotator: str, limit: int = AHEAD) -> list[Lease]:
    """Lease to a person what they hold already and, where that is less than `limit`, what comes next."""
    return [one.lease for one in _dealt(store, study, annotator, limit)]


def _dealt(store: Store, study: Study, annotator: str, limit: int) -> list[Dealt]:
    settings = settings_of(study)
    if closed_to(settings, annotator):
        return []
    at = now()
    until = at + 60 * settings.lease_minutes
    with store.write():
        kept = _kept(store, study, settings, annotator, at)
        mine = [Dealt(_renewed(store, one, at, until), one.state == _READY) for one in kept]
        if study.state == "open" and len(mine) < limit and not leases.in_lull(store, study.id, annotator, at):
            fresh = _fresh(store, study, settings, annotator, len(mine), limit - len(mine), Span(at, until))
            mine += [Dealt(lease, False) for lease in fresh]
    return mine


def _fresh(
    store: Store, study: Study, settings: StudySettings, annotator: str, held: int, count: int, span: Span
) -> list[Lease]:
    """What comes next for a person who holds so many: known answers and second looks in their places."""
    found: list[Lease] = []
    others = iter(leases.open_slots(store, study.id, annotator, settings.overlap, span.begin, _STATES, count))
    first = held + 1
    if settings.gold_every or settings.second_every:
        work = workdays.work(store, study.id, annotator)
        first += work.mine + work.skips
    for step in range(count):
        moment = Span(span.begin + step * _STEP, span.end)
        lease = _checking(store, study, settings, annotator, first + step, moment)
        if lease is None:
            comparison_id = next(others, None)
            if comparison_id is None:
                break
            lease = Lease(comparison_id, annotator, study.id, leases.QUEUE, None, moment.begin, moment.end)
        leases.take(store, lease)
        found.append(lease)
    return found


def _checking(
    store: Store, study: Study, settings: StudySettings, annotator: str, place: int, span: Span
) -> Lease | None:
    """A known answer or a second look, where one stands at this place and there is one."""
    if gold_due(study, settings, annotator, place):
        for comparison_id in unseen(store, study, annotator):
            return Lease(comparison_id, annotator, study.id, leases.GOLD, None, *span)
    if second_due(study, settings, annotator, place):
        earlier = again(store, study, annotator)
        if earlier is not None:
            return Lease(earlier.comparison_id, annotator, study.id, leases.SECOND, blind_id(), *span)
    return None


def reserve(store: Store, study: Study, annotator: str, comparison_id: str, kind: str) -> Lease:
    """Keep one comparison for a person: a typed question, or one whose vote was taken back."""
    at = now()
    until = at + 60 * settings_of(study).lease_minutes
    lease = Lease(comparison_id, annotator, study.id, kind, None, at, until)
    leases.take(store, lease)
    return lease


def ask(store: Store, study: Study, annotator: str, prompt: str) -> Lease:
    """Add a question that a person typed, theirs to judge; raises Forbidden, and BadInput as `add_free`."""
    _refuse_closed(study, annotator)
    with store.write():
        comparison = add_free(store, study.name, prompt)
        return reserve(store, study, annotator, comparison.id, leases.TYPED)


def try_again(store: Store, study: Study, annotator: str) -> int:
    """Let what failed in a study wait for answers again; returns how many. Raises Forbidden as `ask`."""
    _refuse_closed(study, annotator)
    return ask_again(store, study.id)


def _refuse_closed(study: Study, annotator: str) -> None:
    if sentence := closed_to(settings_of(study), annotator):
        raise Forbidden(sentence)


def available(store: Store, study: Study, annotator: str, limit: int = AHEAD) -> int:
    """How many comparisons a person holds or could be given now, counted up to `limit`; in a lull nobody counts."""
    settings, at = settings_of(study), now()
    mine = sum(one.free and one.state in _STATES for one in _held(store, study, settings, annotator, at))
    if mine >= limit or leases.in_lull(store, study.id, annotator, at):
        return limit
    return mine + len(leases.open_slots(store, study.id, annotator, settings.overlap, at, _STATES, limit - mine))


def _held(store: Store, study: Study, settings: StudySettings, annotator: str, at: float) -> list[Held]:
    return leases.held(store, study.id, annotator, settings.overlap, at)


def _kept(store: Store, study: Study, settings: StudySettings, annotator: str, at: float) -> list[Held]:
    """What stays a person's, in the order in which it is shown; the rest is let go."""
    found = []
    for one in _held(store, study, settings, annotator, at):
        if one.free and one.state in _STATES:
            found.append(one)
        elif one.lease.alias is None:  # a second look waits until there is a first one again
            leases.end(store, one.lease.comparison_id, annotator)
    # What was taken back last comes first of all; answers that are still being made come after those that are there.
    return sorted(
        found,
        key=lambda one: (
            _RANK.get(one.lease.kind, 2),
            -one.lease.taken_at if one.lease.kind in _RANK else 0.0,
            one.state != _READY and one.lease.kind not in _RANK,
        ),
    )


def _renewed(store: Store, one: Held, at: float, until: float) -> Lease:
    if one.lease.expires_at - at >= _FRESH * (until - at):
        return one.lease
    return leases.renew(store, one.lease, until)
