"""A finished adapter answers its first token: base and adapter loaded afresh by transformers and PEFT.

    python load_afresh.py BASE ADAPTER PROMPT

What somebody without a studio starts when a training is done. Uses nothing of the project. Prints one JSON object:
`answered`, the second since 1970 at which the first token was there.
"""

import json
import sys
import time

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    """Load, and answer one token."""
    base, adapter, prompt = sys.argv[1:4]
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).eval()
    messages = [{"role": "user", "content": prompt}]
    inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        model.generate(**inputs, max_new_tokens=1, do_sample=False)
    print(json.dumps({"answered": time.time()}))


if __name__ == "__main__":
    main()
