"""From votes to training data, by a named policy (`policies`), and a count of everything that is left out.

Only votes on prompts of the split "train" make training data; the others measure, in every study. Known answers (gold)
count for nothing but their annotators' accuracy. Where a curator decided a comparison, that decision stands in the
place of its votes. A mended answer is preferred to each answer that was shown, by the one who mended it, under every
policy. Ratings of single answers make rows for KTO: thumbs, or the steps above and below the middle of the scale.

Of a conversation in which every side went on by itself, the whole of what differs is chosen and rejected: turns that
both sides share belong to the prompt.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from storage import adjudications, gold
from storage.adjudications import Adjudication
from storage.comparisons import get_study
from storage.judgements import wholes
from storage.prompts import Messages
from storage.rows import RATED, Answer, Comparison, Vote
from storage.store import Store
from storage.votes import current_votes
from studio.feedback.conversations import tail
from studio.feedback.kept_votes import kept
from studio.feedback.policies import AS_USUAL, POLICIES, Draw, Options, Win, refuse_unknown, thumbs
from studio.feedback.study_settings import settings_of


@dataclass(frozen=True)
class Pair:
    """One preference: a prompt, the better and the worse answer, and how much better if somebody said so.

    `prompt_sha256`: of the comparison's prompt. `weight`: by how large a share of the votes the better answer leads,
    under the policy "weighted"; else 1. Of a tie, `chosen` and `rejected` are equally good.
    """

    id: str
    prompt: Messages
    prompt_sha256: str
    chosen: Messages
    rejected: Messages
    margin: float | None
    comparison_id: str
    weight: float = 1.0
    edited: bool = False


@dataclass(frozen=True)
class Thumb:
    """One answer that people called good or bad: a row of KTO (Ethayarajh et al. 2024, arXiv:2402.01306)."""

    prompt: Messages
    prompt_sha256: str
    completion: Messages
    comparison_id: str
    desirable: bool = False
    weight: float = 1.0


@dataclass(frozen=True)
class Preferences:
    """What a policy makes of votes, and how many votes or comparisons it left out for which reason.

    `adjudicated`: comparisons that a curator decided.
    """

    pairs: list[Pair]
    dropped: dict[str, int] = field(default_factory=dict)
    ties: list[Pair] = field(default_factory=list)
    thumbs: list[Thumb] = field(default_factory=list)
    adjudicated: int = 0

    @property
    def negatives(self) -> list[Thumb]:
        """Answers that people called bad."""
        return [one for one in self.thumbs if not one.desirable]

    @property
    def edited(self) -> int:
        """Pairs with a mended answer."""
        return sum(pair.edited for pair in self.pairs)

    def to_json(self) -> dict[str, Any]:
        """Counts for a preview."""
        every: list[Pair | Thumb] = [*self.pairs, *self.ties, *self.thumbs]
        return {
            "rows": len(self.pairs),
            "ties": len(self.ties),
            "negatives": len(self.negatives),
            "positives": len(self.thumbs) - len(self.negatives),
            "prompts": len({one.prompt_sha256 for one in every}),
            "with_margin": sum(pair.margin is not None for pair in self.pairs),
            "edited": self.edited,
            "adjudicated": self.adjudicated,
            "dropped": self.dropped,
        }


class _Votes(NamedTuple):
    """The votes on one comparison that count; where a curator decided it, `votes` holds that decision alone."""

    comparison: Comparison
    answers: list[Answer]
    votes: list[Vote]
    mended: list[Vote]


class _Material(NamedTuple):
    """The votes of a study by comparison, and how many were left out before any policy looked."""

    given: list[_Votes]
    dropped: Counter[str]
    scale: int
    adjudicated: int


def preferences(
    store: Store, study: str, policy: str = "each", options: Options = AS_USUAL, with_excluded: bool = False
) -> Preferences:
    """What a policy makes of a study's votes; raises BadInput for an unknown policy, NotFound."""
    refuse_unknown(policy)
    return _apply(_material(store, study, with_excluded), policy, options)


