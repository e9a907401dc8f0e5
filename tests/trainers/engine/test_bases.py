"""What is loaded, what is refused and with which sentence, and who makes room."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput, Conflict, NotFound, Refused
from tests.trainers.engine import tiny
from tests.trainers.engine.asking import ask, generated

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]


@pytest.fixture
def bases(make_bases: Make, tiny_models: Models) -> Any:
    held = make_bases()
    held.load_base("base", tiny_models["base"])
    return held


def names(bases: Any) -> list[str]:
    return [line.name for line in bases.listed()]


def test_loading_twice_is_loading_once(bases: Any, tiny_models: Models) -> None:
    lane = bases.find("base").lane
    first = bases.load_adapter("a", tiny_models["a"], "base")

    assert bases.load_base("base", tiny_models["base"]) == lane.base.sha256
    assert bases.load_adapter("a", tiny_models["a"], "base") == first
    assert bases.find("base").lane is lane
    assert names(bases) == ["base", "a"]


def test_a_name_is_taken_by_one_model(bases: Any, tiny_models: Models) -> None:
    bases.load_adapter("a", tiny_models["a"], "base")

    for load in (
        lambda: bases.load_adapter("a", tiny_models["b"], "base"),
        lambda: bases.load_adapter("base", tiny_models["b"], "base"),
        lambda: bases.load_base("a", tiny_models["other"]),
        lambda: bases.load_base("base", tiny_models["other"]),
    ):
        with pytest.raises(Conflict, match="Another model is loaded as"):
            load()
    assert names(bases) == ["base", "a"]


def test_the_adapter_asked_longest_ago_makes_room(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases(most_adapters=2)
    bases.load_base("base", tiny_models["base"])
    bases.load_adapter("a", tiny_models["a"], "base")
    bases.load_adapter("b", tiny_models["b"], "base")
    bases.find("a")

    bases.load_adapter("dora", tiny_models["dora"], "base")

    assert names(bases) == ["base", "a", "dora"]


def test_an_adapter_of_another_base_is_refused_and_leaves_nothing_behind(bases: Any, tiny_models: Models) -> None:
    before = ask(bases, "base")
    before.wait()

    with pytest.raises(BadInput, match=r"does not fit the base 'base': model.layers.0.\S+ has size"):
        bases.load_adapter("foreign", tiny_models["other-a"], "base")

    after = ask(bases, "base")
    after.wait()
    assert (names(bases), after.tokens) == (["base"], before.tokens)


def test_an_adapter_trained_on_other_weights_of_the_same_shape_is_refused(
    bases: Any, tiny_models: Models, tmp_path: Path
) -> None:
    """Shapes cannot tell two tunes of one architecture apart; the run's spec beside the adapter can."""
    run = tmp_path / "run"
    shutil.copytree(tiny_models["a"], run / "adapter")
    (run / "spec.json").write_text(json.dumps({"base_sha256": "0" * 64}))

    with pytest.raises(BadInput, match="was trained on other weights"):
        bases.load_adapter("a", run / "adapter", "base")


def test_a_layer_that_the_base_lacks_is_named(bases: Any, tiny_models: Models, tmp_path: Path) -> None:
    deep = tiny.save_base(tmp_path / "deep", num_hidden_layers=3)
    adapter = tiny.save_adapter(tmp_path / "deep-a", deep, 1)

    with pytest.raises(BadInput, match=r"that base has no layer model.layers.2"):
        bases.load_adapter("deep", adapter, "base")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"peft_type": "IA3"}, Refused, "of type IA3"),
        ({"init_lora_weights": "pissa"}, Refused, "also changes the base's weights"),
        ({"bias": "all"}, Refused, "trains biases"),
        ({"target_modules": ["nothing"]}, BadInput, "cannot be put on the base 'base'"),
    ],
)
def test_adapters_that_the_engine_cannot_answer_for_are_refused(
    bases: Any, tiny_models: Models, tmp_path: Path, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(tiny_models["a"], folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | options))

    with pytest.raises(error, match=words):
        bases.load_adapter("changed", folder, "base")

    bases.load_adapter("a", tiny_models["a"], "base")
    one = ask(bases, "a")
    one.wait()
    assert one.tokens == generated(tiny_models["base"], tiny_models["a"], one.row.prompt, 24)


