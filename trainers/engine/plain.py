"""Plain adapters: every weight a product of two matrices, kept beside the model and not in it.

PEFT puts an adapter into a model by wrapping and walking all its modules, on the thread that answers: 203 ms of a 90M
model with 84 layers, and its wrappers make every later step of the base slower (27.5 ms for three rows against 21.8).
Here attaching one is an entry in a table for each layer (0.6 ms), so that streams go on. Everything that is not plain
(DoRA, trained heads and the like) goes through PEFT and answers in a batch of its own. (Best of 12 and of 60, in turns,
2 cores with other work beside them.)
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.errors import BadInput

if TYPE_CHECKING:
    import torch

# Options under which an adapter adds more, or other, than s·B·A·x.
_VARIANTS = (
    "use_dora", "alora_invocation_tokens", "target_parameters", "use_qalora", "use_bdlora", "arrow_config", "lora_bias",
    "kasa_config", "velora_config", "monteclora_config", "trainable_token_indices", "modules_to_save",
)  # fmt: skip


class Pair(NamedTuple):
    """One layer's part of an adapter: A (rank, in), B (out, rank), and the factor of their product."""

    down: "torch.Tensor"
    up: "torch.Tensor"
    scaling: float


Layer = dict[str, Pair]  # what adapters add to one layer of the base, by the adapter's key


def is_plain(options: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Whether every weight is one of two matrices, and no option makes more of them."""
    pairs = all(name.endswith((".lora_A.weight", ".lora_B.weight")) and len(state[name].shape) == 2 for name in state)
    return pairs and not any(options.get(variant) for variant in _VARIANTS)


def layer_of(key: str) -> tuple[str, str | None]:
    """The base's layer that a weight of an adapter belongs to, and its side (A, B; None: not a LoRA product)."""
    name = key.removeprefix("base_model.model.")
    for side in ("A", "B"):
        layer, found, _ = name.partition(f".lora_{side}.")
        if found:
            return layer, side
    return name, None


def pairs_of(config: Any, state: "Mapping[str, torch.Tensor]", base: str, layers: Mapping[str, Any]) -> dict[str, Pair]:
    """An adapter's parts by layer; raises BadInput where its file and its configuration do not say the same."""
    sides: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in state.items():
        layer, side = layer_of(name)
        sides.setdefault(layer, {})[str(side)] = tensor
    _check_layers(config, sides, base, layers)
    return {layer: _pair(config, layer, found) for layer, found in sides.items()}


def _check_layers(config: Any, sides: Mapping[str, Any], base: str, layers: Mapping[str, Any]) -> None:
    """The layers that the configuration names are those that the file holds."""
    from peft.tuners.tuners_utils import check_target_module_exists

    if config.target_modules in (None, "all-linear"):
        return  # PEFT writes the layers' names when it saves; who wrote this means what the file holds
    named = {layer for layer in layers if check_target_module_exists(config, layer)}
    if missing := sorted(named - sides.keys()):
        raise BadInput(f"The adapter's file does not hold the weights of {missing[0]}; it was not saved to its end.")
    if foreign := sorted(sides.keys() - named):
        raise BadInput(
            f"The adapter cannot be put on the base {base!r}: its file holds weights of {foreign[0]}, which its "
            "configuration does not name among its target_modules."
        )


def _pair(config: Any, layer: str, found: "Mapping[str, torch.Tensor]") -> Pair:
    if len(found) != 2:
        absent = "lora_A" if "B" in found else "lora_B"
        raise BadInput(f"The adapter's file does not hold {layer}.{absent}.weight; it was not saved to its end.")
    rank, scaling = scaling_of(config, layer)
    if found["A"].shape[0] != rank or found["B"].shape[1] != rank:
        raise BadInput(f"The adapter's configuration says rank {rank} for {layer}, and its file holds another.")
    return Pair(found["A"], found["B"], scaling)


def scaling_of(config: Any, layer: str) -> tuple[int, float]:
    """Rank and factor of a layer as PEFT reckons them: alpha/r, or alpha/√r where ranks are stabilised (rsLoRA)."""
    from peft.utils.other import get_pattern_key

    ranks, alphas = config.rank_pattern or {}, config.alpha_pattern or {}
    rank = ranks.get(get_pattern_key(list(ranks), layer), config.r)
    alpha = alphas.get(get_pattern_key(list(alphas), layer), config.lora_alpha)
    return int(rank), float(alpha / math.sqrt(rank) if config.use_rslora else alpha / rank)
