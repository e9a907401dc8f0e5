"""Model folders looked at without loading them: what they hold, whether it is safe, how many weights, which hash.

Only safetensors count. A pickle can run code when it is read, so a folder whose weights are pickles is refused,
and a link that leads out of the folder is refused as well. Nothing here needs torch: a safetensors file begins
with a JSON header that lists every tensor with its shape (https://github.com/huggingface/safetensors#format).
"""

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import BadInput, NotFound, Refused
from storage.home import read_json

PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"})
_MOST_HEADER = 100_000_000  # the format's own limit for the header, bytes
_CHUNK = 1 << 20


class Weights(NamedTuple):
    """A base's folder: hash over its safetensors files by name, hash of its chat template, count of weights."""

    path: Path
    sha256: str
    template_sha256: str
    parameters: int


class AdapterWeights(NamedTuple):
    """An adapter's folder: the hash of its safetensors file, and the base that its config names."""

    path: Path
    sha256: str
    base: str


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter."""
    return (folder / "adapter_config.json").is_file()


def inspect_base(folder: Path) -> Weights:
    """What a base's folder holds; raises NotFound, Refused or BadInput with the sentence that says what is wrong."""
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} has no config.json: it is not the folder of a model that transformers can read.")
    _refuse_ways_out(folder)
    files = _weight_files(folder)
    template = chat_template(folder)
    if template is None:
        raise BadInput(
            f"{folder} has no chat template, so it cannot hold a conversation: choose an instruct or chat variant, "
            "or put a chat_template.jinja into the folder."
        )
    parameters = sum(_count_weights(file) for file in files)
    return Weights(folder, hash_files(files), hashlib.sha256(template.encode()).hexdigest(), parameters)


def inspect_adapter(folder: Path) -> AdapterWeights:
    """What an adapter's folder holds; raises as `inspect_base`."""
    _refuse_ways_out(folder)
    config = read_json(folder / "adapter_config.json")
    if config is None:
        raise BadInput(f"{folder / 'adapter_config.json'} is not readable JSON; save the adapter again with PEFT.")
    if str(config.get("peft_type", "LORA")).upper() != "LORA":
        raise BadInput(f"{folder} holds a {config['peft_type']} adapter, and only LoRA adapters can be used.")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        _weight_files(folder)  # refuses pickles with the better sentence
        raise NotFound(f"{folder} has no adapter_model.safetensors: the adapter's weights are missing.")
    _count_weights(weights)
    return AdapterWeights(folder, hash_files([weights]), str(config.get("base_model_name_or_path") or ""))


def hash_files(files: Sequence[Path]) -> str:
    """SHA-256 over the bytes of the files one after another, ordered by name; the engine's stamps use the same."""
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda file: file.name):
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def chat_template(folder: Path) -> str | None:
    """The chat template of a tokenizer's folder as transformers finds it, or None."""
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        return jinja.read_text(encoding="utf-8")
    found = (read_json(folder / "tokenizer_config.json") or {}).get("chat_template")
    if isinstance(found, list):  # several by name; the default one counts
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default")
    return found if isinstance(found, str) and found else None


def _refuse_ways_out(folder: Path) -> None:
    """Raise Refused where a link leads out of the folder."""
    root = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise Refused(
                f"{path} is a link that leads out of the folder; make a copy without links (`cp -rL`) and add that."
            )


def _weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder; raises Refused where there are only pickles, NotFound where there are none."""
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise Refused(
            f"{folder} holds its weights as a pickle ({pickles[0]}), which can run code when it is read; convert it "
            "to safetensors, or take a copy of the model that has them."
        )
    raise NotFound(f"{folder} has no safetensors file: the weights are missing.")


def _count_weights(path: Path) -> int:
    """How many numbers a safetensors file holds, by its header; raises BadInput where the file is damaged."""
    header, room = _header(path)
    count = end = 0
    try:
        for name, tensor in header.items():
            if name != "__metadata__":
                count += math.prod(int(size) for size in tensor["shape"])
                end = max(end, int(tensor["data_offsets"][1]))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _not_whole(path) from error
    if end > room:
        raise BadInput(f"{path} ends too early: {end - room} bytes are missing. Fetch it again.")
    return count


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """The JSON header of a safetensors file, and how many bytes follow it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= min(_MOST_HEADER, size - 8):
            raise _not_whole(path)
        try:
            header = json.loads(file.read(length))
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _not_whole(path) from error
    if not isinstance(header, dict):
        raise _not_whole(path)
    return header, size - 8 - length


def _not_whole(path: Path) -> BadInput:
    return BadInput(f"{path} is not a whole safetensors file; fetch it again.")
