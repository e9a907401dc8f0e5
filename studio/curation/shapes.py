"""Recognises the shape of records by what they hold, never by the file's name.

A shape says which records it fits and how such a record becomes an example. The shape that fits most of a file's
first records is the file's; a record that fits another shape of the same kind is read by that one, and a record
that fits none is rejected with the sentence of the file's shape.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from studio.curation.examples import NAMES, Made, as_kind
from studio.curation.records import RowError, kind_of

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """One way in which files write examples.

    `fits`: whether a record has the fields of this shape. `make`: what a record becomes, one example or several
    (never none); raises RowError. `by_kind`: other makers, for when rows of that kind are wanted: a tree of ranked
    replies makes preferences by itself, and conversations when asked for `sft`.
    """

    name: str
    fits: Callable[[Row], bool]
    make: Callable[[Row], Made | list[Made]]
    by_kind: Mapping[str, Callable[[Row], Made | list[Made]]] = field(default_factory=dict)
    # Whether its fields were named by a person, so that they are taken as they are written.
    as_written: bool = False


# Fields that shapes look for; tables write them with capitals and spaces ("Question", "System Prompt").
_WORDS = (
    "prompt", "instruction", "question", "query", "input", "problem", "context", "completion", "response", "answer",
    "answers", "output", "target", "text", "messages", "conversations", "conversation", "chosen", "rejected", "label",
    "score", "system", "system_prompt", "history", "choices", "options", "tools", "tags", "metadata", "user",
    "assistant", "human", "completions", "responses", "candidates", "best_answer", "solution", "kto_tag", "input_text",
    "output_text", "inputs", "targets", "reward", "margin",
)  # fmt: skip


@lru_cache(maxsize=256)
def _renames(names: tuple[Any, ...]) -> Mapping[str, str]:
    """The fields that only differ from a known one by capitals and spaces, and the known one."""
    alike = {name: "_".join(name.lower().split()) for name in names if isinstance(name, str)}
    return {name: word for name, word in alike.items() if word in _WORDS and word not in names}


def canonical(row: Row) -> Row:
    """A record whose known fields have the names that shapes know them by."""
    renames = _renames(tuple(row))
    return {renames.get(name, name): value for name, value in row.items()} if renames else row


@dataclass(frozen=True)
class Recognised:
    """The shape of a file and the kind of its rows."""

    shape: Shape
    kind: str
    others: Sequence[Shape]
    forced: bool = False

    def make(self, row: Any) -> list[Made]:
        """The examples of one record, at least one; raises RowError."""
        if not isinstance(row, Mapping):
            raise RowError("", f"A row is an object with named fields, and this is {kind_of(row)}.")
        if not self.shape.as_written:
            row = canonical(row)
        shape = self._shape_of(row)
        found = shape.by_kind.get(self.kind, shape.make)(row)
        return [self._wanted(made) for made in (found if isinstance(found, list) else [found])]

    def _wanted(self, made: Made) -> Made:
        """The example as one of the file's kind; raises RowError where it is another."""
        if made.kind == self.kind:
            return made
        if not self.forced:
            raise RowError("", f"This row is {NAMES[made.kind]}; the others are {NAMES[self.kind]} each.")
        return as_kind(made, self.kind)

    def _shape_of(self, row: Row) -> Shape:
        """The file's shape, or another one that fits where the file's does not."""
        if self.shape.fits(row):
            return self.shape
        return first_fit(row, [shape for shape in self.others if shape.name != "prompts"]) or self.shape


def recognise(rows: Sequence[Any], shapes: Sequence[Shape], kind: str | None = None) -> Recognised | None:
    """The shape of a file from its first rows, or None where none fits. `kind`: what the person says it is."""
    if not shapes[0].as_written:
        rows = [canonical(row) for row in rows if isinstance(row, Mapping)]
    fitting = [shape for row in rows if isinstance(row, Mapping) and (shape := first_fit(row, shapes))]
    if not fitting:
        return None
    counted = Counter(shape.name for shape in fitting)
    name = counted.most_common(1)[0][0]
    shape = next(shape for shape in fitting if shape.name == name)
    found = _kind_of(shape, rows)
    return Recognised(shape, kind or found, shapes, forced=kind is not None)


def first_fit(row: Row, shapes: Sequence[Shape]) -> Shape | None:
    """The first shape that fits a record."""
    return next((shape for shape in shapes if shape.fits(row)), None)


def _kind_of(shape: Shape, rows: Sequence[Any]) -> str:
    """The kind that most of the rows become."""
    kinds: Counter[str] = Counter()
    for row in rows:
        try:
            if isinstance(row, Mapping) and shape.fits(row):
                made = shape.make(row)
                kinds[(made[0] if isinstance(made, list) else made).kind] += 1
        except RowError:
            continue
    return kinds.most_common(1)[0][0] if kinds else "preference" if "preference" in shape.by_kind else "sft"


def columns_of(rows: Sequence[Any]) -> list[str]:
    """The columns of the first rows, in order of appearance."""
    return list(dict.fromkeys(key for row in rows if isinstance(row, Mapping) for key in row))
