"""Canary prompts: the same few questions before and after a run, so that people see what else has changed.

A dataset named `canaries` (kind prompts) takes the place of the starter set (`storage.specs.canaries`).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.specs.canaries import STARTER
from trainers.asking import Messages, ask
from trainers.sides import Sides

BUILT_IN = tuple(one.prompt for one in STARTER)
MOST = 16
_TOKENS = 32


class Canaries(NamedTuple):
    """What was asked, and what was said before the run, after it, and by the base."""

    prompts: list[Messages]
    before: list[str]
    after: list[str]
    base: list[str]

    def to_json(self) -> list[dict[str, Any]]:
        """A list of prompt, before, after, same."""
        said = zip(self.prompts, self.before, self.after, strict=True)
        return [
            {"prompt": prompt[-1].get("content"), "before": before, "after": after, "same": before == after}
            for prompt, before, after in said
        ]


def canary_prompts(folder: Path) -> list[Messages]:
    """The project's own canaries (`canaries.parquet` of the run), else the built-in ones."""
    from storage.runs import thaw_rows

    own = folder / "canaries.parquet"
    if own.is_file():
        return [json.loads(row["prompt"]) for row in thaw_rows(own)[:MOST]]
    return [[{"role": "user", "content": text}] for text in BUILT_IN]


def sing(sides: Sides, prompts: Sequence[Messages]) -> Canaries:
    """Ask before, after and the base."""
    asked = list(prompts)
    after = ask(sides.now, sides.tokenizer, asked, _TOKENS)
    with sides.before() as model:
        before = ask(model, sides.tokenizer, asked, _TOKENS)
    if not sides.goes_on:
        return Canaries(asked, before, after, before)
    with sides.base() as model:
        return Canaries(asked, before, after, ask(model, sides.tokenizer, asked, _TOKENS))
