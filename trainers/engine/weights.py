"""A base read from its folder: safetensors only, no code from the folder, its template and its hash."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import BadInput, NotFound, Refused
from storage.weights import count_weights, safetensors_files
from trainers.engine.device import Device
from trainers.engine.hashes import Hashes
from trainers.engine.template import Template

QUANTISED = ("4bit", "8bit")


@dataclass(frozen=True)
class Base:
    """A loaded base. `context`: the most tokens that its positions reach. `ends`: tokens that end an answer.

    `quantised`: 4bit or 8bit, where its weights are.
    """

    name: str
    path: Path
    model: Any
    tokenizer: Any
    template: Template
    sha256: str
    context: int
    ends: frozenset[int]
    quantised: str | None = None

    @property
    def dtype(self) -> str:
        """The number format in which it computes, and how its weights are quantised."""
        name = str(self.model.dtype).removeprefix("torch.")
        return f"{name}, weights {self.quantised}" if self.quantised else name


def base_weights(folder: Path) -> list[Path]:
    """The safetensors files of a base; refuses folders that are none, and pickles above all."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}; a base is a folder with config.json and safetensors files.")
    if (folder / "adapter_config.json").is_file():
        raise BadInput(f"{folder} holds an adapter, not a base; load its base and then the adapter on it.")
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} holds no config.json, so it is no base that transformers can read.")
    return safetensors_files(folder)


def load_base(
    name: str, folder: Path, device: Device, hashes: Hashes, exact: bool = False, quantise: str | None = None
) -> Base:
    """Read a base onto the device; raises a sentence for whatever is wrong with the folder.

    `exact`: in float32, whatever was measured. `quantise`: 4bit or 8bit, where `check_quantising` allows it.
    """
    files = base_weights(folder)
    quantise = None if exact else quantise
    with hashes.while_reading(files) as sha256:
        tokenizer, model = _read(name, folder, device, dtype_for(folder, device, exact), quantise)
    template = Template(tokenizer, name)
    return Base(
        name=name,
        path=folder,
        model=model,
        tokenizer=tokenizer,
        template=template,
        sha256=sha256,
        context=_context(model.config),
        ends=template.ends(model.generation_config.eos_token_id if model.generation_config else None),
        quantised=quantise,
    )


def dtype_for(folder: Path, device: Device, exact: bool) -> Any:
    """The number format in which a base's folder is read."""
    import torch

    return torch.float32 if exact else device.dtype_of(count_weights(folder))


def check_quantising(device: Device, quantise: str) -> None:
    """Raise Refused, with the reason, where weights cannot be quantised."""
    if quantise not in QUANTISED:
        raise BadInput(f"Weights cannot be quantised to {quantise!r}; choose one of {', '.join(QUANTISED)}.")
    if device.device.type != "cuda":
        raise Refused(
            f"Weights are quantised by kernels for CUDA, and this engine computes on {device.device.type}; start it "
            f"without --quantise {quantise}, or on a machine with an NVIDIA card."
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise Refused(
            f"--quantise {quantise} needs the package bitsandbytes, which is not installed; install it (pip install "
            "bitsandbytes), or start the engine without."
        )


def _read(name: str, folder: Path, device: Device, dtype: Any, quantise: str | None) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    options = safe | {"use_safetensors": True, "dtype": dtype} | _quantising(quantise, dtype)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **safe)
        model = AutoModelForCausalLM.from_pretrained(str(folder), **options)
    except Exception as error:  # transformers raises many kinds for a damaged or foreign folder
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The base {name!r} in {folder} cannot be loaded: {first}") from error
    if quantise is None:
        model = model.to(device.device)
    if device.device.type == "cpu":
        _take_out_of_files(model)
    model.eval().requires_grad_(False)
    return tokenizer, model


def _quantising(quantise: str | None, dtype: Any) -> dict[str, Any]:
    """What transformers is told so that bitsandbytes quantises while it reads: NF4 (QLoRA, Dettmers et al. 2023) for
    4 bits, LLM.int8 (Dettmers et al. 2022) for 8.
    """
    if quantise is None:
        return {}
    from transformers import BitsAndBytesConfig

    four = quantise == "4bit"
    config = BitsAndBytesConfig(
        load_in_4bit=four, load_in_8bit=not four, bnb_4bit_compute_dtype=dtype, bnb_4bit_quant_type="nf4"
    )
    return {"quantization_config": config, "device_map": {"": 0}}


def _take_out_of_files(model: Any) -> None:
    """Copy weights that still lie in pages of their file: whoever exchanges the file would change the model that
    answers, and whoever cuts it short would kill the engine (SIGBUS).
    """
    for weights in (*model.parameters(), *model.buffers()):
        weights.data = weights.data.clone()


def _context(config: Any) -> int:
    """The most tokens that prompt and answer may have together."""
    text = config.get_text_config(decoder=True)
    return int(getattr(text, "max_position_embeddings", None) or 1 << 20)