def preview(store: Store, study: str, options: Options = AS_USUAL, with_excluded: bool = False) -> list[dict[str, Any]]:
    """What each policy would make, as counts; the votes are read once."""
    material = _material(store, study, with_excluded)
    return [
        {"policy": name, "meaning": (policy.__doc__ or "").strip(), **_apply(material, name, options).to_json()}
        for name, policy in POLICIES.items()
    ]


def _material(store: Store, study: str, with_excluded: bool) -> _Material:
    chosen = get_study(store, study)
    counting = kept(store, chosen.id, current_votes(store, chosen.id), with_excluded)
    known, decided = gold.standing(store, chosen.id), adjudications.standing(store, chosen.id)
    dropped = Counter(skip=sum(vote.choice == "skip" for vote in counting.votes))
    dropped["excluded"] = sum(one["votes"] for one in counting.excluded if not one["counted"])
    by_comparison: dict[str, list[Vote]] = {}
    for vote in counting.votes:
        if vote.choice != "skip":
            by_comparison.setdefault(vote.comparison_id, []).append(vote)
    found = wholes(store, chosen.id)
    given = []
    for identity, votes in by_comparison.items():
        comparison, answers = found[identity]
        reason = "gold" if identity in known else "measure prompt" if comparison.split == "measure" else None
        if reason:
            dropped[reason] += len(votes)
        else:
            given.append(_given(comparison, answers, votes, decided.get(identity)))
    overruled = sum(one.comparison.id in decided for one in given)
    return _Material(given, dropped, settings_of(chosen).scale, overruled)


def _given(comparison: Comparison, answers: list[Answer], votes: list[Vote], decision: Adjudication | None) -> _Votes:
    """The votes that count on a comparison, or what was decided in their place."""
    mended = [vote for vote in votes if vote.edited and vote.edited_position is not None]
    return _Votes(comparison, answers, votes if decision is None else [_as_vote(decision)], mended)


def _as_vote(decision: Adjudication) -> Vote:
    return Vote(
        id=decision.id, comparison_id=decision.comparison_id, study_id=decision.study_id, annotator=decision.author,
        choice=decision.choice, ranking=decision.ranking, strength=None, criteria=None, rationale=decision.reason,
        edited=None, shown_order=[], shown_sha256=[], seconds=None, source="adjudication", supersedes=None,
        created_at=decision.created_at, rating=decision.rating,
    )  # fmt: skip


def _apply(material: _Material, policy: str, options: Options) -> Preferences:
    made = Preferences([], adjudicated=material.adjudicated)
    dropped = Counter(material.dropped)
    for one in material.given:
        rated = [vote for vote in one.votes if vote.choice == RATED]
        judged = [vote for vote in one.votes if vote.choice != RATED]
        if judged:
            _add_pairs(made, dropped, one._replace(votes=judged), policy, options)
        if rated:
            _add_thumbs(made, dropped, one._replace(votes=rated), policy, material.scale)
        if options.edited == "use":
            _add_mended(made, dropped, one)
    counts = {reason: count for reason, count in sorted(dropped.items()) if count}
    return Preferences(made.pairs, counts, made.ties, made.thumbs, made.adjudicated)


def _add_pairs(made: Preferences, dropped: Counter[str], one: _Votes, policy: str, options: Options) -> None:
    """What the votes that compare answers make."""
    verdict = POLICIES[policy](one.votes, options.ranking == "best")
    dropped.update(verdict.dropped)
    for win in verdict.wins:
        reason = _unusable(one.comparison, one.answers[win.better].text, one.answers[win.worse].text)
        if reason:
            dropped[reason] += 1
        else:
            made.pairs.append(_pair(one, win if options.margin == "strength" else win._replace(margin=None)))
    for draw in verdict.draws:
        dropped[draw.kind] += not _kept_draw(made, one, draw, options)
    if options.both_bad == "negatives" and any(draw.kind == "both_bad" for draw in verdict.draws):
        made.thumbs.extend(_negatives(one))


