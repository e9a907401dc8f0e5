"""A whole model on the disk: every weight, the tokenizer and the chat template, as a base that answers by itself.

Merged in float32, because merging in bfloat16 moved logits by 0.04, and then written in the format that the base's
own files have.
"""

from pathlib import Path
from typing import Any

from storage.weights import read_header, safetensors_files

_FORMATS = {"BF16": "bfloat16", "F16": "float16"}


def load_exactly(base: Path, adapters: tuple[Path, ...] = ()) -> Any:
    """The base in float32 with adapters merged into it one after another, of whatever kind PEFT knows."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        base, use_safetensors=True, dtype=torch.float32, trust_remote_code=False, local_files_only=base.exists()
    )
    for adapter in adapters:
        model = PeftModel.from_pretrained(model, str(adapter), torch_device="cpu").merge_and_unload(safe_merge=True)
    return model


def save_whole(model: Any, tokenizer: Any, base: Path, folder: Path) -> None:
    """Write model and tokenizer to a folder, in the number format of the base's files."""
    import torch

    dtype = getattr(torch, format_of(base))
    cast: dict[int, Any] = {}  # by place: tied weights must stay one tensor, or they are written twice
    state = {
        name: cast.setdefault(tensor.data_ptr(), tensor.detach().to(dtype))
        for name, tensor in model.state_dict().items()
    }
    cache, model.config.use_cache = model.config.use_cache, True  # training turns it off; answering wants it
    before, model.config.dtype = model.config.dtype, dtype
    try:
        model.save_pretrained(folder, state_dict=state, safe_serialization=True)
    finally:
        model.config.use_cache, model.config.dtype = cache, before
    tokenizer.save_pretrained(folder)


def format_of(base: Path) -> str:
    """The number format that most weights of a base's files have: float32, bfloat16 or float16."""
    sizes: dict[str, int] = {}
    for path in safetensors_files(base) if base.is_dir() else []:
        for tensor in read_header(path):
            sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.size
    return _FORMATS.get(max(sizes, key=lambda name: sizes[name]), "float32") if sizes else "float32"
