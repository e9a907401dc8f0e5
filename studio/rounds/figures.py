"""The few numbers by which a round is remembered: agreement, held-out loss, forgetting, and what it took.

Read on every look at the first page, so nothing here is dear: the votes once, and no intervals.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from storage.judgements import Said
from storage.rows import CHOICES, RANKED
from storage.rows_training import Job, Round
from storage.store import Store
from studio.feedback.counting import counting_votes

_LONGEST_LOOK = 600.0  # seconds; who voted later than that was away meanwhile
_MILLION = 1_000_000

# What servers wrote for a study, by their prices; what they read is known by day alone (`storage.usage`).
_MONEY = """
select sum(a.tokens * m.price_out) from answers a
join comparisons c on c.id = a.comparison_id
join models m on m.id = a.model_id
where c.study_id = ? and m.price_out is not null
"""


class Agreement(NamedTuple):
    """The share of pairs of people who said the same of one comparison, and how many such pairs there are."""

    rate: float
    pairs: int


class Change(NamedTuple):
    """A loss per token before and after; `of`: on what it was measured."""

    before: float
    after: float
    of: str


class Figures(NamedTuple):
    """A round in numbers; None where something is not known.

    `device_seconds`: training, times its devices; `judging_seconds`: what people spent on the votes that count;
    `money`: what servers that answer for a price wrote for its study, in the currency of their prices.
    """

    agreement: Agreement | None
    held_out: Change | None
    forgetting: Change | None
    device_seconds: float | None
    judging_seconds: float
    money: float | None

    def to_json(self) -> dict[str, Any]:
        """For the page and `ratchet rounds`."""
        return {
            "agreement": self.agreement and self.agreement._asdict(),
            "held_out": self.held_out and self.held_out._asdict(),
            "forgetting": self.forgetting and self.forgetting._asdict(),
            "device_seconds": self.device_seconds,
            "judging_seconds": self.judging_seconds,
            "money": self.money,
        }


def figures(store: Store, turn: Round, job: Job | None, evaluation: Mapping[str, Any] | None) -> Figures:
    """The numbers of a round as they are now; `evaluation`: what was measured of its model."""
    votes = counting_votes(store, turn.measuring_study_id) if turn.measuring_study_id else []
    found = evaluation or {}
    return Figures(
        agreement=agreement(votes),
        held_out=_held_out(found.get("held_out") or {}),
        forgetting=forgetting(found),
        device_seconds=_device_seconds(job),
        judging_seconds=round(sum(min(vote.seconds or 0.0, _LONGEST_LOOK) for vote in votes), 1),
        money=_money(store, turn.measuring_study_id),
    )


def agreement(votes: Iterable[Said]) -> Agreement | None:
    """How often two people say the same of one comparison; None where no comparison was judged by two."""
    said: dict[str, Counter[str]] = {}
    for vote in votes:
        if vote.choice in CHOICES or vote.choice == RANKED:
            label = vote.choice if vote.ranking is None else vote.ranking
            said.setdefault(vote.comparison_id, Counter())[label] += 1
    pairs = sum(_pairs(labels.total()) for labels in said.values())
    same = sum(_pairs(count) for labels in said.values() for count in labels.values())
    return Agreement(round(same / pairs, 4), pairs) if pairs else None


def forgetting(found: Mapping[str, Any]) -> Change | None:
    """The loss on earlier rows where there are any, else on what the base said by itself."""
    known = found.get("forgetting") or {}
    for name, of in (("earlier", "earlier rows"), ("base_answers", "what the base said")):
        if known.get(name):
            return Change(float(known[name]["before"]), float(known[name]["after"]), of)
    return None


def _held_out(found: Mapping[str, Any]) -> Change | None:
    before, after = found.get("before_loss"), found.get("loss")
    if before is None or after is None:
        return None
    return Change(float(before), float(after), f"{found.get('rows', 0)} rows")


def _device_seconds(job: Job | None) -> float | None:
    if job is None or not job.finished_at or not job.started_at:
        return None
    return round((job.finished_at - job.started_at) * max(1, job.devices or 1), 1)


def _money(store: Store, study_id: str | None) -> float | None:
    spent = store.value(_MONEY, [study_id]) if study_id else None
    return None if spent is None else round(float(spent) / _MILLION, 4)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
