"""Answers of a base and two adapters: one mixed batch against switching adapters in turn.

    python -m bench.sidebyside

A random model of about 90M weights in bfloat16 with two r16 adapters on all linear layers writes three answers of
64 tokens. Ours is the engine's lane, all three at once; the baseline is transformers and PEFT alone, one
`generate` after another with the adapter switched in between. Taken in turns in one process, the best of each.
"""

import json
import queue
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROUNDS = 4
TOKENS = 64
PROMPT = [5 + at % 300 for at in range(40)]
GOAL_SPEED = 1.3
GOAL_LAST_BEGINS = 0.25


class Timing(NamedTuple):
    """Seconds until the last of three answers began, and until all had ended."""

    last_begins: float
    seconds: float


def run() -> dict[str, Any]:
    """Measure in turns; the shape of every bench (`ratchet bench`)."""
    from trainers.engine.device import default_threads

    with tempfile.TemporaryDirectory() as folder:
        base, adapters = _make_models(Path(folder))
        mixed, switched = _Mixed(base, adapters, Path(folder)), _Switched(base, adapters)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(mixed.answer())
            theirs.append(switched.answer())
        mixed.stop()
    mine, other = _best(ours), _best(theirs)
    ratios = [
        {"against": "switching adapters, tokens/s", "value": round(other.seconds / mine.seconds, 2),
         "goal": GOAL_SPEED, "better": "higher"},
        {"against": "switching adapters, the last answer begins",
         "value": round(mine.last_begins / other.last_begins, 3), "goal": GOAL_LAST_BEGINS, "better": "lower"},
    ]  # fmt: skip
    return {
        "name": "sidebyside",
        "threads": default_threads(),
        "ours": _figures(mine),
        "baselines": {"switching": _figures(other)},
        "ratios": ratios,
        "ratio": ratios[0]["value"],
        "met": mine.seconds * GOAL_SPEED <= other.seconds and mine.last_begins <= GOAL_LAST_BEGINS * other.last_begins,
    }


def _figures(timing: Timing) -> dict[str, float]:
    return {
        "tokens_per_second": round(3 * TOKENS / timing.seconds, 1),
        "last_begins_seconds": round(timing.last_begins, 3),
        "seconds": round(timing.seconds, 3),
    }


def _best(timings: list[Timing]) -> Timing:
    """The least of each: what other processes of the machine disturbed least."""
    return Timing(min(one.last_begins for one in timings), min(one.seconds for one in timings))


class _Mixed:
    """The engine's lane."""

    def __init__(self, base: Path, adapters: list[Path], home: Path) -> None:
        from trainers.engine.bases import Bases
        from trainers.engine.device import choose_device
        from trainers.engine.hashes import Hashes

        self.bases = Bases(choose_device(home / "tuning.json", "bfloat16"), Hashes(home / "hashes.json"))
        self.bases.load_base("base", base)
        self.names = ["base"]
        for adapter in adapters:
            self.bases.load_adapter(adapter.name, adapter, "base")
            self.names.append(adapter.name)

    def answer(self) -> Timing:
        from trainers.engine.row import Finished

        start = time.perf_counter()
        heard: queue.Queue[tuple[Any, float]] = queue.Queue()
        rows = [self._submit(name, heard) for name in self.names]
        begun, ended = {}, 0.0
        finished = 0
        while finished < len(rows):
            (name, event), at = heard.get()
            begun.setdefault(name, at - start)
            if isinstance(event, Finished):
                finished, ended = finished + 1, at - start
        return Timing(max(begun.values()), ended)

    def _submit(self, name: str, heard: "queue.Queue[tuple[Any, float]]") -> Any:
        from trainers.engine.row import Row
        from trainers.engine.sampling import Sampling

        target = self.bases.find(name)
        base = target.lane.base
        row = Row(
            prompt=PROMPT,
            sampling=Sampling(TOKENS, 0.0, 1.0, 0),
            adapter=target.adapter.key if target.adapter else None,
            ends=frozenset(),
            tokenizer=_Letters(),
            tell=lambda event: heard.put(((name, event), time.perf_counter())),
        )
        target.lane.submit(row)
        return base

    def stop(self) -> None:
        self.bases.stop()


class _Letters:
    """A tokenizer that says a letter for each token: what is measured is the model."""

    def decode(self, ids: list[int], **_: Any) -> str:
        return "x" * len(ids)


class _Switched:
    """transformers and PEFT as their documentation shows them."""

    def __init__(self, base: Path, adapters: list[Path]) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
        self.model = PeftModel.from_pretrained(model, adapters[0], adapter_name=adapters[0].name).eval()
        for adapter in adapters[1:]:
            self.model.load_adapter(adapter, adapter_name=adapter.name)
        self.names = [adapter.name for adapter in adapters]

    def answer(self) -> Timing:
        start = time.perf_counter()
        with self.model.disable_adapter():
            self._generate()
        for name in self.names[:-1]:
            self.model.set_adapter(name)
            self._generate()
        self.model.set_adapter(self.names[-1])
        first = _FirstToken()
        self._generate(streamer=first)
        return Timing(first.at - start, time.perf_counter() - start)

    def _generate(self, **more: Any) -> None:
        import torch

        prompt = torch.tensor([PROMPT])
        self.model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=TOKENS, do_sample=False,
            eos_token_id=-1, **more,
        )  # fmt: skip


class _FirstToken:
    """A streamer that notes when the first token after the prompt came."""

    def __init__(self) -> None:
        self.puts, self.at = 0, 0.0

    def put(self, _: Any) -> None:
        self.puts += 1
        if self.puts == 2:
            self.at = time.perf_counter()

    def end(self) -> None: ...


def _make_models(root: Path) -> tuple[Path, list[Path]]:
    """A random base of about 90M weights and two adapters, saved as folders."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, models
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    config = LlamaConfig(
        vocab_size=32768, hidden_size=640, intermediate_size=1728, num_hidden_layers=12, num_attention_heads=10,
        num_key_value_heads=10, eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(root / "base")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), eos_token="</s>")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    tokenizer.save_pretrained(root / "base")
    for name in ("a", "b"):
        lora = LoraConfig(r=16, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
        wrapped = get_peft_model(model, lora)
        wrapped.save_pretrained(root / name)
        model = wrapped.unload()
    return root / "base", [root / "a", root / "b"]


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
