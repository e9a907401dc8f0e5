"""The forms in which a model leaves, known to both sides: the studio that offers them, the trainers that write them."""

from collections.abc import Mapping

FORMS: Mapping[str, str] = {
    "adapter": "its files, for the same base elsewhere",
    "merged": "in its base, in the base's number format",
    "full": "in its base, in float32",
    "trl": "adapter, tokenizer and base (or its Hub id), as PEFT's AutoPeftModelForCausalLM and TRL read it",
    "ollama": "merged, with the Modelfile that `ollama create` reads",
    "gguf": "one file for llama.cpp, by its own converter (RATCHET_LLAMA_CPP)",
}
"""By name, with what each is for."""
BASE_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "LICENSE*", "README.md")
"""What a base's folder needs to be read elsewhere; nothing that could run code."""
OF_ADAPTERS = frozenset({"adapter", "trl"})
"""Forms that only an adapter has."""
