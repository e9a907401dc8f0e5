"""LoRA adapters in their folders: which file counts, what is refused, and reading one into memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import BadInput, NotFound, Refused
from storage.home import read_json
from trainers.engine.plain import is_plain

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"

# Initialisations that also change the base's weights: such an adapter means nothing on the untouched base.
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


@dataclass(frozen=True)
class AdapterFiles:
    """An adapter read into memory, not yet on a model. `mixable`: it can answer in one batch with others."""

    config: Any
    state: "dict[str, torch.Tensor]"
    mixable: bool


def adapter_weights(folder: Path) -> Path:
    """The adapter's one weights file; refuses folders without it, pickles above all."""
    if not (folder / "adapter_config.json").is_file():
        raise NotFound(f"{folder} holds no adapter: adapter_config.json is missing there.")
    if (folder / WEIGHTS).is_file():
        return folder / WEIGHTS
    if (folder / "adapter_model.bin").exists():
        raise Refused(
            f"The adapter in {folder} is a pickle (adapter_model.bin), which can run code when it is read; "
            f"convert it to {WEIGHTS} where you trust its maker."
        )
    raise NotFound(f"{folder} holds no {WEIGHTS}: the adapter was not saved to its end.")


def read_adapter(folder: Path, device: "torch.device", dtype: "torch.dtype") -> AdapterFiles:
    """Read an adapter from its folder; raises when it is not a LoRA, or one that changes its base."""
    import torch
    from peft import LoraConfig
    from safetensors.torch import load_file

    weights = adapter_weights(folder)
    try:
        options = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BadInput(f"{folder}/adapter_config.json cannot be read: {error}.") from error
    _check_options(options, folder)
    try:
        config = LoraConfig.from_pretrained(str(folder))
        loaded = load_file(weights)
    except Exception as error:  # safetensors and PEFT raise many kinds for a damaged file
        raise BadInput(f"The adapter in {folder} cannot be read: {error}") from error
    config.inference_mode = True
    # The weights follow from the file; initialising them first would only take time.
    config.init_lora_weights = False
    _refuse_ruined(loaded, folder)
    # A copy: what was read lies in pages of the file, which change when somebody writes into it.
    plain = is_plain(options, loaded)
    if plain and device.type == "cpu":
        dtype = torch.float32  # see trainers.engine.lowrank
    state = {name: tensor.to(device=device, dtype=dtype, copy=True) for name, tensor in loaded.items()}
    return AdapterFiles(config, state, plain)


def trained_on(folder: Path) -> str | None:
    """The hash of the base that a run's adapter was trained on, where the run's spec lies beside it."""
    said = (read_json(folder.parent / "spec.json") or {}).get("base_sha256")
    return said if isinstance(said, str) else None


def _check_options(options: Mapping[str, Any], folder: Path) -> None:
    kind = options.get("peft_type")
    if kind != "LORA":
        raise Refused(f"The adapter in {folder} is of type {kind}; the engine answers for LoRA adapters only.")
    start = str(options.get("init_lora_weights", True)).lower()
    if start.startswith(_CHANGES_BASE):
        raise Refused(
            f"The adapter in {folder} was started with {start}, which also changes the base's weights; convert "
            "it to a plain LoRA when saving (path_initial_model_for_weight_conversion)."
        )
    if options.get("bias", "none") != "none":
        raise Refused(
            f"The adapter in {folder} trains biases of the base (bias={options['bias']!r}), which adapters on one "
            "base cannot share; train it with bias='none'."
        )
    if options.get("layer_replication"):
        raise Refused(
            f"The adapter in {folder} repeats layers of its base (layer_replication), which would change the base for "
            "all others; merge it into a model of its own."
        )


def _refuse_ruined(state: "Mapping[str, torch.Tensor]", folder: Path) -> None:
    """NaN in an adapter would spread to every row of a mixed batch: zero times NaN is NaN."""
    for name, tensor in state.items():
        if not bool(tensor.isfinite().all()):
            raise BadInput(
                f"The adapter in {folder} is ruined: {name} holds numbers that are not finite; train it again with "
                "a lower learning rate."
            )
