"""Do the parts of a model belong together? Told from headers and JSON, without loading anything.

Code that comes with a model is never run, so a model that needs it is refused. A tokenizer must not know more words
than the weights have rows, and an adapter's factors must have the sizes of the base's layers.
"""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from storage.errors import BadInput, Refused
from storage.home import read_json
from storage.weights import read_header, safetensors_files

_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
_SIDES = {".lora_A.weight": 1, ".lora_B.weight": 0}
"""The factor's own side that meets the layer: A reads what the layer reads, B writes what it writes."""

_LAYER = re.compile(r"\b(?:layers|h|blocks)\.\d+\..*")

Shape = tuple[int, ...]


def refuse_code(folder: Path) -> None:
    """Raise Refused for a model that transformers does not know and that brings its own code instead."""
    config = read_json(folder / "config.json") or {}
    if not config.get("auto_map") or _is_known(str(config.get("model_type") or "")):
        return
    raise Refused(
        f"{folder} wants to run code of its own (auto_map in config.json), and code that comes with a model is never "
        "run here; take a model whose architecture transformers knows."
    )


def _is_known(kind: str) -> bool:
    """Whether the installed transformers has this type of model, without importing it."""
    found = find_spec("transformers")
    if not kind or found is None or not found.submodule_search_locations:
        return False
    return any((Path(place) / "models" / kind.replace("-", "_")).is_dir() for place in found.submodule_search_locations)


def check_vocabulary(folder: Path, template: str | None) -> None:
    """Raise BadInput where the tokenizer's words, or those that its chat template writes, have no row in the weights.

    Some makers list further marks that no text uses (an image's place in a model without eyes); those do no harm.
    """
    rows = [
        tensor.shape[0]
        for file in safetensors_files(folder)
        for tensor in read_header(file)
        if tensor.name.endswith(_EMBEDDINGS) and len(tensor.shape) == 2
    ]
    tokenizer = read_json(folder / "tokenizer.json") or {}
    words = (tokenizer.get("model") or {}).get("vocab") or {}
    numbers = list(words.values()) if isinstance(words, dict) else list(range(len(words)))
    marks = [mark for mark in tokenizer.get("added_tokens") or [] if str(mark.get("content")) in (template or "")]
    numbers += [int(mark["id"]) for mark in marks if "id" in mark]
    if rows and numbers and max(numbers) >= max(rows):
        raise BadInput(
            f"The tokenizer in {folder} knows {max(numbers) + 1} tokens and the weights {max(rows)}: they do not "
            "belong together. Take both from one place."
        )


def check_layers(adapter: Path, base: Path, name: str) -> None:
    """Raise BadInput where an adapter's file does not fit the layers of its base; `name`: what people call that."""
    layers = {tensor.name: tensor.shape for file in safetensors_files(base) for tensor in read_header(file)}
    tails = _tails(layers)
    looked = found = 0
    for tensor in read_header(adapter):
        inner = tensor.name.removeprefix("base_model.model.")
        mark = next((mark for mark in _SIDES if inner.endswith(mark)), None)
        layer = inner if mark is None else f"{inner.removesuffix(mark)}.weight"
        shape = layers.get(layer) or tails.get(_tail(layer))
        looked += mark is not None
        if shape is None or len(tensor.shape) != 2:
            continue
        found += mark is not None
        fits = tensor.shape == shape if mark is None else tensor.shape[_SIDES[mark]] in shape
        if not fits:
            raise BadInput(
                f"The adapter does not fit {name}: {layer} has the sizes {_told(shape)} there, and the adapter brings "
                f"{_told(tensor.shape)}. It was trained on another base."
            )
    if looked and not found and tails:
        raise BadInput(f"The adapter does not fit {name}: none of the layers that it changes is there.")


def modules(adapter: Path, base: Path | None = None) -> set[str]:
    """Names of the modules that an adapter's file changes, and of those that its base has."""
    tensors = [tensor.name for file in (safetensors_files(base) if base else ()) for tensor in read_header(file)]
    for tensor in read_header(adapter):
        name, side, _ = tensor.name.removeprefix("base_model.model.").partition(".lora_")
        tensors += [f"{name}.weight"] if side else []
    return {name.removesuffix(".weight") for name in tensors}


def _tails(layers: Mapping[str, Shape]) -> dict[str, Shape]:
    """Shapes by the end of the name, from the number of the layer on; names that two towers share are left out."""
    found: dict[str, Shape] = {}
    twice = set()
    for name, shape in layers.items():
        if not _LAYER.search(name):
            continue
        twice |= {_tail(name)} & found.keys()
        found[_tail(name)] = shape
    return {tail: shape for tail, shape in found.items() if tail not in twice}


def _tail(name: str) -> str:
    found = _LAYER.search(name)
    return found.group() if found else name


def _told(shape: Shape) -> str:
    return " x ".join(str(side) for side in shape)
