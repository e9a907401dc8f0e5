"""Adapters on one model: attached, detached, and chosen row by row in one forward pass.

PEFT's own mixed batches (`adapter_names`) register hooks for every pass and leave them behind when the pass
raises: the next plain pass with as many rows then silently answers with the wrong adapter (measured in PEFT
0.21). So plain adapters never meet PEFT: their matrices lie in a table beside the model, and one hook on each layer,
registered once, adds what the rows of the current pass are due. A context manager says which those are and always
clears it, so nothing can be left behind, and it takes one product where PEFT takes one an adapter. PEFT holds
what is not plain (DoRA and its like), which is active only while a batch of its own is answered.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storage.errors import BadInput, Conflict, NotReady, RatchetError
from trainers.engine.adapters import AdapterFiles
from trainers.engine.lowrank import LowRank, Products, add_product
from trainers.engine.plain import Layer, layer_of, pairs_of

if TYPE_CHECKING:
    import torch


class Adapters:
    """The adapters on one model. Only the thread that runs the model may call it, but for `check`."""

    def __init__(self, model: Any, base: str) -> None:
        self._model = model
        self._base = base
        self._peft: Any = None
        self._modules = _linear_modules(model)
        self._shapes = {name: _shape(module) for name, module in self._modules.items()}
        self.layers: dict[int, Layer] = {}  # what plain adapters add, by the id under which a layer's hook knows it
        self._products = LowRank()
        self._current: Products | None = None
        self.mixable: dict[str, bool] = {}

    def check(self, files: AdapterFiles, name: str) -> None:
        """Refuse an adapter whose layers the base does not have, or has in another size."""
        found = False
        for key, tensor in files.state.items():
            layer, side = layer_of(key)
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
        if files.mixable:
            pairs_of(files.config, files.state, self._base, self._shapes)

    def attach(self, key: str, files: AdapterFiles) -> None:
        """Put a checked adapter on the model under `key`; on failure the model is as before."""
        if key in self.mixable:
            raise Conflict(f"An adapter is attached as {key!r} already.")
        if files.mixable:
            for name, pair in pairs_of(files.config, files.state, self._base, self._shapes).items():
                self._layer(self._modules[name])[key] = pair
        else:
            self._wrap(key, files)
        self.mixable[key] = files.mixable

    def detach(self, key: str) -> None:
        """Take an adapter off the model."""
        if self.mixable.pop(key):
            for layer in self.layers.values():
                layer.pop(key, None)
            self._products.forget()
        else:
            self._remove(key)
            self._activate([])

    def spare(self) -> None:
        """Drop what can be made again: memory was short."""
        self._products.forget()

    def mixes(self, key: str) -> bool:
        """Whether an adapter's rows go with others; raises NotReady where it has gone since it was asked for."""
        if key not in self.mixable:
            raise NotReady(f"The adapter was unloaded from the base {self._base!r} meanwhile; ask again.")
        return self.mixable[key]

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

    def _layer(self, module: Any) -> Layer:
        """What is held for a layer of the base, its hook in place."""
        if id(module) not in self.layers:
            module.register_forward_hook(self._add_products)
            self.layers[id(module)] = {}
        return self.layers[id(module)]

    def _add_products(self, layer: Any, inputs: Any, output: "torch.Tensor") -> "torch.Tensor | None":
        product = self._current.get(id(layer)) if self._current is not None else None
        return None if product is None else add_product(output, inputs[0], product)

    def _wrap(self, key: str, files: AdapterFiles) -> None:
        """Let PEFT put an adapter into the model."""
        from peft import PeftModel, set_peft_model_state_dict

        options = {"autocast_adapter_dtype": False, "low_cpu_mem_usage": True}
        try:
            if self._peft is None:
                self._peft = PeftModel(self._model, files.config, key, **options)
            else:
                self._peft.add_adapter(key, files.config, **options)
            set_peft_model_state_dict(self._peft, dict(files.state), key, low_cpu_mem_usage=True)
            self._refuse_unfilled(key)
        except RatchetError:
            self._remove(key)
            raise
        except Exception as error:  # PEFT raises many kinds where a config does not fit a model
            self._remove(key)
            raise BadInput(f"The adapter cannot be put on the base {self._base!r}: {error}") from error
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

    def _activate(self, keys: list[str]) -> None:
        from peft.tuners.tuners_utils import set_adapter

        if self._peft is not None:
            set_adapter(self._model, keys, inference_mode=True)


def _linear_modules(model: Any) -> dict[str, Any]:
    """The base's layers that hold a matrix, by name."""
    modules = model.named_modules()
    return {name: module for name, module in modules if getattr(getattr(module, "weight", None), "ndim", 0) == 2}


def _shape(module: Any) -> dict[str, int]:
    """Sizes of a layer: what LoRA's A takes in and what its B gives out."""
    if hasattr(module, "in_features"):  # a quantised layer's weight is packed and has another shape
        return {"A": module.in_features, "B": module.out_features}
    out_size, in_size = module.weight.shape
    if type(module).__name__ == "Conv1D":  # GPT-2 stores its products the other way round
        out_size, in_size = in_size, out_size
    return {"A": in_size, "B": out_size}
