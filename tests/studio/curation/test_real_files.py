"""Files as they stand in public repositories: each is read to the row, or refused with its reason."""

from pathlib import Path
from typing import Any

import pytest

from storage.store import Store
from studio.curation.listing import list_all
from tests.studio.curation.files import imported, rows_of

pytestmark = pytest.mark.heavy

KNOWN = {
    # file: kind, format, shape, encoding, read, imported, duplicates, rejected, made
    "sft/bbh_causal_judgement.json": ("sft", "json", "input-output", "utf-8", 187, 187, 0, 0, 187),
    "sft/bbh_date_understanding.json": ("sft", "json", "input-output", "utf-8", 250, 250, 0, 0, 250),
    "sft/bbh_snarks.json": ("sft", "json", "input-output", "utf-8", 178, 178, 0, 0, 178),
    "sft/fastchat_dummy_conversation.json": ("sft", "json", "sharegpt", "utf-8", 500, 500, 0, 0, 500),
    "sft/gsm8k_test_socratic.jsonl": ("sft", "jsonl", "question-answer", "utf-8", 1319, 1319, 0, 0, 1319),
    "sft/gsm8k_train.jsonl": ("sft", "jsonl", "question-answer", "utf-8", 7473, 7473, 0, 0, 7473),
    "sft/lf_alpaca_en_demo.json": ("sft", "json", "alpaca", "utf-8", 999, 985, 14, 0, 985),
    "sft/lf_glaive_toolcall_en_demo.json": ("sft", "json", "sharegpt", "utf-8", 300, 265, 35, 0, 265),
    "sft/lf_identity.json": ("sft", "json", "alpaca", "utf-8", 91, 91, 0, 0, 91),
    "sft/lf_v1_sft_demo.jsonl": ("sft", "jsonl", "messages", "utf-8", 500, 499, 1, 0, 499),
    "sft/oasst_en_100_message.jsonl": ("preference", "jsonl", "message-tree", "utf-8", 100, 100, 0, 0, 754),
    "sft/oasst_en_100_tree.jsonl": ("preference", "jsonl", "message-tree", "utf-8", 100, 100, 0, 0, 754),
    "sft/oasst_realistic_seed_data.json": ("sft", "json", "message-tree", "utf-8", 444, 444, 0, 0, 158),
    "sft/selfinstruct_seed_tasks.jsonl": ("sft", "jsonl", "self-instruct", "utf-8", 175, 175, 0, 0, 175),
    "sft/selfinstruct_t0_cnn_write_an_outline.jsonl": (
        "sft",
        "jsonl",
        "prompt-completion",
        "utf-8",
        200,
        195,
        5,
        0,
        195,
    ),
    "sft/vicuna_bench_question.jsonl": ("prompts", "jsonl", "prompts", "utf-8", 80, 80, 0, 0, 80),
    "sft/vicuna_bench_reference_gpt4.jsonl": ("text", "jsonl", "reference-answers", "utf-8", 10, 10, 0, 0, 10),
    "sft/xquad_ar.json": ("sft", "json", "squad", "utf-8", 1190, 1188, 2, 0, 1188),
    "sft/xquad_en.json": ("sft", "json", "squad", "utf-8", 1190, 1188, 2, 0, 1188),
    "sft/xquad_ru.json": ("sft", "json", "squad", "utf-8", 1190, 1187, 3, 0, 1187),
    "pref/anthropic_persona_agreeableness.jsonl": (
        "preference",
        "jsonl",
        "preference",
        "utf-8",
        1000,
        1000,
        0,
        0,
        1000,
    ),
    "pref/argilla_eval_ab_dataset.json": ("prompts", "json", "two-answers", "utf-8", 4, 4, 0, 0, 4),
    "pref/lf_dpo_en_demo.json": ("preference", "json", "preference", "utf-8", 300, 295, 5, 0, 295),
    "pref/lf_kto_en_demo.json": ("preference", "json", "kto", "utf-8", 300, 300, 0, 0, 300),
    "pref/llmbar_fairEval_human.json": ("preference", "json", "two-answers", "utf-8", 66, 66, 0, 0, 66),
    "pref/llmbar_natural.json": ("preference", "json", "two-answers", "utf-8", 100, 100, 0, 0, 100),
    "pref/llmbar_natural_gpt4_judge.json": ("preference", "json", "two-answers", "utf-8", 100, 100, 0, 0, 100),
    "pref/prometheus_hhh_alignment.json": ("preference", "json", "hh-transcripts", "utf-8", 221, 221, 0, 0, 221),
    "peer/bedrock_nova_test_ft.jsonl": ("sft", "jsonl", "messages", "utf-8", 120, 120, 0, 0, 120),
    "peer/bedrock_rft_train.jsonl": ("prompts", "jsonl", "messages", "utf-8", 300, 300, 0, 0, 300),
    "peer/labelstudio_sdk_csv_test.json": ("text", "json", "label-studio", "utf-8", 2, 2, 0, 0, 2),
    "peer/prodigy_news_ner.jsonl": ("text", "jsonl", "text", "utf-8", 373, 373, 0, 0, 373),
    "peer/together_small_coqa_10.jsonl": ("sft", "jsonl", "messages", "utf-8", 10, 10, 0, 0, 10),
    "messy/blns.json": ("text", "json", "text", "utf-8", 515, 509, 4, 2, 509),
    "messy/charset_sample-arabic-1.txt": ("text", "text", "text", "cp1256", 3, 3, 0, 0, 3),
    "messy/charset_sample-chinese.txt": ("text", "text", "text", "big5", 8, 8, 0, 0, 8),
    "messy/charset_sample-french.txt": ("text", "text", "text", "utf-8", 51, 51, 0, 0, 51),
    "messy/charset_sample-greek.txt": ("text", "text", "text", "cp1253", 1, 1, 0, 0, 1),
    "messy/charset_sample-hebrew-3.txt": ("text", "text", "text", "cp1255", 1, 1, 0, 0, 1),
    "messy/charset_sample-russian-3.txt": ("text", "text", "text", "utf-8", 4, 4, 0, 0, 4),
    "messy/charset_sample-russian.txt": ("text", "text", "text", "mac_cyrillic", 3, 3, 0, 0, 3),
    "messy/charset_sample-spanish.txt": ("text", "text", "text", "utf-8", 20, 20, 0, 0, 20),
    "messy/charset_sample-turkish.txt": ("text", "text", "text", "cp1254", 28, 28, 0, 0, 28),
    "messy/toyhom_neike_gbk.txt": ("text", "text", "text", "gb18030", 8096, 7676, 420, 0, 7676),
}
# The reasons of the rows that are rejected.
REASONS = {"messy/blns.json": ["The field is empty.", "The field is empty."]}


