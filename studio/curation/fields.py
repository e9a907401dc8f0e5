"""Fields of a flat record: texts under one of several names, tags, and the rest, which becomes metadata."""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.curation.examples import Made
from studio.curation.messages import tools_of
from studio.curation.records import RowError, quoted

Row = Mapping[str, Any]


def text_field(row: Row, name: str, may_be_empty: bool = False) -> str:
    """The text of a field; raises RowError where it is absent, no text, or blank."""
    value = row.get(name)
    if value is None and not may_be_empty:
        raise RowError(name, "The field is missing.")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str | None):
        raise RowError(name, f"A text is needed here, not {quoted(value)}.")
    if not (value or "").strip() and not may_be_empty:
        raise RowError(name, "The field is empty.")
    return value or ""


def filled(row: Row, name: str) -> bool:
    """Whether a field holds anything."""
    return row.get(name) not in (None, "", [], {})


def made(kind: str, content: dict[str, Any], row: Row, used: Sequence[str], extras: Any = None) -> Made:
    """An example with the tools, tags and metadata of its record; `used`: the fields that became content."""
    if tools := tools_of(row.get("tools")):
        content["tools"] = tools
    rest = {key: value for key, value in row.items() if key not in {*used, "tools", "tags", "metadata"}}
    rest = {key: value for key, value in rest.items() if value not in (None, "")}
    own = row.get("metadata")
    if isinstance(own, Mapping):
        rest |= own
    elif own not in (None, ""):
        rest["metadata"] = own
    if extras:
        rest["message_fields"] = extras
    if rest:
        content["metadata"] = rest
    return Made(kind, content, tags_of(row.get("tags")))


def tags_of(value: Any) -> tuple[str, ...]:
    """Tags from a list or from words with commas between; each once, without blanks around it."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(tag for item in value if (tag := str(item).strip())))
