"""Asking models outside any study: `ratchet generate`."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from storage.errors import BadInput, NotFound
from storage.models import get_model
from storage.prompts import Messages, as_messages
from storage.rows_training import Model
from storage.store import Store
from studio.clients.answers import Answer, SamplingParams
from studio.clients.engine import Engine
from studio.feedback.room import BULK, WAITED_FOR

_AT_ONCE = 8  # questions in flight: they share the engine's batch
_STAMPED = ("base", "base_sha256", "adapter", "adapter_sha256", "template_sha256", "params", "seed")


@dataclass(frozen=True)
class Said:
    """One answer: to which prompt (as it was given), and by which model."""

    prompt: str | Messages
    model: str
    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        known = {name: self.answer.stamp.get(name) for name in _STAMPED}
        return {
            "prompt": self.prompt,
            "model": self.model,
            "text": self.answer.text,
            "tokens": self.answer.tokens,
            "seconds": self.answer.seconds,
            "finish_reason": self.answer.finish_reason,
            "stamp": {**known, **self.answer.stamp},
        }


@dataclass(frozen=True)
class Generated:
    """Answers, prompt by prompt and model by model in the order asked for."""

    answers: list[Said]

    def to_json(self) -> dict[str, Any]:
        """The keys of DESIGN 4.2."""
        return {"answers": [said.to_json() for said in self.answers]}


def generate(
    store: Store, models: Sequence[str], prompts: Sequence[str | Messages], sampling: SamplingParams
) -> Generated:
    """Answer each prompt by each model; raises NotFound for a model, or the first error of an answer."""
    chosen = [get_model(store, name) for name in models]
    if not chosen or not prompts:
        raise BadInput("Name at least one model and one prompt.")
    _check(sampling)
    engine = Engine(store.home)
    for model in chosen:
        if model.kind != "endpoint":
            engine.ensure(store, model)

    # A file of prompts is no question that somebody sits before.
    priority = WAITED_FOR if len(prompts) * len(chosen) <= _AT_ONCE else BULK

    def ask(asked: tuple[str | Messages, Model]) -> Said:
        prompt, model = asked
        try:
            return Said(prompt, model.name, engine.complete(model, store, as_messages(prompt), sampling, priority))
        finally:
            store.close()

    with ThreadPoolExecutor(_AT_ONCE, "ask") as pool:
        return Generated(list(pool.map(ask, [(prompt, model) for prompt in prompts for model in chosen])))


def read_prompts(path: Path) -> list[str | Messages]:
    """The prompts of a JSONL file, one `{"prompt": text or messages}` a line; raises NotFound or BadInput."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f'There is no file "{path}".') from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f'"{path}" cannot be read as UTF-8 text ({error}).') from error
    prompts = [_prompt(line, number) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not prompts:
        raise BadInput(f'"{path}" holds no prompt; give one {{"prompt": …}} a line.')
    return prompts


def _prompt(line: str, number: int) -> str | Messages:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"Line {number} is not JSON: {error.msg} at character {error.colno}.") from error
    prompt = row.get("prompt") if isinstance(row, dict) else None
    turns = isinstance(prompt, list) and prompt and all(isinstance(turn, dict) and "role" in turn for turn in prompt)
    if not turns and not (isinstance(prompt, str) and prompt.strip()):
        raise BadInput(f'Line {number} has no prompt: give {{"prompt": text}}, or messages with role and content.')
    return cast(str | Messages, prompt)


def _check(sampling: SamplingParams) -> None:
    """The same limits as in a study."""
    from studio.feedback.sampling import Sampling

    Sampling(sampling.max_tokens, sampling.temperature, sampling.top_p)