def test_every_file_is_in_the_table(real_data: Path) -> None:
    there = {f"{folder}/{path.name}" for folder in ("sft", "pref", "peer", "messy")
             for path in (real_data / folder).iterdir() if path.is_file()}  # fmt: skip

    assert there - {*KNOWN, *NO_SHAPE} == {"messy/aws_malformed_config.json"}


@pytest.mark.parametrize("name", KNOWN)
def test_a_real_file_is_recognised_and_read_to_the_row(store: Store, real_data: Path, name: str) -> None:
    report = imported(store, real_data / name)

    counts = (report.read, report.imported, report.duplicates, report.rejected, report.made)
    assert (report.kind, report.format, report.shape, report.encoding, *counts) == KNOWN[name]
    assert [fault.message for fault in report.errors] == REASONS.get(name, [])
    assert [(item.dataset.name, item.dataset.kind, item.rows) for item in list_all(store).datasets] == [
        ("rows", report.kind, report.made)
    ]


@pytest.mark.parametrize("name", ["sft/gsm8k_test_socratic.jsonl", "pref/lf_dpo_en_demo.json", "messy/blns.json"])
def test_the_same_file_again_adds_nothing(store: Store, real_data: Path, name: str) -> None:
    first = imported(store, real_data / name)

    again = imported(store, real_data / name)

    assert (again.read, again.imported, again.rejected) == (first.read, 0, first.rejected)
    assert again.duplicates == first.imported + first.duplicates
    assert len(rows_of(store)) == first.imported


NO_SHAPE = {
    "messy/messytables_characters.csv": ("csv", "big5", 18, "id"),
    "messy/messytables_complex.csv": ("csv", "utf-8", 4, "date"),
    "messy/messytables_long.csv": ("csv", "utf-8", 1, "foo"),
    "messy/messytables_mixedGLB.csv": ("csv", "utf-8", 19, "Year"),
    "messy/messytables_null.csv": ("csv", "utf-8", 4, "1"),
    "messy/messytables_simple.psv": ("csv", "utf-8", 6, "Year"),
    "messy/messytables_simple.xlsx": ("xlsx", "binary", 3, "date"),
    "messy/messytables_skip_initials.csv": ("csv", "utf-8", 2, "field1"),
    "messy/messytables_spanish_chars.csv": ("csv", "cp1252", 8, "GF_ID"),
    "messy/messytables_utf8bom.csv": ("csv", "utf-8", 2, "kitten"),
    "peer/labelstudio_old_completions.json": ("json", "utf-8", 2, "id"),
    "peer/labelstudio_sdk_csv_test2.json": ("json", "utf-8", 20, "id"),
    "peer/labelstudio_sdk_data.json": ("json", "utf-8", 19, "id"),
    "sft/lf_dataset_info.json": ("json", "utf-8", 104, "identity"),
}


