"""A look at a file before it is imported: what it is, how it is understood, and its first rows before and after.

The same readers, shapes and checks as the import's, on the file's beginning alone: what is shown here is what will be
stored. Nothing is written.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from storage.errors import BadInput
from studio.curation.archives import is_several, members
from studio.curation.examples import Made
from studio.curation.guessing import guess
from studio.curation.import_rows import bare
from studio.curation.mapping import ROLES, SHAPES, check_columns, mapped_shape
from studio.curation.reading import open_source
from studio.curation.records import Fault, Item, Record, RowError, Source, Unreadable
from studio.curation.shapes import Recognised, columns_of, recognise

SHOWN = 5
# So many rows are tried; the import decides by as many.
_TRIED = 100
_CELL = 400
_MOST_COLUMNS = 60
_COUNT_SECONDS = 0.3
# Where fewer of the first rows are good, the guess is called unsure, and the person is asked.
_SURE = 0.5

# Encodings to choose from where the detection is wrong, the likeliest first; each for the languages it is for.
ENCODINGS: Mapping[str, str] = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "cp1252": "Western European (Windows)",
    "latin-1": "Western European (ISO)",
    "cp1250": "Central European (Windows)",
    "iso8859-2": "Central European (ISO)",
    "cp1251": "Cyrillic (Windows)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "cp866": "Cyrillic (DOS)",
    "gb18030": "Chinese, simplified (GB18030)",
    "big5": "Chinese, traditional (Big5)",
    "shift_jis": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)",
    "euc_kr": "Korean (EUC)",
    "cp1253": "Greek (Windows)",
    "cp1254": "Turkish (Windows)",
    "cp1255": "Hebrew (Windows)",
    "cp1256": "Arabic (Windows)",
    "cp874": "Thai (Windows)",
    "cp1258": "Vietnamese (Windows)",
    "mac-roman": "Western European (Mac)",
    "cp437": "Western European (DOS)",
}
_SHAPES: Mapping[str, str] = {
    "messages": "conversations as lists of messages",
    "sharegpt": "conversations as ShareGPT writes them (from, value)",
    "alpaca": "instructions as Alpaca writes them (instruction, input, output)",
    "instruction-response": "an instruction and a response in each row",
    "prompt-completion": "a prompt and a completion in each row",
    "question-answer": "a question and an answer in each row",
    "input-output": "an input and an output in each row",
    "prompts": "prompts without answers",
    "text": "plain text",
    "preference": "a prompt with a chosen and a rejected answer in each row",
    "hh-transcripts": "chosen and rejected transcripts (Human:, Assistant:)",
    "argilla": "records of Argilla",
    "label-studio": "annotations of Label Studio",
    "prodigy": "annotations of Prodigy",
    "kto": "answers, each marked good or bad",
    "scored": "answers with a score each",
    "many-answers": "several answers to a prompt, with ranks or scores",
    "two-answers": "two answers to a prompt, and which one is better",
    "message-tree": "trees of messages and replies (OASST)",
    "multiple-choice": "questions with choices",
    "reference-answers": "answers whose questions stand in another file",
    "better-first": "an instruction and two outputs, the better one first",
    "self-instruct": "instructions with instances (self-instruct)",
    "squad": "questions about a text (SQuAD)",
    "mapped": "columns as you said",
}


class Piece(NamedTuple):
    """A named piece of a row: a column of the file, or a turn of an example."""

    name: str
    text: str


@dataclass(frozen=True)
class Row:
    """One row of the file: what stands there, what it becomes, or why it cannot be imported."""

    line: int
    before: list[Piece]
    after: list[list[Piece]] = field(default_factory=list)
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class Look:
    """What a file is and how it is understood.

    `rows`: how many it has, exactly or about. `tried` of them were read, `bad` could not be imported. `sure`: whether
    nothing has to be asked. `problem`: one sentence, where the file or the mapping cannot be used as it stands.
    `proposed`: what the columns may hold where no shape fits, and how sure that is (`confidence`, 0 to 1).
    `files`: what an archive holds; the rest tells of the first of them.
    """

    name: str
    size: int
    format: str | None = None
    encoding: str | None = None
    shape: str | None = None
    says: str | None = None
    kind: str | None = None
    sure: bool = False
    rows: int | None = None
    exact: bool = False
    tried: int = 0
    bad: int = 0
    columns: list[str] = field(default_factory=list)
    samples: list[Row] = field(default_factory=list)
    problem: str | None = None
    proposed: Mapping[str, str] = field(default_factory=dict)
    confidence: float = 1.0
    files: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For the form of an import."""
        rows = [asdict(row) | {"before": _json(row.before), "after": [_json(one) for one in row.after]}
                for row in self.samples]  # fmt: skip
        return {**asdict(self), "samples": rows, "roles": ROLES, "encodings": ENCODINGS}


def _json(pieces: Sequence[Piece]) -> list[dict[str, str]]:
    return [piece._asdict() for piece in pieces]


