"""Weights are read by their header alone; what is torn, foreign or a pickle is told."""

import json
from pathlib import Path

import pytest

from storage.errors import BadInput, NotFound, Refused
from storage.weights import Tensor, count_weights, hash_files, read_header, safetensors_files


def safetensors(path: Path, header: dict[str, object], size: int) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * size)
    return path


HEADER = {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}


def test_a_header_tells_the_tensors(tmp_path: Path) -> None:
    path = safetensors(tmp_path / "model.safetensors", HEADER, 24)

    assert read_header(path) == [Tensor("a", "F32", (2, 3))]
    assert count_weights(tmp_path) == 6


@pytest.mark.parametrize(
    ("size", "sentence"), [(23, "it ends too early: 1 bytes are missing"), (25, "its length does not fit its header")]
)
def test_a_torn_file_is_told(size: int, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=sentence):
        read_header(safetensors(tmp_path / "x.safetensors", HEADER, size))


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"\xff" * 16])
def test_what_is_no_safetensors_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)

    with pytest.raises(BadInput, match="is not a whole safetensors file"):
        read_header(tmp_path / "x.safetensors")


def test_a_hash_is_over_the_files_by_name_whatever_their_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    first.write_bytes(b"one")
    second.write_bytes(b"two")

    assert hash_files([second, first]) == hash_files([first, second]) != hash_files([first])


def test_a_folder_of_pickles_and_an_empty_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="holds no safetensors file"):
        safetensors_files(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(Refused, match=r"only as a pickle \(pytorch_model.bin\)"):
        safetensors_files(tmp_path)
