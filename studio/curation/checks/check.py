"""What a check is: a name, how bad its findings are, what they mean, and how to mend them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from studio.curation.checks.passages import Content

Severity = Literal["error", "warning", "info"]
Detail = dict[str, Any]
"""`sentence`: what is wrong with this row. `places`: where, as `{path, start?, end?, what?}`."""

TRASH: Literal["trash"] = "trash"
Mended = dict[str, Any] | Literal["trash"] | None
"""The content as it should be, `TRASH` for a row to be put into the trash, or None where there is nothing to do."""


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong.

    `find` looks at one example; a check without it needs the whole dataset (`studio/curation/checks/whole.py`).
    `mend` is given the content and the detail of its finding; checks without one must be mended by a person.
    `version` changes when `find` does: rows that an older version saw are looked at again.
    """

    name: str
    severity: Severity
    title: str
    meaning: str
    advice: str
    find: Callable[[Content], Detail | None] | None = None
    mend: Callable[[Content, Detail], Mended] | None = None
    mend_label: str = ""
    version: str = "1"


def at(sentence: str, *paths: str, **more: Any) -> Detail:
    """A detail with the places that are meant."""
    return {"sentence": sentence, "places": [{"path": path} for path in paths], **more}


def throw_away(_: Content, __: Detail) -> Mended:
    """The mend of rows that should not be there: into the trash, from where they can be restored."""
    return TRASH
