"""A model's folder is judged without loading it: safetensors only, whole, with a chat template, without ways out."""

import hashlib
import json
from pathlib import Path

import pytest

from storage.errors import BadInput, NotFound, RatchetError, Refused
from studio.training.folders import chat_template, inspect_adapter, inspect_base
from tests.studio.training.project import TEMPLATE, write_adapter, write_base, write_safetensors


def test_a_base_is_hashed_and_its_weights_are_counted_from_the_header(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")

    found = inspect_base(folder)

    assert found.parameters == 14
    assert found.sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert found.template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()


def test_shards_count_together_and_are_hashed_by_name(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    write_safetensors(folder / "extra.safetensors", more=(10,))
    both = (folder / "extra.safetensors").read_bytes() + (folder / "model.safetensors").read_bytes()

    assert inspect_base(folder).parameters == 24
    assert inspect_base(folder).sha256 == hashlib.sha256(both).hexdigest()


def test_the_template_may_lie_in_a_file_of_its_own_or_in_a_list(tmp_path: Path) -> None:
    named = [{"name": "tools", "template": "t"}, {"name": "default", "template": "d"}]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert chat_template(tmp_path) == "d"

    (tmp_path / "chat_template.jinja").write_text("own file")
    assert chat_template(tmp_path) == "own file"


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _pickled(folder: Path) -> None:
    _without_weights(folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")


def _without_template(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{}")


def _without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _with_a_way_out(folder: Path) -> None:
    (folder / "secret.json").symlink_to("/etc/passwd")


def _cut_short(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-20])


def _no_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 100)


@pytest.mark.parametrize(
    ("harm", "kind", "sentence"),
    [
        (_without_weights, NotFound, "holds no safetensors file"),
        (_pickled, Refused, "holds its weights only as a pickle (pytorch_model.bin)"),
        (_without_template, BadInput, "has no chat template"),
        (_without_config, NotFound, "has no config.json"),
        (_with_a_way_out, Refused, "is a link that leads out of the folder"),
        (_cut_short, BadInput, "ends too early: 20 bytes are missing"),
        (_no_header, BadInput, "is not a whole safetensors file"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(
    tmp_path: Path, harm: object, kind: type[RatchetError], sentence: str
) -> None:
    folder = write_base(tmp_path / "base")
    assert callable(harm)
    harm(folder)

    with pytest.raises(kind) as refusal:
        inspect_base(folder)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    "header",
    ["[]", '{"a": 1}', '{"a": {"shape": [2]}}', '{"a": {"shape": ["x"], "data_offsets": [0, 0]}}', "{"],
)
def test_a_header_that_is_no_list_of_tensors_is_refused(tmp_path: Path, header: str) -> None:
    folder = write_base(tmp_path / "base")
    (folder / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header.encode())

    with pytest.raises(BadInput):
        inspect_base(folder)


def test_an_adapter_names_its_base(tmp_path: Path) -> None:
    found = inspect_adapter(write_adapter(tmp_path / "adapter", "/models/base"))

    assert found.base == "/models/base"


def test_an_adapter_as_a_pickle_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    pickled = write_adapter(tmp_path / "pickled", "b")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    other = write_adapter(tmp_path / "other", "b")
    (other / "adapter_config.json").write_text('{"peft_type": "PREFIX_TUNING"}')

    with pytest.raises(Refused, match="as a pickle"):
        inspect_adapter(pickled)
    with pytest.raises(BadInput, match="holds a PREFIX_TUNING adapter"):
        inspect_adapter(other)


def test_an_encoder_needs_no_chat_template(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "bert")
    (folder / "tokenizer_config.json").write_text("{}")
    with pytest.raises(BadInput, match="has no chat template"):
        inspect_base(folder)

    (folder / "config.json").write_text('{"model_type": "bert"}')

    assert inspect_base(folder).template_sha256 is None