def look(
    path: Path,
    name: str,
    *,
    encoding: str | None = None,
    kind: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Look:
    """Look at a file as the import would with these settings; what is wrong with the file is in the answer."""
    size = path.stat().st_size
    try:
        if not is_several(path):
            return _opened(path, Look(name, size), encoding, kind, mapping)
        with members(path, name) as files:
            seen = Look(name, size, files=[file.name for file in files])
            return _opened(files[0].path, seen, encoding, kind, mapping, files[0].name)
    except Unreadable as error:
        return Look(name, size, problem=str(error))


def columns_in(path: Path, name: str, encoding: str | None = None) -> list[str]:
    """The columns of a file, by which a mapping is remembered."""
    return look(path, name, encoding=encoding).columns


def says(shape: str | None) -> str | None:
    """A shape in words."""
    return _SHAPES.get(shape, shape) if shape else None


def _opened(
    path: Path, seen: Look, encoding: str | None, kind: str | None, mapping: Mapping[str, str] | None, name: str = ""
) -> Look:
    """A look into one file; `name`: what it is called inside an archive."""
    with open_source(path, name or seen.name, encoding=encoding) as source:
        told = replace(seen, format=source.format, encoding=source.encoding)
        return _looked(told, source, kind, mapping)


def _looked(seen: Look, source: Source, kind: str | None, mapping: Mapping[str, str] | None) -> Look:
    """The rows of an opened file by a shape that is known, or was said."""
    head = list(islice(source.items, _TRIED))
    count, exact = _counted(head, source)
    rows = [bare(item.value) for item in head if isinstance(item, Record)]
    columns = columns_of(rows)[:_MOST_COLUMNS]
    found, problem = _understood(rows, columns, kind, mapping)
    tried = [_row(item, found) for item in head]
    bad = sum(1 for row in tried if row.error)
    told: dict[str, Any] = {"rows": count, "exact": exact, "tried": len(tried), "bad": bad, "columns": columns}
    if found is None:
        told |= guess(columns, rows).told()
    else:
        shape = found.shape.name
        told |= {"shape": shape, "says": says(shape), "kind": found.kind}
    sure = found is not None and bad <= (1 - _SURE) * len(tried)
    return replace(seen, **told, sure=sure, samples=tried[:SHOWN], problem=problem)


def _understood(
    rows: Sequence[Any], columns: Sequence[str], kind: str | None, mapping: Mapping[str, str] | None
) -> tuple[Recognised | None, str | None]:
    """The shape of the rows, or the sentence why there is none."""
    try:
        if mapping:
            check_columns(mapping, columns)
            found = recognise(rows, [mapped_shape(mapping)], kind)
        else:
            found = recognise(rows, SHAPES, kind)
    except BadInput as error:
        return None, str(error)
    if found or not rows:
        return found, None if found else "Not one of the first rows can be read."
    if not columns:
        return None, "Its rows have no named fields, so nothing says what is prompt and what is answer."
    return None, "Nobody knows these columns yet: say which of them holds the prompt, the answer and so on."


def _counted(head: Sequence[Item], source: Source) -> tuple[int | None, bool]:
    """How many rows the file has: counted where that is quick, else from how far the counted ones reach."""
    if len(head) < _TRIED:
        return len(head), True
    until = monotonic() + _COUNT_SECONDS
    count = len(head)
    for count, _ in enumerate(source.items, len(head) + 1):
        if count % 100 == 0 and monotonic() > until:
            done = source.position.fraction
            return (round(count / done) if done else None), False
    return count, True


def _row(item: Item, found: Recognised | None) -> Row:
    """A row before and after."""
    if isinstance(item, Fault):
        return Row(item.line, [Piece("", _short(item.raw))], error={"column": item.column, "message": item.message})
    value = bare(item.value)
    before = list(_pieces(value))
    if found is None:
        return Row(item.line, before)
    try:
        return Row(item.line, before, [list(_made(made)) for made in found.make(value)[:3]])
    except RowError as error:
        return Row(item.line, before, error={"column": error.column or None, "message": error.message})
    except RecursionError:
        return Row(item.line, before, error={"column": None, "message": "The row is nested too deeply."})


def _pieces(value: Any) -> Iterator[Piece]:
    """The columns of a record."""
    if not isinstance(value, Mapping):
        yield Piece("", _short(value))
        return
    for key, item in islice(value.items(), _MOST_COLUMNS):
        yield Piece(str(key)[:80], _short(item))


def _made(made: Made) -> Iterator[Piece]:
    """The turns of an example, and what else it holds."""
    for part, value in made.content.items():
        if part == "metadata":
            continue
        if isinstance(value, list) and value and isinstance(value[0], Mapping) and "role" in value[0]:
            for turn in value:
                who = str(turn["role"]) if part in ("messages", "prompt") else part
                calls = ", ".join(f"{call['function']['name']}(…)" for call in turn.get("tool_calls", ()))
                yield Piece(who, _short(turn["content"] or calls))
        else:
            yield Piece(part, _short(value))
    if made.tags:
        yield Piece("tags", ", ".join(made.tags))


def _short(value: Any) -> str:
    """A cell cut short."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:_CELL] + "…" if len(text) > _CELL else text
