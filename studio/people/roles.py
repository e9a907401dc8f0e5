"""Roles and what each may do; asked in the domain for every action, whatever a page shows or hides."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from storage.errors import Forbidden


class Action(StrEnum):
    """What a person may want to do."""

    JUDGE = "judge"
    """Look at comparisons of an open study, vote, change one's own votes."""
    SEE_RESULTS = "see results"
    """Read standings, names of models, agreement, others' votes."""
    READ_DATA = "read data"
    EDIT_DATA = "edit data"
    """Import, edit, freeze, check, erase."""
    EXPORT_DATA = "export data"
    RUN_STUDIES = "run studies"
    """Make studies, invite annotators to them, exclude votes."""
    TRAIN = "train"
    MANAGE_MODELS = "manage models"
    ADMINISTER = "administer"
    """Accounts, keys, backups."""


_EVERYBODY = frozenset({Action.JUDGE})
_INSIDE = _EVERYBODY | {Action.SEE_RESULTS, Action.READ_DATA, Action.EXPORT_DATA}
ROLES: Mapping[str, frozenset[Action]] = {
    "annotator": _EVERYBODY,
    "curator": _INSIDE | {Action.EDIT_DATA, Action.RUN_STUDIES},
    "trainer": _INSIDE | {Action.TRAIN, Action.MANAGE_MODELS},
    "admin": frozenset(Action),
}


@dataclass(frozen=True)
class Actor:
    """Who is asking. `name` is what votes and edits are kept under."""

    name: str
    role: str

    def may(self, action: Action) -> bool:
        """Whether this person's role holds that action."""
        return action in ROLES[self.role]


def require(actor: Actor, action: Action) -> None:
    """Raise Forbidden where a person's role does not hold an action."""
    if not actor.may(action):
        holders = " or ".join(role for role, actions in ROLES.items() if action in actions)
        raise Forbidden(
            f"{actor.name} is here as {actor.role} and may not {action.value}; that needs the role {holders}."
        )