def test_an_adapter_file_that_was_cut_off_is_refused(bases: Any, tiny_models: Models, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(tiny_models["a"], folder)
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])

    with pytest.raises(BadInput, match="cannot be read"):
        bases.load_adapter("cut", folder, "base")


def test_an_adapter_that_lacks_a_weight_is_refused_and_leaves_nothing_behind(
    bases: Any, tiny_models: Models, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "gap"
    shutil.copytree(tiny_models["a"], folder)
    state = load_file(folder / "adapter_model.safetensors")
    state.pop(sorted(state)[0])
    save_file(state, folder / "adapter_model.safetensors")

    with pytest.raises(BadInput, match="does not hold"):
        bases.load_adapter("gap", folder, "base")

    one = ask(bases, "base")
    one.wait()
    assert one.tokens == generated(tiny_models["base"], None, one.row.prompt, 24)


def test_an_adapter_with_nan_is_refused_before_it_meets_other_rows(
    bases: Any, tiny_models: Models, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "nan"
    shutil.copytree(tiny_models["a"], folder)
    state = load_file(folder / "adapter_model.safetensors")
    state[min(state)][0, 0] = float("nan")
    save_file(state, folder / "adapter_model.safetensors")

    with pytest.raises(BadInput, match="holds numbers that are not finite"):
        bases.load_adapter("nan", folder, "base")


def test_a_folder_of_pickles_is_refused(bases: Any, tiny_models: Models, tmp_path: Path) -> None:
    base, adapter = tmp_path / "pickle", tmp_path / "pickle-a"
    shutil.copytree(tiny_models["base"], base)
    shutil.copytree(tiny_models["a"], adapter)
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")

    with pytest.raises(Refused, match="only as a pickle"):
        bases.load_base("pickle", base)
    with pytest.raises(Refused, match="is a pickle"):
        bases.load_adapter("pickle-a", adapter, "base")


def test_a_base_without_a_chat_template_is_refused(bases: Any, tmp_path: Path) -> None:
    folder = tiny.save_base(tmp_path / "mute")
    tiny.save_tokenizer(folder, template=None)
    (folder / "chat_template.jinja").unlink()

    with pytest.raises(BadInput, match="has no chat template"):
        bases.load_base("mute", folder)

    assert names(bases) == ["base"]


def test_code_in_a_folder_is_not_run(bases: Any, tiny_models: Models, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    shutil.copytree(tiny_models["base"], folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")

    with pytest.raises(BadInput, match="cannot be loaded"):
        bases.load_base("code", folder)

    assert not (tmp_path / "ran").exists()


def test_an_adapters_folder_is_no_base(bases: Any, tiny_models: Models) -> None:
    with pytest.raises(BadInput, match="holds an adapter, not a base"):
        bases.load_base("a", tiny_models["a"])


def test_what_is_not_loaded_is_named_with_what_is(bases: Any, tiny_models: Models) -> None:
    with pytest.raises(NotFound, match="'nobody' is not loaded; loaded are: base"):
        bases.find("nobody")
    with pytest.raises(NotFound, match="load it before the adapter 'a'"):
        bases.load_adapter("a", tiny_models["a"], "nobody")
    with pytest.raises(NotFound, match="cannot be unloaded"):
        bases.unload_adapter("a")


def test_hashes_follow_the_files(tmp_path: Path) -> None:
    import hashlib

    from trainers.engine.hashes import Hashes

    hashes = Hashes(tmp_path / "hashes.json")
    one, two = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    one.write_bytes(b"one")
    two.write_bytes(b"two")

    assert hashes.of([one]) == hashlib.sha256(b"one").hexdigest()
    assert hashes.of([two, one]) == hashlib.sha256(b"onetwo").hexdigest()
    one.write_bytes(b"other")
    assert Hashes(tmp_path / "hashes.json").of([one]) == hashlib.sha256(b"other").hexdigest()
