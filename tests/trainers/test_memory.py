"""What a base will take, and what a container leaves: reckoned without reading weights."""

import json
from pathlib import Path

import pytest

from trainers.memory import CACHED_TOKENS, base_need, cached_numbers, group_limit, left_to_group


def save_header(folder: Path, shapes: dict[str, list[int]]) -> Path:
    """A safetensors file of zeros in float32, and a config of 2 layers with 4 heads of 8."""
    folder.mkdir()
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))
    config = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 32}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_weights_and_cache_of_a_base(tmp_path: Path) -> None:
    folder = save_header(tmp_path / "base", {"embed.weight": [10, 8], "q_proj.weight": [8, 64], "norm.weight": [8]})

    need = base_need(folder, 2)

    assert need.weights == 2 * (80 + 512 + 8)
    assert need.cache == CACHED_TOKENS * 2 * (2 * 2 * 4 * 8)
    assert need.total == need.weights + need.cache


@pytest.mark.parametrize(("quantise", "size"), [("4bit", 0.5625), ("8bit", 1.01)])
def test_quantised_weights_are_those_of_layers_alone(tmp_path: Path, quantise: str, size: float) -> None:
    folder = save_header(tmp_path / "base", {"embed.weight": [10, 8], "q_proj.weight": [8, 64], "norm.weight": [8]})

    assert base_need(folder, 2, quantise).weights == 2 * (80 + 8) + size * 512


@pytest.mark.parametrize(
    ("config", "numbers"),
    [
        ({"num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2, "hidden_size": 896}, 6144),
        ({"num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 64, "head_dim": 32}, 768),
        ({"n_layer": 12, "n_head": 12, "n_embd": 768}, 18432),
        ({"text_config": {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 8}}, 16),
        ({"num_hidden_layers": "many"}, 0),
        ({}, 0),
    ],
)
def test_what_a_token_leaves_in_the_cache(config: dict[str, object], numbers: int) -> None:
    assert cached_numbers(config) == numbers


def test_a_container_has_what_its_group_leaves_and_pages_of_files_are_given_back(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    assert left_to_group(tmp_path) == 300

    (tmp_path / "memory.stat").write_text("anon 400\ninactive_file 250\nactive_file 50\n")
    assert (left_to_group(tmp_path), group_limit(tmp_path)) == (550, 1000)


def test_without_a_limit_a_group_leaves_everything(tmp_path: Path) -> None:
    assert left_to_group(tmp_path / "absent") == float("inf")
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("700\n")
    assert (left_to_group(tmp_path), group_limit(tmp_path)) == (float("inf"), float("inf"))
