"""Asking a lane without HTTP, and asking transformers' own `generate` for comparison."""

import queue
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainers.engine.row import Delta, Event, Failed, Finished, Row
from trainers.engine.sampling import Sampling

TIMEOUT = 60  # seconds; only a hang reaches it


@dataclass
class Asked:
    """A row that was submitted, and what it has told so far."""

    row: Row
    events: "queue.Queue[Event]"
    told: list[Event] = field(default_factory=list)

    def next(self) -> Event:
        self.told.append(self.events.get(timeout=TIMEOUT))
        return self.told[-1]

    def wait(self) -> Event:
        """The row's end."""
        while not isinstance(self.next(), Finished | Failed):
            pass
        return self.told[-1]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.told if isinstance(event, Delta))

    @property
    def tokens(self) -> list[int]:
        return self.row.tokens


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def ask(
    bases: Any, model: str, text: str = "Hello", tokens: int = 24, temperature: float = 0.0, seed: int = 0, **more: Any
) -> Asked:
    """Submit a row that is never ended by a token, so that its length is known."""
    target = more.pop("target", None) or bases.find(model)
    base = target.lane.base
    events: queue.Queue[Event] = more.pop("events", None) or queue.Queue()
    row = Row(
        prompt=more.pop("prompt", None) or base.template.tokens(user(text)),
        sampling=Sampling(tokens, temperature, more.pop("top_p", 1.0), seed),
        adapter=target.adapter.key if target.adapter else None,
        ends=more.pop("ends", frozenset()),
        tokenizer=base.tokenizer,
        tell=events.put,
        **more,
    )
    target.lane.submit(row)
    return Asked(row, events)


def generated(base: Path, adapter: Path | None, prompt: list[int], tokens: int) -> list[int]:
    """The greedy tokens of `generate` in float32, alone and from freshly loaded folders."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    output = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=tokens,
        do_sample=False,
        eos_token_id=-1,
        use_cache=True,
    )
    found: list[int] = output[0, len(prompt) :].tolist()
    return found
