"""A base read from its folder: safetensors only, no code from the folder, its template and its hash."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import BadInput, NotFound
from storage.weights import count_weights, safetensors_files
from trainers.engine.device import Device
from trainers.engine.hashes import Hashes
from trainers.engine.template import Template


@dataclass(frozen=True)
class Base:
    """A loaded base. `context`: the most tokens that its positions reach. `ends`: tokens that end an answer."""

    name: str
    path: Path
    model: Any
    tokenizer: Any
    template: Template
    sha256: str
    context: int
    ends: frozenset[int]

    @property
    def dtype(self) -> str:
        """The number format of its weights."""
        return str(self.model.dtype).removeprefix("torch.")


def base_weights(folder: Path) -> list[Path]:
    """The safetensors files of a base; refuses folders that are none, and pickles above all."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}; a base is a folder with config.json and safetensors files.")
    if (folder / "adapter_config.json").is_file():
        raise BadInput(f"{folder} holds an adapter, not a base; load its base and then the adapter on it.")
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} holds no config.json, so it is no base that transformers can read.")
    return safetensors_files(folder)


def load_base(name: str, folder: Path, device: Device, hashes: Hashes) -> Base:
    """Read a base onto the device; raises a sentence for whatever is wrong with the folder."""
    files = base_weights(folder)
    tokenizer, model = _read(name, folder, device, device.dtype_of(count_weights(folder)))
    template = Template(tokenizer, name)
    return Base(
        name=name,
        path=folder,
        model=model,
        tokenizer=tokenizer,
        template=template,
        sha256=hashes.of(files),
        context=_context(model.config),
        ends=template.ends(model.generation_config.eos_token_id if model.generation_config else None),
    )


def _read(name: str, folder: Path, device: Device, dtype: Any) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    safe = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), **safe)
        model = AutoModelForCausalLM.from_pretrained(str(folder), use_safetensors=True, dtype=dtype, **safe)
    except Exception as error:  # transformers raises many kinds for a damaged or foreign folder
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The base {name!r} in {folder} cannot be loaded: {first}") from error
    model = model.to(device.device).eval()
    model.requires_grad_(False)
    return tokenizer, model


def _context(config: Any) -> int:
    """The most tokens that prompt and answer may have together."""
    text = config.get_text_config(decoder=True)
    return int(getattr(text, "max_position_embeddings", None) or 1 << 20)
