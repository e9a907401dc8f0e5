"""Two adapters on one base as one: what was trained over a merged adapter becomes a plain LoRA on the base itself.

A LoRA adds s·B·A to a weight. Two of them add s1·B1·A1 + s2·B2·A2, which is one product again: [s1·B1, s2·B2] times
A1 over A2. So the engine and later rounds need to know nothing of stacks, and the rank is the sum of both. It is what
PEFT's `add_weighted_adapter(..., combination_type="cat")` computes, without a base in memory.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainers.engine.adapters import WEIGHTS

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]

_A, _B = ".lora_A.weight", ".lora_B.weight"


def stack(first: Path, second: Path, target: Path) -> None:
    """Write into `target` the adapter that adds what `first` and `second` add; both are plain LoRA folders.

    `target` may be `second`. What is no LoRA in `second` (the head of a reward model) is kept as it is.
    """
    from safetensors.torch import load_file, save_file

    configs = [_config(folder) for folder in (first, second)]
    sides = [load_file(folder / WEIGHTS) for folder in (first, second)]
    halves = [_scaled(tensors, config) for tensors, config in zip(sides, configs, strict=True)]
    names = sorted(set(halves[0]) | set(halves[1]))
    most = max(sum(half[name][0].shape[0] for half in halves if name in half) for name in names)
    made: Tensors = {name: tensor for name, tensor in sides[1].items() if not name.endswith((_A, _B))}
    for name in names:
        made[name + _A], made[name + _B] = _joined([half[name] for half in halves if name in half], most)
    target.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in made.items()}, target / WEIGHTS, {"format": "pt"})
    config = {**configs[1], "r": most, "lora_alpha": most, "use_rslora": False, "rank_pattern": {}, "alpha_pattern": {}}
    config["target_modules"] = sorted({name.rpartition(".")[2] for name in names})
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True), encoding="utf-8")


def _config(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    return found


def _scaled(tensors: Tensors, config: dict[str, Any]) -> "dict[str, tuple[torch.Tensor, torch.Tensor]]":
    """By layer A and scaled B, in float32."""
    layers = [name.removesuffix(_A) for name in tensors if name.endswith(_A)]
    return {
        layer: (tensors[layer + _A].float(), tensors[layer + _B].float() * _scale(config, layer)) for layer in layers
    }


def _scale(config: dict[str, Any], layer: str) -> float:
    """alpha / r, or alpha / sqrt(r) for rsLoRA; patterns name layers by the end of their path or by an expression."""
    rank = _patterned(config.get("rank_pattern") or {}, layer, config["r"])
    alpha = _patterned(config.get("alpha_pattern") or {}, layer, config["lora_alpha"])
    return float(alpha / rank**0.5 if config.get("use_rslora") else alpha / rank)


def _patterned(patterns: dict[str, Any], layer: str, usual: Any) -> Any:
    found = [value for pattern, value in patterns.items() if re.match(rf"(.*\.)?({pattern})$", layer)]
    return found[0] if found else usual


def _joined(halves: "list[tuple[torch.Tensor, torch.Tensor]]", rank: int) -> "tuple[torch.Tensor, torch.Tensor]":
    """One A and one B of that rank; a layer that only one adapter knows is filled with zeros."""
    import torch

    down = torch.cat([half[0] for half in halves], dim=0)
    up = torch.cat([half[1] for half in halves], dim=1)
    missing = rank - down.shape[0]
    return torch.nn.functional.pad(down, (0, 0, 0, missing)), torch.nn.functional.pad(up, (0, missing))
