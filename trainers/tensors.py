"""What a safetensors file holds, read from its header alone: names, shapes and whether it is whole; needs no torch."""

import hashlib
import json
import math
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput

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


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a safetensors file; raises BadInput where the file is torn or not one."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _LARGEST_HEADER:
                raise ValueError("its header has no sensible length")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if path.stat().st_size != 8 + length + end:
            raise ValueError("its length does not fit its header")
        return [Tensor(name, entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is not a whole safetensors file ({error}); save or copy it again.") from error


def count_weights(folder: Path) -> int:
    """How many weights the safetensors files of a folder hold together."""
    return sum(tensor.size for path in sorted(folder.glob("*.safetensors")) for tensor in read_header(path))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
