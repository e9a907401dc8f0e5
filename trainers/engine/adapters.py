"""LoRA adapters on one base: read and checked from their folder, attached, and chosen row by row.

PEFT chooses adapters by hooks that it registers for every forward pass and leaves behind when the pass
raises: the next plain pass with the same number of rows then silently answers with the wrong adapter
(measured in PEFT 0.21). So we register one hook on each LoRA layer, once; it reads the names of the current
pass from `Adapters`, which a context manager sets and always clears. With no names set no adapter is active
and the pass is the base's own.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import BadInput, Conflict, NotFound, RatchetError, Refused
from storage.home import read_json

if TYPE_CHECKING:
    import torch

WEIGHTS = "adapter_model.safetensors"
BASE_ROW = "__base__"  # PEFT's name for a row without an adapter

# Initialisations that also change the base's weights: such an adapter means nothing on the untouched base.
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")


@dataclass(frozen=True)
class AdapterFiles:
    """An adapter read into memory, not yet on a model. `mixable`: PEFT can answer it beside others."""

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
    state = {name: tensor.to(device=device, dtype=dtype) for name, tensor in loaded.items()}
    return AdapterFiles(config, state, _mixable(options, state))


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


def _mixable(options: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Whether every weight is a plain LoRA product; DoRA and whole replaced layers answer in their own batch."""
    plain = (".lora_A.", ".lora_B.", ".lora_embedding_A", ".lora_embedding_B")
    return not options.get("use_dora") and all(any(part in name for part in plain) for name in state)


class Adapters:
    """The adapters on one model. Only the thread that runs the model may call it."""

    def __init__(self, model: Any, base: str) -> None:
        self._model = model
        self._base = base
        self._peft: Any = None
        self._shapes = _linear_shapes(model)
        self._hooked: set[int] = set()
        self._names: list[str] | None = None
        self._alone: str | None = None
        self.mixable: dict[str, bool] = {}

    def check(self, files: AdapterFiles, name: str) -> None:
        """Refuse an adapter whose layers the base does not have, or has in another size."""
        found = False
        for key, tensor in files.state.items():
            layer, side = _layer_of(key)
            found = found or ".lora_" in key
            if side is None:
                continue
            if layer not in self._shapes:
                raise BadInput(
                    f"The adapter {name!r} does not fit the base {self._base!r}: that base has no layer {layer}; "
                    "load it on the base that it was trained on."
                )
            expected = self._shapes[layer][side]
            size = tensor.shape[1 if side == "A" else 0]
            if size != expected:
                raise BadInput(
                    f"The adapter {name!r} does not fit the base {self._base!r}: {layer} has size {expected} there "
                    f"and {size} in the adapter; load it on the base that it was trained on."
                )
        if not found:
            raise BadInput(f"The adapter {name!r} holds no LoRA weights; train it again or choose another folder.")

    def attach(self, key: str, files: AdapterFiles) -> None:
        """Put a checked adapter on the model under `key`; on failure the model is as before."""
        from peft import PeftModel, set_peft_model_state_dict

        if key in self.mixable:
            raise Conflict(f"An adapter is attached as {key!r} already.")
        try:
            if self._peft is None:
                self._peft = PeftModel(
                    self._model, files.config, key, autocast_adapter_dtype=False, low_cpu_mem_usage=True
                )
            else:
                self._peft.add_adapter(key, files.config, low_cpu_mem_usage=True, autocast_adapter_dtype=False)
            set_peft_model_state_dict(self._peft, dict(files.state), key, low_cpu_mem_usage=True)
            self._refuse_unfilled(key)
        except RatchetError:
            self._remove(key)
            raise
        except Exception as error:  # PEFT raises many kinds where a config does not fit a model
            self._remove(key)
            raise BadInput(f"The adapter cannot be put on the base {self._base!r}: {error}") from error
        finally:
            self._settle()
        self.mixable[key] = files.mixable

    def detach(self, key: str) -> None:
        """Take an adapter off the model."""
        del self.mixable[key]
        self._remove(key)
        self._settle()

    @contextmanager
    def rows(self, keys: Sequence[str | None]) -> Iterator[None]:
        """Within it, row i of a forward pass is answered by adapter keys[i], or by the base where that is None."""
        self._names = None if not any(keys) else [key or BASE_ROW for key in keys]
        try:
            yield
        finally:
            self._names = None

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Within it, every row is answered by an adapter that PEFT cannot mix with others."""
        self._activate([key])
        try:
            yield
        finally:
            self._activate([])

    def _refuse_unfilled(self, key: str) -> None:
        """Weights that the file did not fill are still on the meta device and would raise in the middle."""
        for name, weight in self._peft.named_parameters():
            if weight.is_meta and f".{key}" in name:
                raise BadInput(f"The adapter's file does not hold {name}; it was not saved to its end.")

    def _remove(self, key: str) -> None:
        if self._peft is not None and key in self._peft.peft_config:
            self._peft.base_model.set_adapter([])
            self._peft.delete_adapter(key)

    def _settle(self) -> None:
        """After a change: no adapter active, and our hook on every LoRA layer."""
        from peft.tuners.lora import LoraLayer

        if self._peft is None:
            return
        self._activate([])
        for module in self._model.modules():
            if isinstance(module, LoraLayer) and id(module) not in self._hooked:
                module.register_forward_pre_hook(self._pass_names, with_kwargs=True)
                self._hooked.add(id(module))

    def _activate(self, keys: list[str]) -> None:
        from peft.tuners.tuners_utils import set_adapter

        set_adapter(self._model, keys, inference_mode=True)

    def _pass_names(self, _layer: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        if self._names is None:
            return None
        return args, {**kwargs, "adapter_names": self._names}


def _linear_shapes(model: Any) -> dict[str, dict[str, int]]:
    """Sizes of the base's layers by name: what LoRA's A takes in and what its B gives out."""
    shapes = {}
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if weight is not None and weight.dim() == 2:
            out_size, in_size = weight.shape
            if type(module).__name__ == "Conv1D":  # GPT-2 stores its products the other way round
                out_size, in_size = in_size, out_size
            shapes[name] = {"A": in_size, "B": out_size}
    return shapes


def _layer_of(key: str) -> tuple[str, str | None]:
    """The base's layer that a weight of an adapter belongs to, and its side (A, B; None: not a LoRA product)."""
    name = key.removeprefix("base_model.model.")
    for side in ("A", "B"):
        layer, found, _ = name.partition(f".lora_{side}.")
        if found:
            return layer, side
    return name, None
