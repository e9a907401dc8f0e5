"""A tiny random Llama, its tokenizer and adapters, saved as a person's folders would be: enough for all logic."""

from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "<|im_start|>assistant\n{% generation %}{{ message['content'] }}<|im_end|>{% endgeneration %}{{ '\n' }}"
    "{% else %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
UNMARKED = TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
CORPUS = [
    "What is the capital of France? The capital of France is Paris.",
    "Good morning, how are you today? I am well, thank you.",
    "Größe, naïve, 東京 and 😀 are words and signs; 👩‍👩‍👧 is a family.",
    "one two three four five six seven eight nine ten",
] * 8


def save_tokenizer(folder: Path, template: str | None = TEMPLATE) -> Any:
    """A byte-level BPE tokenizer with ChatML's turns; its config names no end token but <|endoftext|>."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    raw.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return tokenizer


def save_base(folder: Path, seed: int = 0, hidden: int = 48, kind: str = "llama", **more: Any) -> Path:
    """A random model of two layers; `seed` makes another one of the same shape."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = save_tokenizer(folder)
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": hidden // 4,
        "max_position_embeddings": 65536,
        "initializer_range": 0.3,  # far enough apart that greedy choices are no near-ties
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = AutoConfig.for_model(kind, **(sizes | more))
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    # It goes on until it is stopped: the tokens that end an answer are never the likeliest.
    model.get_output_embeddings().weight.data[[0, 2]] = 0
    model.save_pretrained(folder)
    return folder


def save_adapter(folder: Path, base: Path, seed: int, targets: Any = "all-linear", **more: Any) -> Path:
    """A LoRA with random weights on both sides, so that it changes every answer."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(seed)
    options = {"r": 4, "lora_alpha": 8, "init_lora_weights": False, "task_type": "CAUSAL_LM"}
    peft = get_peft_model(model, LoraConfig(target_modules=targets, **(options | more)))
    peft.save_pretrained(folder)
    return folder


def take_padding(base: Path) -> Path:
    """The base as Llama 3 comes: no token to pad with, and answers end with more tokens than its tokenizer names.

    Every ninth token ends them, so that they are of unlike lengths.
    """
    import json

    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(base), AutoModelForCausalLM.from_pretrained(base)
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(9, len(tokenizer), 9)]
    model.generation_config.pad_token_id = model.config.pad_token_id = None
    model.save_pretrained(base)
    path = base / "tokenizer_config.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    del said["pad_token"]
    path.write_text(json.dumps(said), encoding="utf-8")
    return base
