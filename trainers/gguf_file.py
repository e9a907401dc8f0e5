"""A GGUF file, written by llama.cpp's own converter and read back: is every weight in it, and does it talk?

The converter is a program of the folder that the administrator named (RATCHET_LLAMA_CPP). Reading needs the package
`gguf`; asking needs llama.cpp itself, which the package `xllamacpp` holds. Where that is missing, tensors alone speak.
"""

import importlib.util
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput, Refused
from storage.home import read_json
from trainers.whole import format_of

CONVERTER = "convert_hf_to_gguf.py"
_TYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}
_ALIKE = 0.02  # relative; rounding to 16 bits moves the length of a matrix by far less, other weights by far more
_ASKING_SECONDS = 600
_MISSING = re.compile(r"No module named '([\w.]+)'")


class Found(NamedTuple):
    """What the file holds: tensors, the numbers in them, the kind of model, entries of its vocabulary."""

    tensors: int
    parameters: int
    architecture: str
    tokens: int


def convert(llama_cpp: str | None, folder: Path, target: Path) -> None:
    """Have llama.cpp's converter write a model's folder as one file; raises Refused or BadInput with what it said."""
    script = converter(llama_cpp)
    words = [sys.executable, str(script), str(folder), "--outfile", str(target), "--outtype", _TYPES[format_of(folder)]]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**dict(os.environ), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    said = done.stdout.decode(errors="replace")
    print(said, file=sys.stderr)
    if done.returncode or not target.is_file():
        raise _refusal(said)


def _refusal(said: str) -> BadInput:
    """What stood against it, from the converter's last words."""
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    if missing := _MISSING.search(last):
        return BadInput(
            f"llama.cpp's converter needs the package {missing[1]}: `pip install {missing[1]}`, then again."
        )
    if "pre-tokenizer was not recognized" in last:
        return BadInput(
            "llama.cpp does not know this model's tokenizer, so its converter cannot write the model as GGUF; export "
            "it as merged or ollama."
        )
    return BadInput(f"llama.cpp's converter cannot write this model: {last[:300]}")


def converter(llama_cpp: str | None) -> Path:
    """The converter's script; raises Refused with how to get it, and what else is missing."""
    script = Path(llama_cpp or "") / CONVERTER
    if not llama_cpp or not script.is_file():
        raise Refused(
            f"For GGUF llama.cpp's converter is needed: `git clone https://github.com/ggml-org/llama.cpp`, then set "
            f"RATCHET_LLAMA_CPP to that folder (it must hold {CONVERTER})."
        )
    if importlib.util.find_spec("gguf") is None:
        raise Refused("What was written as GGUF is read back by the package gguf: `pip install gguf`, then try again.")
    return script


def read_back(path: Path, folder: Path) -> Found:
    """Compare the file with the folder that it was made from; raises BadInput where weights or words are missing."""
    import gguf

    reader = gguf.GGUFReader(str(path))
    kind = str(reader.fields["general.architecture"].contents())
    words = reader.fields.get("tokenizer.ggml.tokens")
    tokens = len(words.data) if words is not None else 0
    written = {tensor.name: tensor for tensor in reader.tensors}
    total = sum(int(tensor.n_elements) for tensor in reader.tensors)
    _compare(written, total, kind, folder)
    vocabulary = len(((read_json(folder / "tokenizer.json") or {}).get("model") or {}).get("vocab") or ())
    if tokens < vocabulary:
        raise BadInput(f"The GGUF file knows {tokens} of the model's {vocabulary} tokens; nothing is kept.")
    if "tokenizer.chat_template" not in reader.fields:
        raise BadInput("The GGUF file has no chat template, so it could not hold a conversation; nothing is kept.")
    return Found(len(written), total, kind, tokens)


def _compare(written: dict[str, Any], total: int, kind: str, folder: Path) -> None:
    """Every matrix that has a name in GGUF is there, as large and as long (its norm) as in the folder."""
    import gguf
    import torch
    from safetensors import safe_open

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    known = next((number for number, name in gguf.MODEL_ARCH_NAMES.items() if name == kind), None)
    names = gguf.get_tensor_name_map(known, int(config.get("num_hidden_layers") or 0)) if known is not None else None
    read = 0
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - it is no mapping
                tensor = weights.get_tensor(name)
                read += tensor.numel()
                found = names.get_name(name, try_suffixes=(".weight", ".bias")) if names else None
                if found is None or tensor.dim() != 2:
                    continue  # experts are stacked, and some norms are shifted by one: the sum of all counts them
                if found not in written:
                    raise BadInput(f"The GGUF file lacks {found} ({name} of the model); nothing is kept.")
                values = gguf.dequantize(written[found].data, written[found].tensor_type)
                length, other = float(torch.linalg.vector_norm(tensor.float())), float((values.astype("f8") ** 2).sum())
                if values.size != tensor.numel() or not math.isclose(length, other**0.5, rel_tol=_ALIKE):
                    raise BadInput(f"{found} of the GGUF file is not {name} of the model; nothing is kept.")
    if total < 0.99 * read:
        raise BadInput(f"The GGUF file holds {total} of the model's {read} weights; nothing is kept.")


def answers(path: Path, prompts: Sequence[str], most_tokens: int) -> list[str] | None:
    """What llama.cpp answers from the file, greedily; None where it is not here. Raises BadInput where it fails."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    wish = json.dumps({"path": str(path), "prompts": list(prompts), "most_tokens": most_tokens})
    try:  # a process of its own: two libraries for matrices in one do not get on
        done = subprocess.run(
            [sys.executable, "-m", "trainers.gguf_answers"],
            input=wish.encode(), capture_output=True, timeout=_ASKING_SECONDS,
        )  # fmt: skip
        said: list[str] = json.loads(done.stdout.decode().strip().splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        raise BadInput("llama.cpp cannot answer from the GGUF file that was written; nothing is kept.") from error
    return said
