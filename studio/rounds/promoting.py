"""Promotion and rolling back: one row each, so that whoever asks for the champion gets the old one or the new one.

Answers that are being written end on the weights that they began with; what is asked afterwards goes to the new one.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import promotions, rounds
from storage.errors import BadInput, Conflict, Refused
from storage.models import get_model
from storage.promotions import GATE, OVERRULED, ROLLED_BACK, NewPromotion, Promotion
from storage.rows_training import ANSWERING, Model, Round
from storage.store import Store
from studio.people.roles import Action, Actor, require
from studio.rounds import gate
from studio.rounds.champion import champion
from studio.rounds.ledger import catch_up, close, current

_LONGEST_REASON = 500


class Decision(NamedTuple):
    """How a model became champion: `kind` as in `storage.promotions`, why, and what the gate said."""

    kind: str
    reason: str
    report: gate.Report | None


@dataclass(frozen=True)
class Promoted:
    """The champion after a change, and the change."""

    champion: str
    before: str | None
    change: Promotion

    def to_json(self) -> dict[str, Any]:
        """For the command line and the page."""
        return {
            "champion": self.champion,
            "before": self.before,
            "kind": self.change.kind,
            "reason": self.change.reason,
            "author": self.change.author,
            "at": self.change.created_at,
        }


def promote(store: Store, actor: Actor, model: str | None = None, reason: str = "", overrule: bool = False) -> Promoted:
    """Make a model champion: the open round's candidate where the gate lets it pass, or any by overruling.

    Raises Forbidden, NotFound, Refused with what stands in the way and what would settle it, BadInput for overruling
    without a reason, Conflict where it is champion already.
    """
    require(actor, Action.MANAGE_MODELS)
    catch_up(store)
    with store.write():  # what is decided here is decided on the votes and the champion of this moment
        turn = _turn_of(store, model)
        chosen = get_model(store, model or (turn.model_id if turn and turn.model_id else ""))
        before = champion(store)
        _check(chosen, before)
        found = gate.report(store, turn) if turn else None
        if found and found.passes:
            return _change(store, turn, chosen, Decision(GATE, found.reason, found), actor)
        if not overrule:
            raise Refused(_refusal(chosen, found))
        return _change(store, turn, chosen, Decision(OVERRULED, _reason(reason), found), actor)


def rollback(store: Store, actor: Actor, reason: str = "", expected: str | None = None) -> Promoted:
    """Make the champion before this one champion again.

    `expected`: the champion that is to go, for who saw it a while ago. Raises Forbidden, Conflict where another one is
    champion by now or there was none before, Refused where the one before was put away.
    """
    require(actor, Action.MANAGE_MODELS)
    with store.write():
        stack = promotions.standing(store)
        before = champion(store)
        if not stack or before is None or stack[-1].before_id is None:
            raise Conflict("No model was promoted yet, so there is nothing to roll back.")
        if expected is not None and get_model(store, expected).id != before.id:
            raise Conflict(f'"{expected}" is not the champion any more, "{before.name}" is; nothing was rolled back.')
        chosen = get_model(store, stack[-1].before_id)
        if chosen.retired_at is not None:
            raise Refused(f'"{chosen.name}", the champion before, was put away; take it back first.')
        said = _short(reason) or f'"{before.name}" was rolled back.'
        change = promotions.add(store, NewPromotion(ROLLED_BACK, chosen.id, before.id, said, actor.name))
    return Promoted(chosen.name, before.name, change)


def _turn_of(store: Store, model: str | None) -> Round | None:
    """The round whose candidate is meant: the open one, or the newest that made that model."""
    if model is None:
        turn = current(store)
        if turn is None or turn.model_id is None:
            raise Conflict("The open round has no candidate yet; name a model, or train one.")
        return turn
    chosen = get_model(store, model)
    return next((turn for turn in reversed(rounds.list_rounds(store)) if turn.model_id == chosen.id), None)


def _check(chosen: Model, before: Model | None) -> None:
    if chosen.kind not in ANSWERING:
        raise Refused(f'"{chosen.name}" judges answers and gives none, so it cannot be champion.')
    if chosen.retired_at is not None:
        raise Refused(f'"{chosen.name}" was put away; take it back first.')
    if before is not None and before.id == chosen.id:
        raise Conflict(f'"{chosen.name}" is the champion already.')


def _refusal(chosen: Model, found: gate.Report | None) -> str:
    if found is None:
        return (
            f'"{chosen.name}" is the candidate of no round, so no votes speak for it. To promote it all the same, say '
            f'why: ratchet promote {chosen.name} --overrule --reason "…"'
        )
    settles = f" {found.settles}" if found.settles else ""
    return f'"{chosen.name}" stays a candidate. {found.reason}{settles}'


def _reason(reason: str) -> str:
    if not (said := _short(reason)):
        raise BadInput("Say why the gate is overruled (--reason): it stands beside the promotion for good.")
    return said


def _short(reason: str) -> str:
    said = reason.strip()
    if len(said) > _LONGEST_REASON:
        raise BadInput(f"A reason has at most {_LONGEST_REASON} characters, not {len(said)}.")
    return said


def _change(store: Store, turn: Round | None, chosen: Model, decision: Decision, actor: Actor) -> Promoted:
    """The promotion and the end of its round, together."""
    before = champion(store)
    new = NewPromotion(
        decision.kind,
        chosen.id,
        before.id if before else None,
        decision.reason,
        actor.name,
        turn.id if turn else None,
        decision.report.to_json() if decision.report else None,
    )
    change = promotions.add(store, new)
    if turn is not None and turn.state == "open":
        close(store, turn, decision.reason, decision.report)
    return Promoted(chosen.name, before.name if before else None, change)
