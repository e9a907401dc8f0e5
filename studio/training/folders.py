"""Model folders looked at without loading them: what they hold, whether it is safe, how many weights, which hash.

Only safetensors count. A pickle can run code when it is read, so a folder whose weights are pickles is refused,
and a link that leads out of the folder is refused as well. Nothing here needs torch.
"""

from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput, NotFound, Refused
from storage.home import read_json
from storage.prompts import text_sha256
from storage.weights import count_weights, hash_files, read_header, safetensors_files
from studio.training.adapter_modules import check_modules
from studio.training.fitting import check_vocabulary, refuse_code
from studio.training.templates import offer

# Families of encoders that transformers reads as classifiers, by the type that their configuration names.
_ENCODERS = frozenset(
    {"albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "modernbert", "mpnet", "roberta",
     "xlm-roberta"}
)  # fmt: skip


class Weights(NamedTuple):
    """A base's folder: hash over its safetensors files by name, hash of its chat template, count of weights.

    An encoder has no template.
    """

    path: Path
    sha256: str
    template_sha256: str | None
    parameters: int


class AdapterWeights(NamedTuple):
    """An adapter's folder: the hash of its safetensors file, and the base that its config names."""

    path: Path
    sha256: str
    base: str


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter."""
    return (folder / "adapter_config.json").is_file()


def inspect_base(folder: Path) -> Weights:
    """What a base's folder holds; raises NotFound, Refused or BadInput with the sentence that says what is wrong."""
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} has no config.json: it is not the folder of a model that transformers can read.")
    _refuse_ways_out(folder)
    files = safetensors_files(folder)
    refuse_code(folder)
    template = chat_template(folder)
    if template is None and is_encoder(folder):
        return Weights(folder, hash_files(files), None, count_weights(folder))
    if template is None:
        raise BadInput(
            f"{folder} has no chat template, so it cannot hold a conversation: choose an instruct or chat variant, "
            f"or give it one: `--template {offer(folder)}`, or a file of your own."
        )
    check_vocabulary(folder, template)
    return Weights(folder, hash_files(files), text_sha256(template), count_weights(folder))


def inspect_adapter(folder: Path) -> AdapterWeights:
    """What an adapter's folder holds; raises as `inspect_base`."""
    _refuse_ways_out(folder)
    config = read_json(folder / "adapter_config.json")
    if config is None:
        raise BadInput(f"{folder / 'adapter_config.json'} is not readable JSON; save the adapter again with PEFT.")
    if str(config.get("peft_type", "LORA")).upper() != "LORA":
        raise BadInput(f"{folder} holds a {config['peft_type']} adapter, and only LoRA adapters can be used.")
    check_modules(config)
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        safetensors_files(folder)  # refuses pickles with the better sentence
        raise NotFound(f"{folder} has no adapter_model.safetensors: the adapter's weights are missing.")
    read_header(weights)  # refuses a file that is not whole
    return AdapterWeights(folder, hash_files([weights]), str(config.get("base_model_name_or_path") or ""))


def chat_template(folder: Path) -> str | None:
    """The chat template of a tokenizer's folder as transformers finds it, or None."""
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        return jinja.read_text(encoding="utf-8")
    found = (read_json(folder / "tokenizer_config.json") or {}).get("chat_template")
    if isinstance(found, list):  # several by name; the default one counts
        named = {item.get("name"): item.get("template") for item in found if isinstance(item, dict)}
        found = named.get("default")
    return found if isinstance(found, str) and found else None


def is_encoder(folder: Path) -> bool:
    """Whether a folder holds a model that reads and cannot answer, by what its configuration says."""
    return (read_json(folder / "config.json") or {}).get("model_type") in _ENCODERS


def _refuse_ways_out(folder: Path) -> None:
    """Raise Refused where a link leads out of the folder."""
    root = folder.resolve()
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise Refused(
                f"{path} is a link that leads out of the folder; make a copy without links (`cp -rL`) and add that."
            )
