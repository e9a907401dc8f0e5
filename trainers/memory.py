"""Memory of a device: how much there is, how much is free, and what a base will take of it. No weights are read.

What a container's group may use counts like the machine's own memory, and pages of files that the kernel gives back
when they are wanted count as free.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from storage.home import read_json
from storage.weights import Tensor, read_header, safetensors_files

GIB = 1024**3
GROUP = Path("/sys/fs/cgroup")

# What answers take beside the weights: keys and values of so many tokens (half of the rows with 1,024 each).
CACHED_TOKENS = 8 * 1024
# Bytes that one weight takes where its layer is quantised: bitsandbytes' 4 bits with a factor for each 64 weights, and
# 8 bits with one for each row.
_QUANTISED = {"4bit": 0.5 + 4 / 64, "8bit": 1.01}
# Tensors that stay as they are: what looks tokens up, and the last layer.
_KEPT_WHOLE = ("embed", "lm_head", "wte", "wpe")


class Need(NamedTuple):
    """Bytes that a base takes: its weights, and the keys and values of its answers."""

    weights: float
    cache: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.weights + self.cache


def base_need(folder: Path, width: int, quantise: str | None = None) -> Need:
    """What a base's folder will take on a device at `width` bytes a number; raises as `read_header` does."""
    tensors = [tensor for path in safetensors_files(folder) for tensor in read_header(path)]
    weights = sum(tensor.size * _bytes_of(tensor, width, quantise) for tensor in tensors)
    return Need(weights, CACHED_TOKENS * width * cached_numbers(read_json(folder / "config.json") or {}))


def cached_numbers(config: Mapping[str, Any]) -> int:
    """Numbers that one token leaves in the cache (keys and values of all layers); 0 where the config does not tell."""
    text = config.get("text_config")
    said = text if isinstance(text, Mapping) else config
    layers = _number(said, "num_hidden_layers", "n_layer")
    heads = _number(said, "num_attention_heads", "n_head")
    size = _number(said, "head_dim") or _number(said, "hidden_size", "n_embd") // max(heads, 1)
    return 2 * layers * (_number(said, "num_key_value_heads") or heads) * size


def free_bytes(device: str) -> float:
    """Bytes that are free on a device, asked without torch; raises ValueError or OSError where nobody says."""
    if not device.startswith("cuda:"):
        return min(float(psutil.virtual_memory().available), left_to_group())
    program = shutil.which("nvidia-smi") or "nvidia-smi"
    query = ["--query-gpu=memory.free", "--format=csv,noheader,nounits", "-i", device.removeprefix("cuda:")]
    said = subprocess.run([program, *query], capture_output=True, text=True, timeout=20, check=False)
    return float(said.stdout.strip() or "nobody says") * 1024**2


def left_to_group(root: Path = GROUP) -> float:
    """Bytes that the control group of a container leaves; endless where there is none."""
    limit = group_limit(root)
    try:
        used = int((root / "memory.current").read_text()) - _given_back(root)
    except (OSError, ValueError):
        return limit
    return limit - used


def group_limit(root: Path = GROUP) -> float:
    """Bytes that the control group of a container may use; endless where there is none."""
    try:
        limit = (root / "memory.max").read_text().strip()
        return float("inf") if limit == "max" else float(int(limit))
    except (OSError, ValueError):
        return float("inf")


def _number(said: Mapping[str, Any], *names: str) -> int:
    """The first of these that the config says; 0 where it says none."""
    return next((value for name in names if isinstance(value := said.get(name), int)), 0)


def _given_back(root: Path) -> int:
    """Bytes of file pages that the kernel drops when somebody wants memory."""
    try:
        lines = (root / "memory.stat").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError, IndexError):
        return 0


def _bytes_of(tensor: Tensor, width: int, quantise: str | None) -> float:
    whole = quantise is None or len(tensor.shape) != 2 or any(word in tensor.name for word in _KEPT_WHOLE)
    return width if whole else _QUANTISED[str(quantise)]
