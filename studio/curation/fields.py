"""Fields of a flat record: texts under one of several names, tags, and the rest, which becomes metadata."""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.curation.examples import Made
from studio.curation.messages import tools_of
from studio.curation.records import RowError, quoted
from studio.curation.table_rows import structured

Row = Mapping[str, Any]
# What a row may call its tools: OpenAI's word, its old one, Bedrock's.
_TOOLS = ("tools", "functions", "toolConfig")


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


def number_of(value: Any) -> float | None:
    """A number, or the text of one, as it stands in a table; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if "." in value or "e" in value.lower() else int(value)
        except ValueError:
            return None
    return whole(value) if isinstance(value, int | float) and value == value and abs(value) != float("inf") else None


def whole(number: float) -> float:
    """A number in the one way in which content holds it: 1 and not 1.0, so that both have one hash."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def truth_of(value: Any) -> bool | None:
    """True or false, or the words and numbers that tables write for them; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
            value.strip().lower()
        )
    return bool(value) if value in (0, 1) and isinstance(value, bool | int | float) else None


def made(kind: str, content: dict[str, Any], row: Row, used: Sequence[str], extras: Any = None) -> Made:
    """An example with the tools, tags and metadata of its record; `used`: the fields that became content."""
    if not extras and all(key in used for key in row):
        return Made(kind, content)
    for name in _TOOLS:
        if name in row and name not in used and (tools := tools_of(row[name])):
            content["tools"] = tools
            used = [*used, name]
            break
    taken = {*used, "tools", "tags", "metadata"}
    rest = {key: value for key, value in row.items() if key not in taken and value is not None and value != ""}
    own = (
        structured(row["metadata"]) or row["metadata"] if isinstance(row.get("metadata"), str) else row.get("metadata")
    )
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
        value = structured(value) or value.split(",")
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(tag for item in value if (tag := str(item).strip())))
