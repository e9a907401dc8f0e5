"""Passes that save time give what the whole batch gives: scores and gradients, on every model that they are for."""

from typing import Any

import pytest

from trainers.passes import JOINABLE, Thrift

pytestmark = pytest.mark.torch

SPLITS = Thrift(width=32, passing=0.1, joins=False)
JOINS = Thrift(width=100_000, passing=None, joins=True)
WORDS = 128


def _model(kind: str = "llama") -> Any:
    """A random model with the head that scores labels."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from trainers.quick_head import score_quickly

    torch.manual_seed(5)
    config = AutoConfig.for_model(
        kind, vocab_size=WORDS, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, max_position_embeddings=512, pad_token_id=0, bos_token_id=1,
        eos_token_id=2, sliding_window=None,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="sdpa")
    with torch.no_grad():  # as large as trained weights are, so that a wrong mask shows
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(std=0.3)
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    score_quickly(model)
    return model


def _pairs(prompts: list[int], chosen: list[int], rejected: list[int]) -> dict[str, Any]:
    """A batch as TRL makes it: chosen answers behind their prompts, then the rejected ones."""
    import torch

    torch.manual_seed(6)
    asked = [torch.randint(3, WORDS, (count,)) for count in prompts]
    rows = [
        torch.cat([prompt, torch.randint(3, WORDS, (count,))])
        for side in (chosen, rejected)
        for prompt, count in zip(asked, side, strict=True)
    ]
    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        start = prompts[at % len(prompts)]
        labels[at, start : len(row)] = row[start:]
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": labels}


def _scored(model: Any, called: Any, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Scores, and the gradient of a loss that weighs every answer differently."""
    import torch

    model.zero_grad()
    out = called(**batch, use_cache=False, fused_lm_head=True)
    (out.log_probs.sum(1) * torch.linspace(-1, 2, len(out.log_probs))).sum().backward()
    return out, {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def _assert_equal(model: Any, frugal: Any, batch: dict[str, Any]) -> None:
    whole, gradients = _scored(model, model, batch)
    out, frugal_gradients = _scored(model, frugal, batch)

    for name in ("log_probs", "entropy", "mean_logits", "loss"):
        assert (getattr(whole, name) - getattr(out, name)).abs().max() < 1e-4, name
    assert bool((whole.is_top1 == out.is_top1).all())
    assert bool((whole.label_mask == out.label_mask).all())
    assert gradients.keys() == frugal_gradients.keys()
    for name, gradient in gradients.items():
        assert (gradient - frugal_gradients[name]).abs().max() < 1e-4 * (1 + gradient.abs().max()), name


@pytest.mark.parametrize("kind", sorted(JOINABLE))
def test_both_answers_behind_one_prompt_score_as_two_rows(kind: str) -> None:
    from trainers.frugal import FrugalModel
    from trainers.passes import plan_passes, thrift_of

    prompts = [9, 1, 20]
    batch = _pairs(prompts, chosen=[5, 11, 1], rejected=[7, 2, 4])
    model = _model(kind)
    lengths = batch["attention_mask"].sum(1).tolist()

    assert thrift_of(model, alone=True).joins
    assert [one.joined for one in plan_passes(lengths, JOINS, prompts)] == [True]
    _assert_equal(model, FrugalModel(model, JOINS, prompts), batch)


def test_joined_pairs_of_one_length_go_together_too() -> None:
    from trainers.frugal import FrugalModel
    from trainers.passes import plan_passes

    prompts, thrift = [40, 6, 40, 7], SPLITS._replace(joins=True, passing=20.0)
    batch = _pairs(prompts, chosen=[5, 4, 5, 3], rejected=[7, 2, 6, 4])
    lengths = batch["attention_mask"].sum(1).tolist()

    assert [(one.rows, one.joined) for one in plan_passes(lengths, thrift, prompts)] == [([1, 3], True), ([2, 0], True)]
    model = _model()
    _assert_equal(model, FrugalModel(model, thrift, prompts), batch)


def test_rows_in_several_passes_score_as_in_one() -> None:
    from trainers.frugal import FrugalModel
    from trainers.passes import plan_passes

    prompts = [30, 3, 4]
    batch = _pairs(prompts, chosen=[20, 5, 3], rejected=[2, 7, 9])
    lengths = batch["attention_mask"].sum(1).tolist()

    assert len(plan_passes(lengths, SPLITS)) > 1
    model = _model()
    _assert_equal(model, FrugalModel(model, SPLITS), batch)


def test_labels_that_are_left_out_stay_out() -> None:
    """As in conversations, whose later questions are read and not learnt."""
    from trainers.frugal import FrugalModel

    prompts = [9, 6]
    batch = _pairs(prompts, chosen=[12, 9], rejected=[8, 10])
    batch["labels"][0, 12:15] = -100
    batch["labels"][3, 8:10] = -100
    model = _model()

    _assert_equal(model, FrugalModel(model, JOINS, prompts), batch)
