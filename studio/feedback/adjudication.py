"""The adjudication queue: where people disagree somebody decides, with a reason, and may take it back.

Whoever decides is blind as well: the answers stand in an order of their own and nothing says who wrote them. A decision
is no vote: the leaderboard goes on counting votes and names the decisions beside them. Policies that make training data
take a decision in the place of the votes on its comparison (`storage.adjudications.standing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import adjudications as stored
from storage.adjudications import Adjudication
from storage.comparisons import get_comparison, get_study
from storage.details import votes_on
from storage.errors import BadInput, Conflict
from storage.judgements import Said, opening
from storage.rows import RANKED, RATED, Study, Vote
from storage.store import Store
from studio.feedback.ballots import DECIDED, Ballot, Judged, positioned
from studio.feedback.counting import Counted, counting_votes
from studio.feedback.disputes import Dispute, Opinion, disputes, span_of
from studio.feedback.kept_votes import kept
from studio.feedback.outcomes import LETTERS, ranks
from studio.feedback.showing import Shown, as_turns, show
from studio.feedback.study_settings import settings_of
from studio.people.roles import Action, Actor, require

_EXCERPT = 140
_LONGEST_REASON = 2000


@dataclass(frozen=True)
class Decision:
    """What a curator says, as it was seen: sides and rankings by place from left to right."""

    comparison_id: str
    choice: str
    """left, right, tie, both_bad, ranking or rating."""

    ranking: Sequence[Any] | None = None
    rating: float | None = None
    reason: str = ""
    shown_sha256: Sequence[str] | None = None
    """Hashes of the texts from left to right; where they are given and others by now, nothing is decided."""


class Waiting(NamedTuple):
    """The disputed comparisons of a study, and what is decided in it."""

    disputes: list[Dispute]
    standing: dict[str, Adjudication]

    @property
    def undecided(self) -> list[Dispute]:
        """Those that wait for a decision, the most split first."""
        return [one for one in self.disputes if one.comparison_id not in self.standing]


def waiting(store: Store, study: str) -> Waiting:
    """The queue of a study; excluded votes and known answers split nothing. Raises NotFound."""
    chosen = get_study(store, study)
    return Waiting(_disputes(chosen, counting_votes(store, chosen.id)), stored.standing(store, chosen.id))


def queue(store: Store, study: str, viewer: str, limit: int = 50) -> dict[str, Any]:
    """The queue for the page: undecided comparisons, the most split first, then what is decided, newest first."""
    found = waiting(store, study)
    by_id = {one.comparison_id: one for one in found.disputes}
    chosen = get_study(store, study)

    def line(identity: str) -> dict[str, Any]:
        shown = show(chosen, get_comparison(store, identity), viewer)
        dispute, decision = by_id.get(identity), found.standing.get(identity)
        return {
            "comparison": identity,
            "prompt": opening(store, identity, _EXCERPT),
            "split": dispute.split if dispute else None,
            "people": dispute.people if dispute else None,
            "opinions": _opinions(dispute, shown) if dispute else [],
            "decided": _decided(decision, shown) if decision else None,
        }

    return {
        "study": chosen.name,
        "disputed": len(found.disputes),
        "undecided": len(found.undecided),
        "decided_count": len(found.standing),
        "waiting": [line(one.comparison_id) for one in found.undecided[:limit]],
        "decided": [line(identity) for identity in list(reversed(found.standing))[:limit]],
    }


def look(store: Store, study: str, comparison_id: str, viewer: str) -> dict[str, Any]:
    """One comparison with everything that was said about it, as this person sees it; raises NotFound, Conflict."""
    chosen = get_study(store, study)
    shown = _shown(store, study, comparison_id, viewer)
    found = waiting(store, study)
    dispute = next((one for one in found.disputes if one.comparison_id == comparison_id), None)
    decision = found.standing.get(comparison_id)
    others = [one.comparison_id for one in found.undecided if one.comparison_id != comparison_id]
    settings = settings_of(chosen)
    return {
        "comparison": comparison_id,
        "layout": shown.layout,
        "prompt": as_turns(shown.whole.comparison.prompt),
        "sides": shown.to_json()["sides"],
        "scale": settings.scale,
        "criteria": [{"key": one.key, "label": one.label} for one in settings.criteria],
        "votes": _all_said(store, chosen.id, shown),
        "split": dispute.split if dispute else None,
        "decided": _decided(decision, shown) if decision else None,
        "next": others[0] if others else None,
        "undecided": len(found.undecided),
    }


def decide(store: Store, study: str, actor: Actor, decision: Decision) -> Adjudication:
    """Let a decision stand in the place of one before it.

    Raises Forbidden without the role, BadInput for a decision that cannot be, Conflict where the texts that were shown
    are not the stored ones.
    """
    require(actor, Action.RUN_STUDIES)
    chosen = get_study(store, study)
    shown = _shown(store, study, decision.comparison_id, actor.name)
    if decision.shown_sha256 is not None and list(decision.shown_sha256) != [one.sha256 for one in shown.answers]:
        raise Conflict("The answers have changed since they were shown, so nothing was decided; look at them again.")
    if len(decision.reason) > _LONGEST_REASON:
        raise BadInput(f"A reason has at most {_LONGEST_REASON} characters, not {len(decision.reason)}.")
    meant = _meant(decision, shown, settings_of(chosen).scale)
    reason = decision.reason.strip() or None
    made = stored.decision(
        chosen.id, decision.comparison_id, meant.choice, actor.name, meant.ranking, meant.rating, reason
    )
    return stored.add(store, made)


def undo(store: Store, study: str, actor: Actor, comparison_id: str) -> Adjudication:
    """Take a decision back: votes speak for themselves again; raises Forbidden, NotFound where nothing is decided."""
    require(actor, Action.RUN_STUDIES)
    return stored.lift(store, get_study(store, study).id, comparison_id, actor.name)


def against_majority(found: Waiting) -> int:
    """How many decisions say something else than the commonest vote on their comparison."""
    number = 0
    for one in found.disputes:
        decision = found.standing.get(one.comparison_id)
        if decision is not None:
            most = max(one.opinions.values())
            commonest = [said for said, count in one.opinions.items() if count == most]
            number += not any(_same(decision, said) for said in commonest)
    return number


def of_counted(counted: Counted, standing: Mapping[str, Adjudication]) -> Waiting:
    """The queue of a study that has been counted already."""
    return Waiting(_disputes(counted.study, counted.votes), dict(standing))


def _disputes(study: Study, votes: Sequence[Said]) -> list[Dispute]:
    rated = [vote.rating for vote in votes if vote.rating is not None]
    return disputes(votes, span_of(rated, settings_of(study).scale))


def _same(decision: Adjudication, said: Opinion) -> bool:
    if decision.choice == RATED:
        return said.rating == decision.rating
    if decision.ranking is None:
        return said.choice == decision.choice
    places = ranks(decision.ranking)
    return all((places[b] > places[a]) - (places[b] < places[a]) == round(2 * value - 1) for a, b, value in said.values)


def _shown(store: Store, study: str, comparison_id: str, viewer: str) -> Shown:
    chosen = get_study(store, study)
    whole = get_comparison(store, comparison_id)
    if whole.comparison.study_id != chosen.id:
        raise Conflict("This comparison belongs to another study; reload the page.")
    return show(chosen, whole, viewer)


def _meant(decision: Decision, shown: Shown, scale: int) -> Judged:
    """The decision by position; raises BadInput where it cannot be."""
    answers = len(shown.order)
    allowed = {"rank": (RANKED,), "rate": (RATED,)}.get(shown.layout, DECIDED)
    if decision.choice not in allowed:
        words = ", ".join(allowed)
        raise BadInput(f'For {answers} answer{"s" * (answers > 1)} a decision is {words}, not "{decision.choice}".')
    if decision.choice == RATED and (decision.rating is None or not 1 <= decision.rating <= scale):
        raise BadInput(f"A rating lies between 1 and {scale}, not at {decision.rating}.")
    groups = None
    if decision.choice == RANKED:
        groups = [list(group) if isinstance(group, Sequence) else [group] for group in decision.ranking or ()]
        if not all(groups) or sorted(side for group in groups for side in group) != list(range(answers)):
            raise BadInput(f"A ranking names each of the {answers} answers once, best first.")
    rating = decision.rating if decision.choice == RATED else None
    ballot = Ballot("decision", decision.comparison_id, decision.choice, (), ranking=groups, rating=rating)
    return positioned(ballot, shown.order)


def _opinions(dispute: Dispute, shown: Shown) -> list[dict[str, Any]]:
    """What was said and by how many, most first, in the words of who looks."""
    said = sorted(dispute.opinions.items(), key=lambda one: -one[1])
    return [{"said": _words(opinion, shown), "people": number} for opinion, number in said]


def _words(said: Opinion, shown: Shown) -> str:
    if said.rating is not None:
        return f"{said.rating:g}"
    if said.choice in ("a", "b"):
        return _letter(shown, LETTERS.index(said.choice))
    if said.choice != RANKED:
        return said.choice.replace("_", " ")
    return _ranked({position: place for place, group in enumerate(said.places) for position in group}, shown)


def _ranked(places: Mapping[int, int], shown: Shown) -> str:
    groups: dict[int, list[str]] = {}
    for position, place in sorted(places.items(), key=lambda one: one[1]):
        groups.setdefault(place, []).append(_letter(shown, position))
    return " > ".join(" = ".join(sorted(group)) for group in groups.values())


def _letter(shown: Shown, position: int) -> str:
    return LETTERS[shown.order.index(position)].upper()


def _decided(decision: Adjudication, shown: Shown) -> dict[str, Any]:
    return {
        "said": _said_of(decision.choice, decision.ranking, decision.rating, shown),
        "reason": decision.reason,
        "author": decision.author,
        "created_at": decision.created_at,
    }


def _said_of(choice: str, ranking: list[Any] | None, rating: float | None, shown: Shown) -> str:
    if choice == RATED and rating is not None:
        return f"{rating:g}"
    if choice == RANKED and ranking is not None:
        return _ranked(ranks(ranking), shown)
    return _letter(shown, LETTERS.index(choice)) if choice in ("a", "b") else choice.replace("_", " ")


def _all_said(store: Store, study_id: str, shown: Shown) -> list[dict[str, Any]]:
    """Who said what; excluded votes are there and marked."""
    found = votes_on(store, shown.whole.comparison.id)
    counting = {vote.id for vote in kept(store, study_id, found).votes}
    return [{**_said(vote, shown), "excluded": vote.id not in counting} for vote in found]


def _said(vote: Vote, shown: Shown) -> dict[str, Any]:
    """A vote in the words of who looks, with what was said beside."""
    edited = vote.edited_position
    return {
        "annotator": vote.annotator,
        "said": _said_of(vote.choice, vote.ranking, vote.rating, shown),
        "strength": vote.strength,
        "criteria": _turned(vote.criteria, shown),
        "chips": vote.chips or [],
        "rationale": vote.rationale,
        "edited": None if vote.edited is None else vote.edited,
        "edited_side": _letter(shown, edited) if edited is not None and edited < len(shown.order) else None,
        "seconds": vote.seconds,
        "created_at": vote.created_at,
    }


def _turned(criteria: Mapping[str, Any] | None, shown: Shown) -> dict[str, Any]:
    """Values by position as values by side; what is no list (votes from elsewhere) stays as it is."""
    turned = {}
    for key, values in (criteria or {}).items():
        whole = isinstance(values, list) and len(values) == len(shown.order)
        turned[key] = [values[position] for position in shown.order] if whole else values
    return turned
