"""Three answers from three models in memory: a base, and two copies of it with an adapter merged into each.

    python merged_copies.py BASE ADAPTER ADAPTER SETTINGS

Settings, as JSON: prompt (token ids), tokens, threads. Uses nothing of the project. For every line on stdin each model
answers once, one after another, and one JSON object is printed: the seconds until all had ended, and what the process
holds beyond its imports in MB.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def resident() -> float:
    """MB of memory that the process holds."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def load(base: str) -> Any:
    """A copy of the base."""
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)


def main() -> None:
    """Load, then answer as often as asked."""
    base, adapters, settings = sys.argv[1], sys.argv[2:-1], json.loads(sys.argv[-1])
    torch.set_num_threads(settings["threads"])
    imports = resident()
    merged = [PeftModel.from_pretrained(load(base), adapter).merge_and_unload() for adapter in adapters]
    models = [load(base).eval(), *(model.eval() for model in merged)]
    prompt = torch.tensor([settings["prompt"]])
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for model in models:
            model.generate(
                input_ids=prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=settings["tokens"],
                do_sample=False, eos_token_id=-1,
            )  # fmt: skip
        print(json.dumps({"seconds": time.perf_counter() - start, "mb": resident() - imports}), flush=True)


main()