@pytest.mark.parametrize("name", NO_SHAPE)
def test_a_file_of_no_known_shape_imports_nothing_and_names_its_columns(
    store: Store, real_data: Path, name: str
) -> None:
    report = imported(store, real_data / name)

    columns = report.columns or []
    assert (report.format, report.encoding, len(columns), columns[0]) == NO_SHAPE[name]
    assert (report.read, report.ok, list_all(store).datasets) == (0, False, [])
    assert "no known shape" in str(report.sentence)


@pytest.mark.parametrize(
    ("name", "encoding", "column", "value"),
    [
        ("messytables_characters.csv", "big5", "景點中文名稱", "雲嘉南濱海國家風景區管理處"),
        ("messytables_spanish_chars.csv", "cp1252", "Descripción", "Comprende las acciones propias de la gestión"),
    ],
)
def test_a_mapped_column_of_a_table_in_another_encoding_is_read_right(
    store: Store, real_data: Path, name: str, encoding: str, column: str, value: str
) -> None:
    report = imported(store, real_data / "messy" / name, mapping={column: "text"})

    assert report.encoding == encoding
    assert report.read == {"messytables_characters.csv": 382, "messytables_spanish_chars.csv": 116}[name]
    assert rows_of(store, "rows", "text")[0].strip().startswith(value)


def test_broken_json_is_refused_with_its_place(store: Store, real_data: Path) -> None:
    report = imported(store, real_data / "messy" / "aws_malformed_config.json")

    assert [(fault.line, fault.column) for fault in report.errors] == [(7, 78)]
    assert report.sentence == "The file is no valid JSON: expecting ',' delimiter (line 7, column 78)."


MAPPED = {
    # file: a column taken as text, rows read
    "messytables_complex.csv": ("date", 3),
    "messytables_long.csv": ("foo", 3999),
    "messytables_mixedGLB.csv": ("Year", 133),
    "messytables_null.csv": ("1", 9),
    "messytables_simple.psv": ("Year", 28),
    "messytables_simple.xlsx": ("date", 6),
    "messytables_skip_initials.csv": ("field1", 2),
}


@pytest.mark.parametrize("name", MAPPED)
def test_a_table_of_no_known_shape_is_read_to_the_row_once_somebody_says_what_it_holds(
    store: Store, real_data: Path, name: str
) -> None:
    column, rows = MAPPED[name]

    report = imported(store, real_data / "messy" / name, mapping={column: "text"})

    assert (report.kind, report.read, report.rejected) == ("text", rows, 0)


def test_each_naughty_string_is_stored_as_it_is(store: Store, real_data: Path) -> None:
    import json

    naughty = json.loads((real_data / "messy" / "blns.json").read_text(encoding="utf-8"))
    imported(store, real_data / "messy" / "blns.json")

    assert rows_of(store, "rows", "text") == list(dict.fromkeys(text for text in naughty if text.strip()))


def test_tool_calls_and_tools_come_through(store: Store, real_data: Path) -> None:
    imported(store, real_data / "sft" / "lf_glaive_toolcall_en_demo.json")

    messages, tools = rows_of(store, "rows", "messages", "tools")[0]

    assert [item["role"] for item in messages[:6]] == ["user", "assistant", "user", "assistant", "tool", "assistant"]
    assert messages[3] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "type": "function",
                "function": {
                    "name": "search_recipes",
                    "arguments": {"ingredients": ["chicken", "bell peppers", "rice"]},
                },
            }
        ],
    }
    assert [tool["name"] for tool in tools] == ["search_recipes"]


def test_a_preference_keeps_its_system_prompt_and_both_answers(store: Store, real_data: Path) -> None:
    imported(store, real_data / "pref" / "lf_dpo_en_demo.json")

    rows: list[Any] = rows_of(store, "rows", "prompt", "chosen", "rejected")

    assert {tuple(item["role"] for item in prompt) for prompt, _, _ in rows} >= {("user",), ("system", "user")}
    assert {tuple(item["role"] for item in answer) for _, *answers in rows for answer in answers} == {("assistant",)}
