"""A base with its tokenizer and the adapter to train, loaded for training: safetensors only, no foreign code.

Where and in which number format is chosen here, and the reason is told.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.errors import BadInput, Refused
from storage.specs.advice import SMALL, TINY
from storage.specs.run import RunSpec
from storage.weights import count_weights, read_header
from trainers.engine.adapters import adapter_weights
from trainers.engine.weights import base_weights
from trainers.tunings import refuse_impossible, tuning_of

if TYPE_CHECKING:
    import torch

# Ways of starting LoRA weights that leave the base's weights alone.
_PLAIN_STARTS = ("true", "false", "gaussian", "orthogonal")


class Placement(NamedTuple):
    """Where to train and how to compute. `autocast`: "bf16", "fp16" or None; `reason` is shown to people."""

    device: str
    dtype: "torch.dtype"
    autocast: str | None
    reason: str


class Loaded(NamedTuple):
    """A base ready for training. `parameters`: how many weights it has."""

    model: Any
    tokenizer: Any
    parameters: int
    placement: Placement


def load_base(spec: RunSpec, exact: bool = False, labels: int | None = None) -> Loaded:
    """Read base and tokenizer; raises a sentence where the folder is not a chat model in safetensors.

    `exact`: in float32, whatever the run computes in, because its weights are changed. `labels`: instead of a head
    that answers, a fresh one of so many numbers.
    """
    import torch
    from transformers import AutoTokenizer

    torch.set_num_threads(max(1, spec.threads))
    folder = Path(spec.base_path)
    if folder.exists():
        base_weights(folder)
    placement = place(spec, count_weights(folder) if folder.exists() else None)
    refuse_impossible(tuning_of(spec), placement.device)
    safe = {"trust_remote_code": False, "local_files_only": folder.exists()}
    wanted = {"dtype": torch.float32 if exact else placement.dtype, **_quantized(spec), **safe}
    try:
        tokenizer = AutoTokenizer.from_pretrained(spec.base_path, **safe)
        if labels is not None and tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        model = _read_model(spec.base_path, labels, tokenizer, wanted)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The base in {spec.base_path} cannot be loaded: {first}") from error
    if not tokenizer.chat_template and labels is None:
        raise BadInput(
            f"The base in {spec.base_path} has no chat template, so conversations cannot be written down for it; "
            "choose a chat variant, or put a chat_template.jinja into its folder."
        )
    model.config.use_cache = False  # the cache serves answering only, and conflicts with gradient checkpointing
    return Loaded(model, tokenizer, sum(weight.numel() for weight in model.parameters()), placement)


def _read_model(path: str, labels: int | None, tokenizer: Any, wanted: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    if labels is None:
        return AutoModelForCausalLM.from_pretrained(path, use_safetensors=True, **wanted)
    return AutoModelForSequenceClassification.from_pretrained(
        path, use_safetensors=True, num_labels=labels, pad_token_id=tokenizer.pad_token_id, **wanted
    )


def _quantized(spec: RunSpec) -> dict[str, Any]:
    """For QLoRA the base in 4 bits: NF4 with double quantisation, as its paper has it."""
    if tuning_of(spec) != "qlora":
        return {}
    import torch
    from transformers import BitsAndBytesConfig

    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    }


def place(spec: RunSpec, parameters: int | None) -> Placement:
    """The device and number format that are asked for, or that fit this machine and a model of this size."""
    import torch

    device, why = _device(spec.device)
    formats = {
        "bfloat16": (torch.bfloat16, "bf16"),
        "float16": (torch.float16, "fp16"),
        "float32": (torch.float32, None),
    }
    if spec.dtype != "auto":
        if spec.dtype not in formats:
            raise BadInput(f'The number format "{spec.dtype}" is not known; choose auto, {", ".join(formats)}.')
        name, reason = spec.dtype, "as asked"
    else:
        name, reason = _format(device, parameters)
    dtype, autocast = formats[name]
    if autocast and device == "cpu" and spec.dtype == "auto" and parameters is not None and parameters < SMALL:
        dtype = torch.float32  # rounding the weights as well gains no time, and memory is no matter at this size
    return Placement(device, dtype, autocast, f"Training on {device} ({why}) in {name} ({reason}).")


def _device(wish: str) -> tuple[str, str]:
    import torch

    if wish != "auto":
        return wish, "as asked"
    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name(0)
    if torch.backends.mps.is_available():
        return "mps", "Apple's Metal"
    return "cpu", "no CUDA or Metal device was found"


def _format(device: str, parameters: int | None) -> tuple[str, str]:
    import torch

    if device == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16", "the device computes in it"
        return "float16", "the device has no bfloat16"
    if device == "mps":
        return "float32", "Metal trains safely in nothing shorter"
    if parameters is not None and parameters < TINY:
        return "float32", "a small model gains nothing from less precision"
    if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
        return "bfloat16", "the processor computes in it, about 1.7 times as fast and in half the memory"
    return "float32", "the processor has no bfloat16"


def continued_adapter(model: Any, folder: Path, for_any_task: bool = False) -> Any:
    """The model with an existing adapter as trainable "default", which is the name that TRL looks for.

    `for_any_task`: PEFT's wrapper is the plain one, for a model with another head than the adapter was made for.
    """
    import torch
    from peft import PeftConfig, PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        config = PeftConfig.from_pretrained(str(folder))
        if for_any_task:
            config.task_type = None  # a causal one asks the model for what only a generating model has
        trained = PeftModel.from_pretrained(
            model, str(folder), adapter_name="default", is_trainable=True, config=config, torch_device="cpu"
        )
    except (RuntimeError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0]
        raise BadInput(f"The adapter in {folder} does not fit the base: {first}") from error
    # PEFT only warns where a name in the file fits no layer; the adapter would then silently be a fresh one.
    in_memory = get_peft_model_state_dict(trained, adapter_name="default")
    in_file = load_file(adapter_weights(folder))
    wrong = [
        name
        for name in in_memory.keys() | in_file.keys()
        if name not in in_memory
        or name not in in_file
        or not torch.equal(in_memory[name].cpu(), in_file[name].to(in_memory[name].dtype))
    ]
    if wrong:
        raise BadInput(
            f"The adapter in {folder} does not fit the base: {len(wrong)} weights found no place, such as "
            f"{min(wrong)}; train from the base that the adapter was made for."
        )
    return trained


def merged(model: Any, folder: Path) -> Any:
    """The model with an adapter merged into its weights, which must be float32: in bfloat16 a merge loses too much."""
    trained = continued_adapter(model, folder, for_any_task=True)
    return trained.merge_and_unload(safe_merge=True).requires_grad_(True)


def check_adapter(folder: Path, reference: bool) -> None:
    """Refuse an adapter that cannot be trained on, before anything heavy is loaded.

    `reference`: the method compares with a frozen copy of the adapter. TRL 1.16 makes that copy by names, which
    leaves out LoRA on embeddings, and by starting the weights anew, which for PiSSA and its like changes the base.
    """
    weights = adapter_weights(folder)
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadInput(f"{folder}/adapter_config.json cannot be read: {error}.") from error
    for wrong, what in _obstacles(config, {tensor.name for tensor in read_header(weights)}, reference):
        if wrong:
            raise Refused(
                f"The adapter in {folder} cannot be trained on: {what}. Train from its base instead, or merge the "
                "adapter into the base and train from that."
            )


def _obstacles(config: dict[str, Any], names: set[str], reference: bool) -> list[tuple[bool, str]]:
    start = str(config.get("init_lora_weights", True)).lower()
    kind = str(config.get("peft_type"))
    return [
        (kind != "LORA", f"it is of type {kind}, and only LoRA is known here"),
        (start not in _PLAIN_STARTS, f"it was started with {start}, which changes the base's weights"),
        (config.get("bias", "none") != "none", f"it trains the base's biases (bias={config.get('bias')})"),
        (bool(config.get("trainable_token_indices")), "it trains single token embeddings (trainable_token_indices)"),
        (any("lm_head.lora_" in name for name in names), "it has LoRA on the language model's head"),
        (
            reference and any(".lora_embedding_" in name for name in names),
            "it has LoRA on the embeddings, and the frozen copy to compare with would be wrong",
        ),
    ]
