"""Judged answers as token ids, in an order in which neighbours stay neighbours."""

from typing import Any

import pytest

from storage.errors import BadInput
from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.data_thumbs import prepare_thumbs, read_thumbs, with_neighbours


def test_weights_are_scaled_to_a_mean_of_one() -> None:
    rows = [row | {"weight": weight} for row, weight in zip(building.thumbs(2), (0.5, 1.0), strict=True)]

    assert [row.weight for row in read_thumbs(rows)] == [pytest.approx(2 / 3), pytest.approx(4 / 3)]
    assert [row.weight for row in read_thumbs(building.thumbs(2))] == [1.0, 1.0]


@pytest.mark.parametrize("label", [None, "good", 1])
def test_a_row_that_is_neither_good_nor_bad_is_named(label: object) -> None:
    (row, _) = building.thumbs(2)

    with pytest.raises(BadInput, match=f'Row "{row["id"]}": column "label" says neither true nor false'):
        read_thumbs([row | {"label": label}])


def test_every_row_gets_the_answer_of_another_of_its_batch() -> None:
    rows = [{"completion_ids": [at]} for at in range(7)]

    strangers = [row["KL_completion_ids"][0] for row in with_neighbours(rows, 3)]

    # The third batch holds one row: it has no stranger but itself.
    assert strangers == [2, 0, 1, 5, 3, 4, 6]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.save_tokenizer(tmp_path_factory.mktemp("marked"))


@pytest.mark.torch
def test_prompt_and_answer_are_told_apart_and_the_order_is_the_seeds(tokenizer: Any) -> None:
    read = read_thumbs(building.thumbs(12))
    prepared = prepare_thumbs(tokenizer, read, 512, seed=0)

    said = {tokenizer.decode(row["completion_ids"]).rstrip(): row["label"] for row in prepared.rows}
    assert said == {
        f"{text}<|im_end|>": good
        for at in range(6)
        for text, good in ((f"{at + 1}.", True), (f"Well now, it is {at + 1}.", False))
    }
    assert all(tokenizer.decode(row["prompt_ids"]).endswith("assistant\n") for row in prepared.rows)
    assert prepare_thumbs(tokenizer, read, 512, seed=0).rows == prepared.rows
    assert prepare_thumbs(tokenizer, read, 512, seed=1).rows != prepared.rows


@pytest.mark.torch
def test_rows_are_cut_and_left_out_by_count(tokenizer: Any) -> None:
    rows = building.thumbs(2)
    long = {"id": "long", "prompt": building.as_json(building.turns("why " * 200)), "label": True}
    rows.append(rows[0] | long)
    rows.append(rows[0] | {"id": "wordy", "completion": building.as_json(building.answer("well " * 100))})

    prepared = prepare_thumbs(tokenizer, read_thumbs(rows), 64, seed=0)

    assert (len(prepared.rows), prepared.dropped, prepared.truncated, prepared.longest) == (3, 1, 1, 64)
