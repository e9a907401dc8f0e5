"""The quick head gives what TRL's gives: scores, gradients and whole runs, at positions that are learnt."""

from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch


def _both(base: Path, **more: Any) -> tuple[Any, Any]:
    """The same model twice, with TRL's head and with ours."""
    import torch
    from transformers import AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from trainers.quick_head import score_quickly

    models = [AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **more) for _ in range(2)]
    for model in models:
        add_fused_lm_head(model, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    assert score_quickly(models[1])
    return models[0], models[1]


def _batch(tokens: int = 200) -> dict[str, Any]:
    """Two rows of which about a third is learnt, so that tiles end within."""
    import torch

    torch.manual_seed(3)
    ids = torch.randint(3, 256, (2, tokens))
    labels = torch.where(torch.rand(ids.shape) < 0.35, ids, -100)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


@pytest.mark.parametrize("trained", ["body", "everything"])
def test_scores_and_gradients_are_trls(trained: str, tiny_base: Path) -> None:
    theirs, ours = _both(tiny_base)
    found = []
    for model in (theirs, ours):
        model.get_output_embeddings().weight.requires_grad_(trained == "everything")
        out = model(**_batch(), fused_lm_head=True)
        (out.log_probs * out.log_probs.detach().exp()).sum().backward()  # a loss that weighs every position differently
        found.append((out, {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}))

    (out, gradients), (quick, quick_gradients) = found
    for name in ("loss", "log_probs", "entropy", "mean_logits", "is_top1", "label_mask"):
        assert (getattr(out, name).float() - getattr(quick, name).float()).abs().max() < 1e-4, name
    assert gradients.keys() == quick_gradients.keys()
    for name, gradient in gradients.items():
        assert (gradient - quick_gradients[name]).abs().max() < 1e-4 * (1 + gradient.abs().max()), name


def test_a_batch_without_anything_to_learn_costs_nothing_and_breaks_nothing(tiny_base: Path) -> None:
    _, ours = _both(tiny_base)
    ours.get_output_embeddings().weight.requires_grad_(False)
    batch = _batch()
    batch["labels"][:] = -100

    out = ours(**batch, fused_lm_head=True)
    out.loss.backward()

    assert out.loss.item() == 0.0
    assert not any(weight.grad is not None and bool(weight.grad.any()) for weight in ours.parameters())


def test_answers_are_written_as_before(tiny_base: Path) -> None:
    import torch

    theirs, ours = _both(tiny_base)
    ids = torch.arange(5, 25)[None]

    assert torch.equal(theirs(ids).logits, ours(ids).logits)
    with torch.no_grad():
        assert torch.equal(
            ours.generate(ids, max_new_tokens=5, do_sample=False),
            theirs.generate(ids, max_new_tokens=5, do_sample=False),
        )


def test_a_model_that_changes_its_logits_keeps_trls_head(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    from trainers.quick_head import score_quickly

    base = tiny.save_base(tmp_path / "capped", kind="gemma2", final_logit_softcapping=30.0)

    assert not score_quickly(AutoModelForCausalLM.from_pretrained(base))
