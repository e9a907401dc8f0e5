"""Pairs as token ids: what TRL would make of them, and what they say beyond better and worse."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.data_pairs import prepare_preferences, read_preferences, scaled


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.save_tokenizer(tmp_path_factory.mktemp("marked"))


@pytest.mark.torch
def test_a_preference_shares_its_prompt(tokenizer: Any) -> None:
    (row,) = prepare_preferences(tokenizer, read_preferences(building.preferences(1)), 512).rows

    assert tokenizer.decode(row["prompt_ids"]).endswith("What is 0 plus 1?<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.decode(row["chosen_ids"]).rstrip() == "1.<|im_end|>"
    assert tokenizer.decode(row["rejected_ids"]).rstrip() == "Well now, it is 1.<|im_end|>"


@pytest.mark.torch
def test_what_trl_would_make_of_a_preference_is_the_same(tiny_base: Path, tmp_path: Path) -> None:
    """Our own tokenizing stands in for TRL's: with plain rows both must give the same tokens."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    rows = building.preferences(5)
    texts = [{key: json.loads(row[key]) for key in ("prompt", "chosen", "rejected")} for row in rows]
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_base),
        args=DPOConfig(output_dir=str(tmp_path), report_to="none", bf16=False, use_cpu=True),
        train_dataset=Dataset.from_list(texts),
        processing_class=tokenizer,
        peft_config=LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    columns = ["prompt_ids", "chosen_ids", "rejected_ids"]

    assert trainer.train_dataset.select_columns(columns).to_list() == (
        prepare_preferences(tokenizer, read_preferences(rows), 1024).rows
    )


@pytest.mark.torch
def test_of_a_conversation_only_what_the_assistant_says_is_learnt(tokenizer: Any) -> None:
    pair = {
        **building.preferences(1)[0],
        "chosen": json.dumps(building.turns("Story.", "It is one.", "And then?")[1:] + building.answer("It is two.")),
        "rejected": json.dumps(building.answer("No.")),
    }

    (row,) = prepare_preferences(tokenizer, read_preferences([pair]), 512).rows

    said = [token for token, learnt in zip(row["chosen_ids"], row["chosen_learnt"], strict=True) if learnt]
    words = tokenizer.decode(said)
    assert "And then?" in tokenizer.decode(row["chosen_ids"])
    assert "And then?" not in words
    assert words.index("It is one.") < words.index("It is two.")
    assert all(row["rejected_learnt"])


def test_weights_are_scaled_to_a_mean_of_one_and_margins_to_rewards() -> None:
    told = [{"weight": 0.5, "margin": 3.0, "tie": False}, {"weight": 1.0, "margin": None, "tie": True}]
    rows = read_preferences([row | more for row, more in zip(building.preferences(2), told, strict=True)])

    assert [(row.weight, row.margin, row.tie, row.plain) for row in scaled(rows, 1 / 3)] == [
        (pytest.approx(2 / 3), 1.0, False, False), (pytest.approx(4 / 3), 0.0, True, False),
    ]  # fmt: skip
    assert [row.plain for row in scaled(read_preferences(building.preferences(2)), 1.0)] == [True, True]
