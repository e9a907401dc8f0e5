"""The weights of the best moment of a run, kept on the disk beside its checkpoints: whole or not at all.

`Trainer` can keep a best checkpoint only where it saves one at every evaluation, optimiser and all. What is needed is
less: the trained weights, written where they are better than any before.
"""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from storage.home import read_json, write_json
from trainers.adapter import sync_folder

_WEIGHTS = "weights.safetensors"


class Best(NamedTuple):
    """The step whose held-out measure was best, and the measure."""

    step: int
    value: float


def keep(folder: Path, model: Any, best: Best) -> None:
    """Write the trained weights of this moment; a crash on the way leaves those of before."""
    from safetensors.torch import save_file

    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    weights = {
        name: weight.detach().cpu().contiguous() for name, weight in model.named_parameters() if weight.requires_grad
    }
    save_file(weights, fresh / _WEIGHTS)
    write_json(fresh / "best.json", best._asdict())
    sync_folder(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.replace(folder)


def restore(folder: Path, model: Any, best: Best) -> bool:
    """Put the kept weights into the model; False where the folder does not hold those of that step."""
    import torch
    from safetensors.torch import load_file

    told = read_json(folder / "best.json")
    if told is None or told.get("step") != best.step:
        return False
    kept = load_file(folder / _WEIGHTS)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in kept:
                weight.copy_(kept[name].to(weight.device, weight.dtype))
    return True
