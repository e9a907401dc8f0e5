"""llama.cpp's own converter, where it is at hand: RATCHET_LLAMA_CPP names a clone of its repository.

The model is a small random one with the genuine tokenizer of Qwen 2, which the clone brings as a vocabulary file: the
converter only writes models whose tokenizer it knows.
"""

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from trainers.export import Export, export

LLAMA_CPP = os.environ.get("RATCHET_LLAMA_CPP", "")
VOCABULARY = Path(LLAMA_CPP) / "models" / "ggml-vocab-qwen2.gguf"
MISSING = [name for name in ("gguf", "sentencepiece", "xllamacpp") if importlib.util.find_spec(name) is None]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
pytestmark = [
    pytest.mark.torch,
    pytest.mark.slow,
    pytest.mark.skipif(
        not LLAMA_CPP or not VOCABULARY.is_file(), reason="RATCHET_LLAMA_CPP names no clone of llama.cpp"
    ),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


def tokenizer() -> Any:
    """The tokenizer of Qwen 2, put together again from the words and merges of the vocabulary file."""
    import gguf
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    fields = gguf.GGUFReader(str(VOCABULARY)).fields
    tokens, kinds = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type"))
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"].contents()]
    words = {token: at for at, token in enumerate(tokens) if kinds[at] == gguf.TokenType.NORMAL}
    raw = Tokenizer(models.BPE(vocab=words, merges=merges))
    raw.normalizer = normalizers.NFC()
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(WORDS), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    raw.decoder = decoders.ByteLevel()
    marks = [token for at, token in enumerate(tokens) if kinds[at] == gguf.TokenType.CONTROL]
    raw.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = TEMPLATE
    return made


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A base and an adapter on it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("qwen")
    words = tokenizer()
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, tie_word_embeddings=True, max_position_embeddings=2048, initializer_range=0.3,
            bos_token_id=None, eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id,
        )
    )  # fmt: skip
    model.save_pretrained(folder / "base")
    words.save_pretrained(folder / "base")
    changes = LoraConfig(r=4, lora_alpha=16, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(model, changes).save_pretrained(folder / "adapter")
    return folder / "base", folder / "adapter"


def test_a_trained_model_answers_alike_in_llama_cpp(taught: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = taught

    found = export(Export("taught", str(base), str(adapter), "gguf", str(tmp_path / "out"), llama_cpp=LLAMA_CPP))

    test = found["self_test"]
    assert (test["prompts"], test["same_answers"], test["agreement"], test["tensors"]) == (5, 5, 1.0, 26)
    assert test["tokens"] > 100
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.md", "taught.gguf"]
