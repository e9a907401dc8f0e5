"""Weights as they lie in a folder: safetensors files, read by their header, hashed, and nothing that could run code.

A safetensors file begins with a JSON header that lists every tensor with its shape and place
(https://github.com/huggingface/safetensors#format), so nothing here needs torch.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput, NotFound, Refused

PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"})
"""Endings of files that can run code when they are read."""
_LARGEST_HEADER = 100_000_000  # the format's own limit, in bytes
_CHUNK = 1 << 20


class Tensor(NamedTuple):
    """A tensor by its name, number format (as the file writes it: F32, BF16 …) and shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


def safetensors_files(folder: Path) -> list[Path]:
    """The safetensors files of a folder; raises Refused for pickles alone, NotFound for none at all."""
    files = sorted(folder.glob("*.safetensors"))
    if files:
        return files
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles:
        raise Refused(
            f"{folder} holds its weights only as a pickle ({pickles[0]}), which can run code when it is read; convert "
            "it to safetensors, or take a copy of the model that has them."
        )
    raise NotFound(f"{folder} holds no safetensors file: the weights are missing.")


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a safetensors file; raises BadInput where the file is torn or not one."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LARGEST_HEADER, path.stat().st_size - 8):
                raise ValueError("its header has no sensible length")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        _check_length(path.stat().st_size, end)
        return [Tensor(name, entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()]
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{path} is not a whole safetensors file ({error}); save, copy or fetch it again.") from error


def _check_length(size: int, end: int) -> None:
    """Raise ValueError where a file of `size` bytes does not end where its header says."""
    if size < end:
        raise ValueError(f"it ends too early: {end - size} bytes are missing")
    if size > end:
        raise ValueError("its length does not fit its header")


def count_weights(folder: Path) -> int:
    """How many weights the safetensors files of a folder hold together."""
    return sum(tensor.size for path in sorted(folder.glob("*.safetensors")) for tensor in read_header(path))


def hash_files(files: Sequence[Path]) -> str:
    """SHA-256 over the bytes of the files one after another, by name: of one file, simply its own."""
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda file: file.name):
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
