"""Several processes of one run, as torchrun starts them, one for each accelerator.

The one of rank 0 leads: it alone speaks, writes, is found and asked to stop. The others compute their share of every
batch, follow its decisions at the end of each step, and leave when it does. Nothing here costs anything, or loads
torch, in a run of one process.
"""

import os
import time
from pathlib import Path

from storage.home import read_json
from storage.processes import alive

_LOOK_SECONDS = 0.5


def rank() -> int:
    """Which process this is (torchrun's RANK); 0 leads."""
    return int(dict(os.environ).get("RANK", "0"))


def world() -> int:
    """How many processes the run has."""
    return int(dict(os.environ).get("WORLD_SIZE", "1"))


def take_device() -> None:
    """Have "cuda" mean this process's own accelerator."""
    if world() == 1:
        return
    import torch

    if torch.cuda.is_available():
        torch.cuda.set_device(int(dict(os.environ).get("LOCAL_RANK", "0")))


def agreed(*wishes: bool) -> tuple[bool, ...]:
    """What the leader wishes, on every process. A clock or a signal must not make one stop while others go on."""
    import torch.distributed as group

    if world() == 1 or not group.is_initialized():
        return wishes
    import torch

    device = "cuda" if group.get_backend() == "nccl" else "cpu"
    said = torch.tensor([int(wish) for wish in wishes], device=device)
    group.broadcast(said, src=0)
    return tuple(bool(one) for one in said.tolist())


def wait_for_leader(folder: Path) -> None:
    """Stay until the leader has saved and gone: torchrun ends everybody where one ends badly before the others."""
    while (said := read_json(folder / "process.json")) and alive(said.get("pid"), said.get("started")):
        time.sleep(_LOOK_SECONDS)
