"""CPO, SimPO and ORPO: TRL's formulas on our rows, from end to end."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from storage.home import read_json
from storage.specs.cpo import LOSSES, CPOOptions
from storage.specs.orpo import ORPOOptions
from tests.trainers import building

pytestmark = pytest.mark.torch


def some_logps() -> tuple[Any, Any]:
    """Log-probabilities of answers, from hopeless to certain."""
    import torch

    return -torch.tensor([0.01, 0.4, 2.0, 9.0, 30.0]), -torch.tensor([3.0, 0.5, 0.02, 8.0, 60.0])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("kind", ["sigmoid", "hinge", "ipo", "simpo"])
def test_losses_over_a_lead_are_trls(kind: str, smoothing: float) -> None:
    from trl.experimental.cpo import CPOTrainer

    from trainers.reference_free import cpo_losses

    chosen, rejected = some_logps()
    trl = SimpleNamespace(
        alpha=0.0, beta=0.7, simpo_gamma=0.5, loss_type=kind, label_smoothing=smoothing,
        accelerator=SimpleNamespace(device="cpu"),
    )  # fmt: skip

    expected, _, _ = CPOTrainer.cpo_loss(trl, chosen, rejected)

    assert cpo_losses(chosen - rejected, kind, 0.7, 0.5, smoothing).tolist() == pytest.approx(expected.tolist())


def test_the_odds_ratio_loss_is_trls_and_finite_at_both_ends() -> None:
    from trl.experimental.orpo import ORPOTrainer

    from trainers.reference_free import orpo_losses

    chosen, rejected = some_logps()
    trl = SimpleNamespace(beta=0.3, accelerator=SimpleNamespace(device="cpu"))

    expected = ORPOTrainer.odds_ratio_loss(trl, chosen, rejected)[0]

    assert orpo_losses(chosen, rejected, 0.3).tolist() == pytest.approx((-expected).tolist(), rel=1e-5)


def test_odds_can_be_learnt_from_where_an_answer_is_nearly_certain() -> None:
    import torch

    from trainers.reference_free import orpo_losses

    chosen = torch.tensor([-1e-6, -40.0], requires_grad=True)
    orpo_losses(chosen, torch.tensor([-1.0, -1e-6]), 0.1).sum().backward()

    assert chosen.grad is not None
    assert torch.isfinite(chosen.grad).all()


def test_what_is_minimised_depends_on_the_method() -> None:
    import torch

    from trainers.reference_free import Said, cpo_objective, orpo_objective

    said = Said(torch.tensor([-4.0]), torch.tensor([-12.0]), torch.tensor([2]), torch.tensor([4]))

    by_sum, by_token = cpo_objective(CPOOptions()), cpo_objective(CPOOptions(loss_type="simpo", simpo_gamma=0.5))
    assert by_sum.pairs(said).item() == pytest.approx(math.log1p(math.exp(-0.1 * 8)))
    assert by_token.pairs(said).item() == pytest.approx(math.log1p(math.exp(0.5 - 2.0 * 1)))
    assert [one.item() for one in by_token.rewards(said)] == [-4.0, -6.0]
    assert (by_sum.learning, by_token.learning) == (1.0, 0.0)
    assert orpo_objective(ORPOOptions()).learning == 1.0


def run_of(folder: Path, base: Path, method: str, rows: list[dict[str, Any]] | None = None, **spec: Any) -> list[Any]:
    """The metrics of a run: six epochs over its pairs."""
    options = {"epochs": 6, "learning_rate": 2e-3, **spec.pop("options", {})}
    building.make_run(folder, method, base, rows=rows or building.preferences(12), options=options, **spec)
    assert building.run_trainer(folder) == 0, building.log_of(folder)
    return building.events(folder, "metric")


@pytest.mark.parametrize("method", ["orpo", pytest.param("cpo", marks=pytest.mark.slow)])
def test_the_first_loss_is_what_the_base_gives_and_pairs_come_apart(
    method: str, tiny_base: Path, tmp_path: Path
) -> None:
    first, *_, last = run_of(tmp_path / method, tiny_base, method, options={"batch_size": 12})

    assert first["loss"] == pytest.approx(_by_hand(tiny_base, tmp_path / method, method), abs=1e-3)
    assert last["rewards/margins"] > first["rewards/margins"]
    assert last["rewards/accuracies"] == 1.0
    assert last["tokens_per_second"] > 0


def _by_hand(base: Path, run: Path, method: str) -> float:
    """The loss of all pairs, computed without TRL and without the fused head."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from storage.runs import thaw_rows
    from trainers.data_pairs import prepare_preferences, read_preferences

    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    rows = prepare_preferences(tokenizer, read_preferences(thaw_rows(run / "data.parquet")), 1024).rows
    said: dict[str, list[tuple[float, int]]] = {"chosen": [], "rejected": []}
    for row in rows:
        for side, found in said.items():
            ids = torch.tensor([row["prompt_ids"] + row[f"{side}_ids"]])
            with torch.no_grad():
                logps = model(ids).logits[0, :-1].log_softmax(-1)
            answer = range(len(row["prompt_ids"]), ids.shape[1])
            found.append((sum(float(logps[at - 1, ids[0, at]]) for at in answer), len(answer)))
    learning = -sum(total for total, _ in said["chosen"]) / sum(tokens for _, tokens in said["chosen"])
    pairs = zip(said["chosen"], said["rejected"], strict=True)
    if method == "cpo":
        losses = [math.log1p(math.exp(-0.1 * (good - bad))) for (good, _), (bad, _) in pairs]
    else:
        odds = [_log_odds(good / g) - _log_odds(bad / b) for (good, g), (bad, b) in pairs]
        losses = [0.1 * math.log1p(math.exp(-one)) for one in odds]
    return learning + sum(losses) / len(losses)


