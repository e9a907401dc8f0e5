"""The preflight as a process: what it tells of real rows on real models, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.home import read_json
from storage.runs import freeze_rows
from storage.specs.registry import METHODS
from storage.specs.run import Helper
from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.counting import checks, examples, in_texts
from trainers.inspection import Piece

pytestmark = pytest.mark.torch

KEYS = {
    "rows", "tokens", "trained_tokens", "masked_share", "truncated", "identical_pairs", "duplicates", "overlap",
    "nothing_learnt", "memory_gb", "seconds", "fits_beside_engine", "examples", "checks", "refusals", "warnings",
}  # fmt: skip


def look(folder: Path) -> dict[str, Any]:
    """Run the preflight on a run folder; its result."""
    with (folder / "train.log").open("ab") as log:
        argv = [sys.executable, "-m", "trainers.preflight", str(folder)]
        code = subprocess.run(argv, stdout=log, stderr=log, timeout=building.TIMEOUT).returncode
    assert code == 0, building.log_of(folder)
    result = read_json(folder / "result.json")
    assert result is not None
    assert result.keys() >= KEYS
    return result


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> dict[str, Any]:
    folder = building.make_run(tmp_path_factory.mktemp("preflights") / "sft", "sft", tiny_base)
    told = look(folder)
    assert not (folder / "events.jsonl").exists()  # looking is no run
    assert not list((folder / "probe").glob("adapter*"))
    return told


def test_it_tells_rows_tokens_time_and_memory(supervised: dict[str, Any]) -> None:
    assert (supervised["rows"], supervised["refusals"], supervised["nothing_learnt"]) == (24, [], 0)
    assert 0 < supervised["trained_tokens"] < supervised["tokens"]
    share = 1 - supervised["trained_tokens"] / supervised["tokens"]
    assert supervised["masked_share"] == round(share, 4)
    for name in ("seconds", "memory_gb"):
        assert 0 < supervised[name]["low"] < supervised[name]["high"]
    assert supervised["fits_beside_engine"] is True


def test_its_examples_colour_exactly_the_assistants_words(supervised: dict[str, Any]) -> None:
    assert len(supervised["examples"]) == 5
    first = supervised["examples"][0]
    words = {flag: "".join(one["text"] for one in first["tokens"] if one["trained"] is flag) for flag in (True, False)}

    assert first["id"] == "row-0"
    assert words[True] == "It is 1.<|im_end|>"
    assert words[False] == "<|im_start|>user\nWhat is 0 plus 1?<|im_end|>\n<|im_start|>assistant\n\n"


def test_its_checks_are_sentences(supervised: dict[str, Any]) -> None:
    assert {check["name"]: check["ok"] for check in supervised["checks"]} == dict.fromkeys(
        ("end", "start", "unknown", "vocabulary", "special-tokens", "first-loss"), True
    )


def test_before_a_dpo_run_the_first_loss_is_ln_2(tmp_path: Path, tiny_base: Path) -> None:
    told = look(building.make_run(tmp_path / "dpo", "dpo", tiny_base))

    said = {check["name"]: check["sentence"] for check in told["checks"]}
    assert said["reference"] == "The first loss is 0.6931, which is ln 2: policy and reference are equal."
    assert (told["identical_pairs"], told["refusals"]) == (0, [])


@pytest.mark.slow
def test_pairs_that_differ_behind_the_cut_alone_are_refused_without_taking_a_step(
    tmp_path: Path, tiny_base: Path
) -> None:
    rows = building.preferences()
    long = "word " * 60
    for row in rows:
        for side in ("chosen", "rejected"):
            row[side] = json.dumps(building.answer(long + json.loads(row[side])[0]["content"]))
    told = look(building.make_run(tmp_path / "cut", "dpo", tiny_base, rows=rows, options={"max_length": 40}))

    assert told["identical_pairs"] == 24
    (refusal,) = told["refusals"]
    assert refusal == (
        "All 24 pairs are the same on both sides once they are cut at max_length 40; raise max_length, or choose pairs "
        "whose answers differ."
    )
    assert told["seconds"] is None


@pytest.mark.slow
def test_a_poisoned_row_is_refused_by_its_id(tmp_path: Path, tiny_base: Path) -> None:
    rows = building.conversations()
    rows[7]["messages"] = '[{"role": "user", "content": 5}]'
    told = look(building.make_run(tmp_path / "poisoned", "sft", tiny_base, rows=rows))

    assert told["refusals"] == ['Row "row-7": a message in "messages" has neither content nor tool calls.']


@pytest.mark.slow
def test_a_sample_of_many_rows_speaks_for_all(tmp_path: Path, tiny_base: Path) -> None:
    whole = look(building.make_run(tmp_path / "whole", "sft", tiny_base))
    told = look(_sampled(tmp_path / "sample", tiny_base))

    assert told["rows"] == 240
    assert told["tokens"] == 10 * whole["tokens"]
    assert "24 of 240 rows were looked at; tokens are reckoned for all." in told["warnings"]


def _sampled(folder: Path, base: Path) -> Path:
    """A folder whose spec says that the run has ten times the rows that lie there."""
    building.make_run(folder, "sft", base)
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**spec, "rows": 240}))
    return folder


@pytest.mark.slow
def test_rows_to_measure_on_that_are_learnt_from_are_told(tmp_path: Path, tiny_base: Path) -> None:
    folder = building.make_run(tmp_path / "overlap", "sft", tiny_base, extras={"eval": ""})
    freeze_rows(folder / "eval.parquet", building.conversations(26)[21:])

    assert look(folder)["overlap"] == 3


def _thumbs(count: int) -> list[dict[str, Any]]:
    return [
        {"id": row["id"], "prompt": row["prompt"], "completion": row["chosen"], "label": at % 2 == 0}
        for at, row in enumerate(building.preferences(count))
    ]


ROWS: dict[str, list[dict[str, Any]]] = {
    "conversations": building.conversations(),
    "pairs": building.preferences(),
    "judged": building.preferences(),
    "thumbs": _thumbs(24),
    "texts": [{"id": f"text-{at}", "text": f"The number {at} comes before {at + 1}. " * 3} for at in range(24)],
    "questions": [{"id": row["id"], "prompt": row["prompt"]} for row in building.preferences()],
    "labelled": [
        {"id": f"row-{at}", "text": "warm sun" if at % 2 else "cold snow",
         "told": json.dumps({"tags": ["warm" if at % 2 else "cold"], "metadata": {}})}
        for at in range(24)
    ],
}  # fmt: skip
"""Rows of every shape that there is."""

ASKED: dict[str, dict[str, Any]] = {
    "rloo": {"rules": "characters<14", "answers": 2, "batch_size": 4, "answer_tokens": 8},
    "grpo": {"rules": "characters<14", "answers": 2, "batch_size": 4, "answer_tokens": 8},
    "distill": {"answer_tokens": 8, "by": "on_policy"},
}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_looked_at_by_its_own_first_steps(method: str, tmp_path: Path, tiny_base: Path) -> None:
    helper = Helper("teacher", "base", str(tiny.save_base(tmp_path / "teacher", seed=1)))._asdict()
    given = {"teacher": helper} if method == "distill" else {}
    rows, options = ROWS[METHODS[method].shape], ASKED.get(method, {})

    told = look(building.make_run(tmp_path / method, method, tiny_base, rows=rows, options=options, **given))

    assert told["refusals"] == []
    assert 0 < told["seconds"]["low"] < told["seconds"]["high"]
    assert told["tokens"] > 0
    assert (told["trained_tokens"] > 0) == (METHODS[method].shape != "questions")
    assert all(check["sentence"].endswith(".") for check in told["checks"])


def test_template_and_tokenizer_are_held_against_each_other(tmp_path: Path) -> None:
    tokenizer = tiny.save_tokenizer(tmp_path)
    tokenizer.bos_token = tokenizer.unk_token = "<|endoftext|>"
    start, word, stop = 0, tokenizer.encode("one")[0], tokenizer.convert_tokens_to_ids("<|im_end|>")
    well = Piece("a", [start, word, stop], [False, True, True])
    ill = Piece("b", [start, start, word, 9_999], [False, False, True, True])

    assert next(check.ok for check in checks(tokenizer, [well], 100, 400))
    told = {check.name: check for check in checks(tokenizer, [ill], 100, 400)}
    assert [name for name, check in told.items() if check.ok] == []
    assert told["end"].sentence.startswith("No answer ends with an end token that is learnt")
    assert told["start"].sentence.startswith("1 sequences begin with two start tokens")


def test_special_tokens_in_texts_are_found_by_row(tmp_path: Path) -> None:
    tokenizer = tiny.save_tokenizer(tmp_path)
    rows = [{"id": "fine", "messages": "hello"}, {"id": "trap", "messages": "say <|endoftext|> now"}]

    told = in_texts(tokenizer, rows)
    assert (told.ok, '"trap"' in told.sentence) == (False, True)
    assert in_texts(tokenizer, rows[:1]).ok


def test_signs_of_several_tokens_are_shown_whole(tmp_path: Path) -> None:
    tokenizer = tiny.save_tokenizer(tmp_path)
    ids = tokenizer.encode("ok 東😀")

    (row,) = examples(tokenizer, [Piece("a", ids, [True] * len(ids))], 100)

    assert "".join(token["text"] for token in row["tokens"]) == "ok 東😀"
    assert all("\ufffd" not in token["text"] for token in row["tokens"])