def _kept_draw(made: Preferences, one: _Votes, draw: Draw, options: Options) -> bool:
    """Whether something is made of a draw; a tie is put where ties are kept."""
    if draw.kind == "both_bad":
        return options.both_bad == "negatives" and bool(_negatives(one))
    if options.ties == "drop" or len(one.answers) < 2:
        return False
    if _unusable(one.comparison, one.answers[0].text, one.answers[1].text):
        return False
    made.ties.append(_pair(one, Win(0, 1, None, draw.id)))
    return True


def _add_thumbs(made: Preferences, dropped: Counter[str], one: _Votes, policy: str, scale: int) -> None:
    """What the ratings of a single answer make."""
    answer = one.answers[0]
    for thumb in thumbs(policy, [vote.rating for vote in one.votes if vote.rating is not None], scale):
        if thumb.up is None:
            dropped[thumb.reason] += 1
        elif not one.comparison.prompt or not answer.text:
            dropped["no text"] += 1
        else:
            made.thumbs.append(_thumb(one, answer, thumb.up, thumb.weight))


def _add_mended(made: Preferences, dropped: Counter[str], one: _Votes) -> None:
    """A mended answer against each that was shown."""
    for vote in one.mended:
        better = tail(one.answers[vote.edited_position or 0], vote.edited)
        for answer in one.answers:
            reason = _unusable(one.comparison, vote.edited, answer.text)
            if reason:
                dropped[reason] += 1
                continue
            identity = f"{vote.id}-edited{answer.position}"
            made.pairs.append(_between(one.comparison, better, tail(answer), identity, None, 1.0, edited=True))


def _negatives(one: _Votes) -> list[Thumb]:
    """All answers of a comparison, where all have a text."""
    if not one.comparison.prompt or not all(answer.text for answer in one.answers):
        return []
    return [_thumb(one, answer, False) for answer in one.answers]


def _thumb(one: _Votes, answer: Answer, desirable: bool, weight: float = 1.0) -> Thumb:
    """One answer alone: the turns before it belong to the prompt."""
    *before, said = [*one.comparison.prompt, *tail(answer)]
    return Thumb(before, one.comparison.prompt_sha256, [said], one.comparison.id, desirable, weight)


def _unusable(comparison: Comparison, chosen: str | None, rejected: str | None) -> str | None:
    """Why nothing can be learnt from this pair, or None."""
    if not comparison.prompt or not chosen or not rejected:
        return "no text"
    return "identical answers" if chosen == rejected else None


def _pair(one: _Votes, win: Win) -> Pair:
    better, worse = tail(one.answers[win.better]), tail(one.answers[win.worse])
    return _between(one.comparison, better, worse, win.id, win.margin, win.weight)


def _between(
    comparison: Comparison, better: Messages, worse: Messages, identity: str, margin: float | None, weight: float,
    edited: bool = False,
) -> Pair:  # fmt: skip
    """Two tails of one conversation; what both have in common at first goes to the prompt."""
    shared = _shared(better, worse)
    return Pair(
        id=identity,
        prompt=[*comparison.prompt, *better[:shared]],
        prompt_sha256=comparison.prompt_sha256,
        chosen=better[shared:],
        rejected=worse[shared:],
        margin=margin,
        comparison_id=comparison.id,
        weight=weight,
        edited=edited,
    )


def _shared(better: Sequence[Any], worse: Sequence[Any]) -> int:
    """How many turns two tails begin with alike; at least one is left of each."""
    for at, (one, other) in enumerate(zip(better[:-1], worse[:-1], strict=False)):
        if one != other:
            return at
    return min(len(better), len(worse)) - 1
