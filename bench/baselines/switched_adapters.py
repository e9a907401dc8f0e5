"""Three answers from a base and two adapters as transformers and PEFT are documented: switched, one after another.

    python switched_adapters.py BASE ADAPTER ADAPTER SETTINGS

Settings, as JSON: prompt (token ids), tokens, threads. Uses nothing of the project. For every line on stdin it answers
once and prints one JSON object: seconds until the last of the three answers began, until all had ended, and what the
process holds beyond its imports in MB.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


class FirstToken:
    """A streamer that notes when the first token after the prompt came."""

    def __init__(self) -> None:
        self.puts, self.at = 0, 0.0

    def put(self, _: Any) -> None:
        """The prompt at first, then each token."""
        self.puts += 1
        if self.puts == 2:
            self.at = time.perf_counter()

    def end(self) -> None:
        """Nothing is left to do."""


def resident() -> float:
    """MB of memory that the process holds."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def generate(model: Any, settings: dict[str, Any], **more: Any) -> None:
    """So many tokens, the likeliest ones."""
    prompt = torch.tensor([settings["prompt"]])
    model.generate(
        input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=settings["tokens"], do_sample=False,
        eos_token_id=-1, **more,
    )  # fmt: skip


def main() -> None:
    """Load, then answer as often as asked."""
    base, adapters, settings = sys.argv[1], sys.argv[2:-1], json.loads(sys.argv[-1])
    torch.set_num_threads(settings["threads"])
    imports = resident()
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
    names = [Path(adapter).name for adapter in adapters]
    model = PeftModel.from_pretrained(model, adapters[0], adapter_name=names[0]).eval()
    for name, adapter in zip(names[1:], adapters[1:], strict=True):
        model.load_adapter(adapter, adapter_name=name)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        with model.disable_adapter():
            generate(model, settings)
        for name in names[:-1]:
            model.set_adapter(name)
            generate(model, settings)
        model.set_adapter(names[-1])
        first = FirstToken()
        generate(model, settings, streamer=first)
        told = {"last_begins": first.at - start, "seconds": time.perf_counter() - start}
        print(json.dumps({**told, "mb": resident() - imports}), flush=True)


main()
