"""Adapters on one model: attached, detached, and chosen row by row in one forward pass.

PEFT's own mixed batches (`adapter_names`) register hooks for every pass and leave them behind when the pass
raises: the next plain pass with as many rows then silently answers with the wrong adapter (measured in PEFT
0.21). So PEFT only holds the weights here and no adapter is ever active in a mixed pass; one hook on each LoRA
layer, registered once, adds what the rows of the current pass are due. A context manager says which those are
and always clears it, so nothing can be left behind, and it takes one product where PEFT takes one an adapter.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storage.errors import BadInput, Conflict, RatchetError
from trainers.engine.adapters import AdapterFiles
from trainers.engine.lowrank import LowRank, Products, add_product

if TYPE_CHECKING:
    import torch


class Adapters:
    """The adapters on one model. Only the thread that runs the model may call it."""

    def __init__(self, model: Any, base: str) -> None:
        self._model = model
        self._base = base
        self._peft: Any = None
        self._shapes = _linear_shapes(model)
        self.layers: dict[int, Any] = {}  # every LoRA layer, by the id under which its hook knows it
        self._products = LowRank()
        self._current: Products | None = None
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
        self._current = self._products.of(tuple(keys), self.layers) if any(keys) else None
        try:
            yield
        finally:
            self._current = None

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Within it, every row is answered by an adapter that cannot be mixed with others."""
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
        self._products.forget()
        for module in self._model.modules():
            if isinstance(module, LoraLayer) and id(module) not in self.layers:
                module.register_forward_hook(self._add_products)
                self.layers[id(module)] = module

    def _activate(self, keys: list[str]) -> None:
        from peft.tuners.tuners_utils import set_adapter

        set_adapter(self._model, keys, inference_mode=True)

    def _add_products(self, layer: Any, inputs: Any, output: "torch.Tensor") -> "torch.Tensor | None":
        product = self._current.get(id(layer)) if self._current is not None else None
        return None if product is None else add_product(output, inputs[0], product)


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
