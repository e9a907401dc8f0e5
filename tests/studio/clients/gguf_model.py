"""The starter as a GGUF file, so that llama.cpp answers with the same weights; needs the package `gguf`.

Its tokenizer puts a space before every piece of text between two marks, which GGUF's BPE does not know; the chat
template that is written there puts it in.
"""

import json
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|> {{ message['content'] | trim }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_NORMAL, _CONTROL = 1, 3  # GGUF's kinds of tokens


def write(folder: Path, target: Path) -> None:
    """Write a Llama's folder (safetensors, byte-level BPE) as one GGUF file in float32."""
    import gguf

    config = json.loads((folder / "config.json").read_text())
    heads = config["num_attention_heads"]
    writer = gguf.GGUFWriter(str(target), "llama")
    writer.add_name("starter")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, folder, config["eos_token_id"], config["pad_token_id"])
    for name, weights in _weights(folder / "model.safetensors", heads, config["num_key_value_heads"]).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokenizer(writer: Any, folder: Path, end: int, pad: int) -> None:
    said = json.loads((folder / "tokenizer.json").read_text())
    marks = {token["id"]: token["content"] for token in said["added_tokens"]}
    words = {number: word for word, number in said["model"]["vocab"].items()} | marks
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")  # digits one by one, then GPT-2's pattern
    writer.add_token_list([words[number] for number in range(len(words))])
    writer.add_token_types([_CONTROL if number in marks else _NORMAL for number in range(len(words))])
    writer.add_token_merges([" ".join(pair) for pair in said["model"]["merges"]])
    writer.add_eos_token_id(end)
    writer.add_bos_token_id(end)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _weights(file: Path, heads: int, kv_heads: int) -> dict[str, Any]:
    """The tensors by GGUF's names; queries and keys in the order that its rotary embedding wants."""
    from safetensors.torch import load_file

    names = {
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    }  # fmt: skip
    outer = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    found = {}
    for name, tensor in load_file(file).items():
        weights = tensor.float().numpy()
        if name in outer:
            found[outer[name]] = weights
            continue
        _, _, layer, rest = name.split(".", 3)
        inner = rest.removesuffix(".weight")
        if inner in ("self_attn.q_proj", "self_attn.k_proj"):
            weights = _permuted(weights, heads if inner.endswith("q_proj") else kv_heads)
        found[f"blk.{layer}.{names[inner]}.weight"] = weights
    return found


def _permuted(weights: Any, heads: int) -> Any:
    """Halves of a head's dimensions interleaved, as llama.cpp's conversion does."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns).copy()
