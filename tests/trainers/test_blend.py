"""Adapters mixed into one: what each way computes, what is measured of it, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from storage import rounds
from storage.errors import BadInput
from storage.home import read_json
from storage.models import add_model, get_model, lineage
from storage.store import Store
from storage.weights import hash_files, read_header
from studio.people.roles import Actor
from studio.rounds import gate
from studio.training.mixing import Recipe, mix
from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.blend import Mixture, Part, blend

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def parts(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Part, Part]:
    """Two adapters with unlike weights and unlike scales."""
    folder = tmp_path_factory.mktemp("parts")
    first = tiny.save_adapter(folder / "terse", tiny_base, seed=1)
    second = tiny.save_adapter(folder / "warm", tiny_base, seed=2, lora_alpha=16)
    return Part("terse", str(first), 0.75), Part("warm", str(second), 0.25)


def mixture(base: Path, parts: tuple[Part, ...], how: str, out: Path, before: str | None = None) -> Mixture:
    return Mixture("both", str(base), parts, how, 0.5, 3, str(out), before, str(out.parent))


def _changes(base: Path, folder: str) -> dict[str, "object"]:
    """What an adapter adds to each weight of the base."""
    from peft import PeftModel

    from trainers.whole import load_exactly

    plain = {name: tensor.clone() for name, tensor in load_exactly(base).state_dict().items()}
    merged = PeftModel.from_pretrained(load_exactly(base), folder, torch_device="cpu").merge_and_unload()
    return {name: tensor - plain[name] for name, tensor in merged.state_dict().items()}


def test_cat_is_the_weighted_sum_exactly(tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path) -> None:
    import torch

    found = blend(mixture(tiny_base, parts, "cat", tmp_path / "both"))

    terse, warm = (_changes(tiny_base, part.path) for part in parts)
    for name, change in _changes(tiny_base, found["path"]).items():
        torch.testing.assert_close(change, 0.75 * terse[name] + 0.25 * warm[name], atol=1e-5, rtol=1e-4)
    assert found["rank"] == 8
    config = read_json(tmp_path / "both" / "adapter_config.json") or {}
    assert (config["r"], config["lora_alpha"], config["use_rslora"]) == (8, 8, False)


@pytest.mark.parametrize("how", ["linear", "ties", "dare_linear", "dare_ties"])
def test_the_other_ways_keep_the_rank_and_come_out_alike(
    how: str, tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path
) -> None:
    found = blend(mixture(tiny_base, parts, how, tmp_path / "both"))
    again = blend(mixture(tiny_base, parts, how, tmp_path / "again"))

    assert found["rank"] == 4
    assert found["adapter_sha256"] == again["adapter_sha256"]
    assert found["max_logit_difference"] > 0
    assert {tensor.shape for tensor in read_header(tmp_path / "both" / "adapter_model.safetensors")} == {
        tensor.shape for tensor in read_header(Path(parts[0].path) / "adapter_model.safetensors")
    }


def test_mixing_makes_a_measured_candidate_with_a_round_of_its_own(
    store: Store, tiny_base: Path, parts: tuple[Part, Part]
) -> None:
    base = building.add_base(store, tiny_base)
    for part in parts:
        add_model(store, part.name, "adapter", base_id=base.id, parent_id=base.id, path=part.path)

    made = mix(store, Actor("tim", "trainer"), Recipe("both", ("terse", "warm"), "ties", (0.75, 0.25))).to_json()

    assert (made["model"], made["parents"], made["round"], made["study"]) == ("both", ["terse", "warm"], 1, "round-1")
    model = get_model(store, "both")
    assert model.adapter_sha256 == hash_files([store.home.model("both") / "adapter_model.safetensors"])
    assert [one.name for one in lineage(store, model)] == ["both", "terse", "warm", "tiny"]
    report = gate.report(store, rounds.get_round(store, 1))
    assert report is not None
    states = {check.name: check.state for check in report.checks}
    assert (states["votes"], states["canaries"] != "open", states["forgetting"] != "open") == ("open", True, True)
    assert sorted(path.name for path in store.home.models.iterdir()) == ["both"]
    assert [path.name for path in store.home.runs.iterdir()] == []


def test_adapters_on_a_base_without_a_token_to_pad_with_are_mixed_and_measured(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tiny.take_padding(tiny.save_base(tmp_path_factory.mktemp("bases") / "tiny"))
    adapters = [tiny.save_adapter(tmp_path_factory.mktemp("parts"), base, seed=seed) for seed in (1, 2)]
    both = Part("terse", str(adapters[0]), 0.5), Part("warm", str(adapters[1]), 0.5)

    found = blend(mixture(base, both, "linear", tmp_path / "both"))

    assert len(found["evaluation"]["canaries"]) == 8
    assert all(one["after"] for one in found["evaluation"]["canaries"])


def test_parts_with_rslora_are_scaled_once(tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path) -> None:
    import torch

    rooted = tiny.save_adapter(tmp_path / "rooted", tiny_base, seed=5, use_rslora=True)
    found = blend(
        mixture(tiny_base, (Part("rooted", str(rooted), 1.0), parts[1]._replace(weight=1.0)), "cat", tmp_path / "both")
    )

    sides = [_changes(tiny_base, folder) for folder in (str(rooted), parts[1].path)]
    for name, change in _changes(tiny_base, found["path"]).items():
        torch.testing.assert_close(change, sides[0][name] + sides[1][name], atol=1e-5, rtol=1e-4)


def test_it_is_measured_as_a_run_is(tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path) -> None:
    from storage.runs import freeze_rows
    from tests.trainers.building import conversations

    freeze_rows(tmp_path / "earlier.parquet", conversations(4))
    prompt = json.dumps([{"role": "user", "content": "What is the capital of France?"}])
    freeze_rows(tmp_path / "canaries.parquet", [{"id": "1", "prompt": prompt}])

    found = blend(mixture(tiny_base, parts, "cat", tmp_path / "both", before=parts[0].path))["evaluation"]

    (canary,) = found["canaries"]
    assert canary["prompt"] == "What is the capital of France?"
    assert canary["same"] is (canary["before"] == canary["after"])
    assert found["forgetting"]["earlier"]["rows"] == 4
    assert found["forgetting"]["earlier"]["before"] != found["forgetting"]["earlier"]["after"]


def test_measured_against_itself_nothing_has_changed(tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path) -> None:
    """What is measured is what was written: the same adapter read from its files says the same before and after."""
    made = blend(mixture(tiny_base, parts, "cat", tmp_path / "both"))
    halves = (Part("both", made["path"], 0.5), Part("both again", made["path"], 0.5))

    found = blend(mixture(tiny_base, halves, "cat", tmp_path / "halves", before=made["path"]))["evaluation"]

    assert [one["same"] for one in found["canaries"]] == [True] * 8
    change = found["forgetting"]["base_answers"]
    assert change["after"] == pytest.approx(change["before"], abs=1e-4)


def test_the_card_names_parts_weights_and_way(tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path) -> None:
    blend(mixture(tiny_base, parts, "dare_ties", tmp_path / "both"))

    card = (tmp_path / "both" / "README.md").read_text()
    assert "| terse | 0.75 |\n| warm | 0.25 |" in card
    assert "| Mixed by | dare_ties |\n| Density | 0.5 |\n| Seed | 3 |\n| Rank | 4 |" in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"how": "soup"}, 'not by "soup"'),
        ({"parts": 1}, "Name at least two adapters to mix."),
        ({"parts": "against itself"}, "would answer exactly as its base: the weights cancel out."),
    ],
)
def test_what_cannot_be_mixed_is_refused_and_leaves_nothing(
    change: dict[str, object], sentence: str, tiny_base: Path, parts: tuple[Part, Part], tmp_path: Path
) -> None:
    wish = mixture(tiny_base, parts, "cat", tmp_path / "both")
    if change.get("parts") == 1:
        wish = replace(wish, parts=parts[:1])
    elif change.get("parts"):
        wish = replace(wish, parts=(parts[0]._replace(weight=1.0), parts[0]._replace(weight=-1.0)))
    else:
        wish = replace(wish, how=str(change["how"]))

    with pytest.raises(BadInput, match=sentence):
        blend(wish)

    assert list(tmp_path.iterdir()) == []
