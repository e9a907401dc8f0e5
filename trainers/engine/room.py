"""The engine's memory: how many bytes its bases may take together, and the refusal of one that does not fit."""

from pathlib import Path

from storage.errors import NotReady, RatchetError, Refused
from trainers.engine.device import Device
from trainers.engine.weights import dtype_for
from trainers.memory import CACHED_TOKENS, GIB, Need, base_need, free_bytes, group_limit

# Of what is free, this much may be taken: the system, pages and runs need some.
_SHARE = 0.9


class Room:
    """The budget: what was asked for (`asked`, bytes), or what is free on the device when it is wanted."""

    def __init__(self, device: Device, asked: float | None = None) -> None:
        self._device = device
        self.asked = asked

    def need(self, folder: Path, exact: bool, quantise: str | None) -> Need:
        """What a base will take."""
        width = dtype_for(folder, self._device, exact).itemsize
        need = base_need(folder, width, None if exact else quantise)
        kept = 4 if self._device.device.type == "cpu" else width  # see trainers.engine.attention
        return need._replace(cache=need.cache * kept / width)

    def left(self, held: float) -> float:
        """Bytes that a further base may take now, beside `held` bytes of others."""
        return self.asked - held if self.asked else _SHARE * self._free()

    def most(self) -> float:
        """Bytes that a base alone may ever take."""
        return self.asked or _SHARE * self._total()

    def refusal(self, name: str, need: Need, held: float) -> RatchetError:
        """Why a base cannot be loaded although all others that are idle were put out, with numbers."""
        words = (
            f"The base {name!r} needs about {_gb(need.total)} ({_gb(need.weights)} of weights and {_gb(need.cache)} "
            f"for the {CACHED_TOKENS:,} newest tokens of its answers)"
        )
        where = "as --memory says" if self.asked else f"on {self._device.device}"
        if need.total > self.most():
            return Refused(
                f"{words}, and the engine may use {_gb(self.most())} {where}, so it never fits; take a smaller base, a "
                "number format with fewer bytes (--dtype, --quantise), or a machine with more memory."
            )
        return NotReady(
            f"{words}, and {_gb(max(0.0, self.left(held)))} are left {where}; ask again when the models that answer "
            "now, or other programs, have made room."
        )

    def _free(self) -> float:
        import torch

        kind = self._device.device.type
        if kind == "cuda":
            unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
            return float(torch.cuda.mem_get_info(self._device.device)[0] + unused)
        if kind == "mps":
            return float(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
        return free_bytes("cpu")

    def _total(self) -> float:
        import psutil
        import torch

        kind = self._device.device.type
        if kind == "cuda":
            return float(torch.cuda.mem_get_info(self._device.device)[1])
        if kind == "mps":
            return float(torch.mps.recommended_max_memory())
        return min(float(psutil.virtual_memory().total), group_limit())


def _gb(size: float) -> str:
    return f"{size / GIB:.2g} GB" if size < GIB else f"{size / GIB:.1f} GB"
