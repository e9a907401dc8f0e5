"""The formats of an export: what each is called, which kinds it holds, how a record is made, which files it fits.

A format says what a record looks like, a container how records stand in a file. Most go into JSON lines, a JSON
list or Parquet; a table (CSV) holds what can be said in single texts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import BadInput
from studio.curation import export_chats as chats
from studio.curation import export_preferences as preferences
from studio.curation.export_preferences import Stored

Maker = Callable[[Mapping[str, Any]], list[dict[str, Any]]]

# Types of columns: what Parquet needs to know before the first row. `json` is anything, as JSON text.
Columns = Mapping[str, str]

_BESIDE: Columns = {"tools": "json", "metadata": "json", "tags": "tags"}
_PAIR: Columns = {"prompt": "messages", "chosen": "messages", "rejected": "messages", "margin": "number", **_BESIDE}


@dataclass(frozen=True)
class Format:
    """One format. `flat`: records of single texts for a table, with `flat_columns`; None where a table cannot hold it.

    `uniform`: whether all records have the same fields, as Parquet needs. `gather`: what puts rows together before
    they are written.
    """

    name: str
    help: str
    kinds: tuple[str, ...]
    make: Maker
    columns: Columns
    flat: Maker | None = None
    flat_columns: tuple[str, ...] = ()
    gather: Callable[[Iterable[Stored]], Iterator[Stored]] | None = None
    uniform: bool = True

    @property
    def containers(self) -> tuple[str, ...]:
        """The files that it fits."""
        return ("jsonl", "json", *(("parquet",) * self.uniform), *(("csv",) * (self.flat is not None)))


_MESSAGES = Format(
    "messages", "conversations as OpenAI and TRL read them", ("sft", "prompts"), chats.as_messages,
    {"messages": "messages", **_BESIDE},
)  # fmt: skip
_SHAREGPT = Format(
    "sharegpt", "conversations with from and value", ("sft",), chats.as_sharegpt,
    {"conversations": "turns", "system": "text", "tools": "text", "tags": "tags"},
)  # fmt: skip
_ALPACA = Format(
    "alpaca", "instruction, input, output, earlier turns as history", ("sft",), chats.as_alpaca,
    {"instruction": "text", "input": "text", "output": "text", "system": "text", "history": "pairs", "tags": "tags"},
    chats.as_flat_alpaca, ("system", "instruction", "input", "output", "tags"),
)  # fmt: skip
_COMPLETION = Format(
    "prompt-completion", "one question and one answer each, as texts", ("sft",), chats.as_pair,
    {"system": "text", "prompt": "text", "completion": "text", "tags": "tags"},
    chats.as_pair, ("system", "prompt", "completion", "tags"),
)  # fmt: skip
_PREFERENCE = Format(
    "preference", "prompt with chosen and rejected, or with one answer and its label or score", ("preference",),
    preferences.as_preference, {**_PAIR, "completion": "messages", "label": "bool", "score": "number"},
    uniform=False,
)  # fmt: skip
_DPO = Format(
    "dpo", "prompt, chosen and rejected, as TRL's DPO reads them", ("preference",), preferences.as_dpo, _PAIR,
    preferences.as_flat_dpo, ("system", "prompt", "chosen", "rejected", "margin", "tags"),
)  # fmt: skip
_KTO = Format(
    "kto", "one answer a row, good or bad, as TRL's KTO reads them; a pair becomes two rows", ("preference",),
    preferences.as_kto, {"prompt": "messages", "completion": "messages", "label": "bool", **_BESIDE},
    preferences.as_flat_kto, ("system", "prompt", "completion", "label", "tags"),
)  # fmt: skip
_REWARD = Format(
    "reward", "pairs with the margin between them, as TRL's reward trainer reads them", ("preference",),
    preferences.as_dpo, _PAIR,
    preferences.as_flat_dpo, ("system", "prompt", "chosen", "rejected", "margin", "tags"),
)  # fmt: skip
_SCORED = Format(
    "scored", "one answer a row with its score", ("preference",), preferences.as_scored,
    {"prompt": "messages", "completion": "messages", "score": "number", **_BESIDE},
    preferences.as_flat_scored, ("system", "prompt", "completion", "score", "tags"),
)  # fmt: skip
_RANKING = Format(
    "ranking", "a prompt with its answers, best first", ("preference", "prompts"), preferences.as_ranking,
    {"prompt": "messages", "answers": "answers", **_BESIDE}, gather=preferences.whole_rankings,
)  # fmt: skip
_PROMPTS = Format(
    "prompts", "prompts alone", ("prompts", "preference"), chats.as_prompts, {"prompt": "messages", **_BESIDE},
    chats.as_flat_prompt, ("system", "prompt", "tags"),
)  # fmt: skip
_TEXT = Format(
    "text", "one text each, for continued pretraining", ("text",), chats.as_text,
    {"text": "text", "metadata": "json", "tags": "tags"}, chats.as_text, ("text", "tags"),
)  # fmt: skip

FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        _MESSAGES, _SHAREGPT, _ALPACA, _COMPLETION, _PREFERENCE, _DPO, _KTO, _REWARD, _SCORED, _RANKING, _PROMPTS, _TEXT
    )
}  # fmt: skip

# A container named as a format writes what the kind is at home in.
_AT_HOME: Mapping[str, Mapping[str, str]] = {
    "csv": {"sft": "prompt-completion", "preference": "dpo", "prompts": "prompts", "text": "text"},
    "parquet": {"sft": "messages", "preference": "dpo", "prompts": "prompts", "text": "text"},
    "json": {"sft": "messages", "preference": "preference", "prompts": "prompts", "text": "text"},
    "jsonl": {"sft": "messages", "preference": "preference", "prompts": "prompts", "text": "text"},
}
NAMES = (*FORMATS, "csv", "parquet", "json", "jsonl")
CONTAINERS = ("jsonl", "json", "parquet", "csv")


@dataclass(frozen=True)
class Target:
    """A format in a container, perhaps compressed."""

    format: Format
    container: str
    packed: bool = False

    @property
    def ending(self) -> str:
        """What the file's name ends with."""
        return self.container + (".gz" if self.packed else "")

    @property
    def make(self) -> Maker:
        """What makes the records."""
        return (self.format.flat or self.format.make) if self.container == "csv" else self.format.make


def target_of(name: str, kind: str, out: Path | str = "") -> Target:
    """What a format's name means for rows of a kind and a file of this name; raises BadInput where they do not fit."""
    if name not in NAMES:
        raise BadInput(f'"{name}" is no export format; the formats are {", ".join(NAMES)}.')
    suffixes = [suffix.lower().removeprefix(".") for suffix in Path(out).suffixes]
    packed = bool(suffixes) and suffixes[-1] == "gz"
    said = next((suffix for suffix in reversed(suffixes) if suffix in CONTAINERS), None)
    if name in _AT_HOME:
        found = Target(FORMATS[_AT_HOME[name][kind]], name, packed)
    else:
        found = Target(FORMATS[name], said or "jsonl", packed)
    if found.container not in found.format.containers:
        *others, last = found.format.containers
        raise BadInput(
            f'The format "{name}" does not fit into a {found.container} file; '
            f"write it as {', '.join(others)} or {last}."
        )
    if found.packed and found.container == "parquet":
        raise BadInput("A Parquet file is compressed inside; leave the .gz out of its name.")
    return found


# What a page offers first.
FITTING: Mapping[str, tuple[str, ...]] = {
    kind: (*(name for name, one in FORMATS.items() if kind in one.kinds), "csv", "parquet")
    for kind in ("sft", "preference", "prompts", "text")
}
