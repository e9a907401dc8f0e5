"""How many bases are held: as many as fit into memory, the idlest put out, and one that never fits refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.errors import Conflict, MovedAside, NotReady, Refused
from tests.trainers.engine import tiny
from tests.trainers.engine.asking import ask, generated

pytestmark = pytest.mark.torch

Make = Callable[..., Any]
Models = dict[str, Path]


def need(bases: Any, folder: Path) -> float:
    size: float = bases.room.need(folder, False, None).total
    return size


def names(bases: Any) -> list[str]:
    return [line.name for line in bases.listed()]


def test_what_is_held_is_reckoned_as_it_was_needed(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])
    bases.load_base("other", tiny_models["other"])

    assert names(bases) == ["base", "other"]
    assert bases.memory() == need(bases, tiny_models["base"]) + need(bases, tiny_models["other"])


def test_the_base_asked_longest_ago_makes_room(make_bases: Make, tiny_models: Models, tmp_path: Path) -> None:
    bases = make_bases(memory=need(make_bases(), tiny_models["base"]) + need(make_bases(), tiny_models["other"]))
    bases.load_base("base", tiny_models["base"])
    bases.load_base("other", tiny_models["other"])
    bases.find("base")
    third = tiny.save_base(tmp_path / "third", seed=9)

    bases.load_base("third", third)

    assert names(bases) == ["base", "third"]
    one = ask(bases, "third")
    one.wait()
    assert one.tokens == generated(third, None, one.row.prompt, 24)


def test_bases_that_answer_are_never_put_out(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases(memory=need(make_bases(), tiny_models["other"]))
    bases.load_base("base", tiny_models["base"])
    streaming = ask(bases, "base", tokens=450)
    streaming.next()

    with pytest.raises(NotReady, match=r"'other' needs about .* GB .* are left as --memory says; ask again"):
        bases.load_base("other", tiny_models["other"])
    with pytest.raises(Conflict, match="is answering"):
        bases.unload_base("base")

    streaming.row.cancel()
    streaming.wait()
    bases.load_base("other", tiny_models["other"])
    assert names(bases) == ["other"]


def test_a_base_that_never_fits_is_refused_with_numbers_and_puts_nobody_out(
    make_bases: Make, tiny_models: Models
) -> None:
    bases = make_bases(memory=need(make_bases(), tiny_models["base"]))
    bases.load_base("base", tiny_models["base"])

    with pytest.raises(Refused, match=r"needs about [\d.e-]+ GB \(.* weights and .* may use [\d.e-]+ GB .*never fits"):
        bases.load_base("other", tiny_models["other"])

    assert names(bases) == ["base"]


def test_what_is_free_is_the_budget_where_none_was_given(make_bases: Make) -> None:
    room = make_bases().room

    assert room.asked is None
    assert 0 < room.left(0) < room.most()


def test_quantised_weights_are_refused_where_no_kernel_is(make_bases: Make) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has kernels for quantised weights")
    with pytest.raises(
        Refused, match=r"kernels for CUDA, and this engine computes on \w+; start it without --quantise"
    ):
        make_bases(quantise="4bit")


def test_a_file_that_is_cut_short_under_a_loaded_base_changes_nothing(
    make_bases: Make, tiny_models: Models, tmp_path: Path
) -> None:
    """Weights in pages of the file would change with it, and reading beyond its new end kills the process."""
    folder, adapter = tmp_path / "base", tmp_path / "a"
    shutil.copytree(tiny_models["base"], folder)
    shutil.copytree(tiny_models["a"], adapter)
    bases = make_bases()
    sha256 = bases.load_base("base", folder)
    loaded = bases.load_adapter("a", adapter, "base")
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(4096)
    with (adapter / "adapter_model.safetensors").open("r+b") as file:
        file.truncate(64)

    one = ask(bases, "a")
    one.wait()

    assert one.tokens == generated(tiny_models["base"], tiny_models["a"], one.row.prompt, 24)
    assert [line.sha256 for line in bases.listed()] == [sha256, loaded]


def test_exact_answers_come_from_a_twin_in_float32(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases("bfloat16")
    bases.load_base("base", tiny_models["base"])
    bases.load_adapter("a", tiny_models["a"], "base")

    rounded, exact = bases.find("a"), bases.find("a", exact=True)

    assert (rounded.lane.base.dtype, exact.lane.base.dtype) == ("bfloat16", "float32")
    assert (exact.lane.base.sha256, exact.adapter.sha256) == (rounded.lane.base.sha256, rounded.adapter.sha256)
    assert bases.find("a", exact=True) == exact
    assert (bases.exact(), names(bases)) == (["base"], ["base", "a"])
    one = ask(bases, "a", target=exact)
    one.wait()
    assert one.tokens == generated(tiny_models["base"], tiny_models["a"], one.row.prompt, 24)


def test_a_base_in_float32_is_its_own_twin(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases()
    bases.load_base("base", tiny_models["base"])

    assert bases.find("base", exact=True) == bases.find("base")
    assert bases.exact() == []


def test_the_twin_is_the_first_to_make_room(make_bases: Make, tiny_models: Models) -> None:
    base, other = tiny_models["base"], tiny_models["other"]
    plain = make_bases("bfloat16")
    both = need(plain, base) + plain.room.need(base, True, None).total
    bases = make_bases("bfloat16", memory=max(both, need(plain, base) + need(plain, other)))
    bases.load_base("base", base)
    bases.find("base", exact=True)

    bases.load_base("other", other)

    assert (names(bases), bases.exact()) == (["base", "other"], [])


def test_a_twin_is_not_made_from_files_that_were_exchanged(
    make_bases: Make, tiny_models: Models, tmp_path: Path
) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_models["base"], folder)
    bases = make_bases("bfloat16")
    sha256 = bases.load_base("base", folder)
    tiny.save_base(folder, seed=77)

    with pytest.raises(Conflict, match="no longer those that answer as 'base'; load it anew"):
        bases.find("base", exact=True)

    assert (bases.exact(), bases.find("base").lane.base.sha256) == ([], sha256)


def test_moving_aside_takes_the_twin_as_well(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases("bfloat16")
    bases.load_base("base", tiny_models["base"])
    bases.find("base", exact=True)

    bases.put_all_out(0)
    bases.refusal = lambda: MovedAside("The engine has moved aside.")

    assert (bases.exact(), names(bases), bases.memory()) == ([], [], 0)
    with pytest.raises(MovedAside):
        bases.find("base", exact=True)


def test_a_twin_goes_with_its_base_and_an_adapter_from_both(make_bases: Make, tiny_models: Models) -> None:
    bases = make_bases("bfloat16")
    bases.load_base("base", tiny_models["base"])
    bases.load_adapter("a", tiny_models["a"], "base")
    twin = bases.find("a", exact=True).lane

    bases.unload_adapter("a")
    twin.call(lambda: None)
    twin.call(lambda: None)
    assert twin.adapters.mixable == {}

    bases.unload_base("base")
    assert (bases.exact(), names(bases), bases.memory()) == ([], [], 0)