def _log_odds(log_p: float) -> float:
    return log_p - math.log(1 - math.exp(log_p))


@pytest.mark.slow
@pytest.mark.parametrize("loss_type", LOSSES)
def test_every_loss_of_cpo_tells_pairs_apart(loss_type: str, tiny_base: Path, tmp_path: Path) -> None:
    first, *_, last = run_of(tmp_path / loss_type, tiny_base, "cpo", options={"loss_type": loss_type})

    assert last["rewards/margins"] > first["rewards/margins"]
    assert last["rewards/accuracies"] == 1.0


@pytest.mark.slow
def test_a_continued_adapter_goes_on_and_is_saved_alone(tiny_base: Path, sft_run: Path, tmp_path: Path) -> None:
    from storage.weights import read_header

    previous = sft_run / "adapter"
    run_of(tmp_path / "cpo", tiny_base, "cpo", adapter_path=str(previous), options={"epochs": 1})

    weights = "adapter_model.safetensors"
    made = {tensor.name for tensor in read_header(tmp_path / "cpo" / "adapter" / weights)}
    assert made == {tensor.name for tensor in read_header(previous / weights)}


@pytest.mark.slow
def test_what_weighs_nothing_teaches_nothing(tiny_base: Path, tmp_path: Path) -> None:
    """Half of the pairs say the opposite; by weight the others win."""
    pairs = building.preferences(8)
    turned = [{**row, "chosen": row["rejected"], "rejected": row["chosen"], "id": f"no-{row['id']}"} for row in pairs]
    rows = [{**row, "weight": 1.0, "tie": False} for row in pairs] + [
        {**row, "weight": 0.01, "tie": False} for row in turned
    ]

    first, *_, last = run_of(tmp_path / "weighted", tiny_base, "cpo", rows, options={"batch_size": 16, "epochs": 12})

    assert last["loss"] < first["loss"] - 0.5  # at even weights both directions would hold each other in place


@pytest.mark.slow
def test_ties_end_the_run_with_a_sentence(tiny_base: Path, tmp_path: Path) -> None:
    rows = [{**row, "weight": 1.0, "tie": at == 0} for at, row in enumerate(building.preferences(4))]
    folder = building.make_run(tmp_path / "ties", "orpo", tiny_base, rows=rows)

    assert building.run_trainer(folder) == 1
    error = read_json(folder / "error.json")
    assert error is not None
    assert error["sentence"].startswith("ORPO knows no ties; choose a policy that drops them")
