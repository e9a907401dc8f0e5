"""Files as they stand in public repositories: each is read to the row, or refused with its reason."""

from pathlib import Path
from typing import Any

import pytest

from storage.store import Store
from studio.curation.listing import list_all
from tests.studio.curation.files import imported, rows_of

KNOWN = {
    # file: kind, format, shape, encoding, read, imported, duplicates, rejected
    "sft/gsm8k_train.jsonl": ("sft", "jsonl", "question-answer", "utf-8", 7473, 7473, 0, 0),
    "sft/gsm8k_test_socratic.jsonl": ("sft", "jsonl", "question-answer", "utf-8", 1319, 1319, 0, 0),
    "sft/lf_alpaca_en_demo.json": ("sft", "json", "alpaca", "utf-8", 999, 985, 14, 0),
    "sft/lf_identity.json": ("sft", "json", "alpaca", "utf-8", 91, 91, 0, 0),
    "sft/lf_glaive_toolcall_en_demo.json": ("sft", "json", "sharegpt", "utf-8", 300, 265, 35, 0),
    "sft/lf_v1_sft_demo.jsonl": ("sft", "jsonl", "messages", "utf-8", 500, 499, 1, 0),
    "sft/fastchat_dummy_conversation.json": ("sft", "json", "sharegpt", "utf-8", 500, 500, 0, 0),
    "sft/selfinstruct_t0_cnn_write_an_outline.jsonl": ("sft", "jsonl", "prompt-completion", "utf-8", 200, 195, 5, 0),
    "sft/bbh_causal_judgement.json": ("sft", "json", "input-output", "utf-8", 187, 187, 0, 0),
    "sft/bbh_date_understanding.json": ("sft", "json", "input-output", "utf-8", 250, 250, 0, 0),
    "sft/bbh_snarks.json": ("sft", "json", "input-output", "utf-8", 178, 178, 0, 0),
    "sft/vicuna_bench_question.jsonl": ("prompts", "jsonl", "prompts", "utf-8", 80, 80, 0, 0),
    "peer/bedrock_nova_test_ft.jsonl": ("sft", "jsonl", "messages", "utf-8", 120, 120, 0, 0),
    "peer/bedrock_rft_train.jsonl": ("prompts", "jsonl", "messages", "utf-8", 300, 300, 0, 0),
    "peer/together_small_coqa_10.jsonl": ("sft", "jsonl", "messages", "utf-8", 10, 10, 0, 0),
    "pref/lf_dpo_en_demo.json": ("preference", "json", "preference", "utf-8", 300, 295, 5, 0),
    "messy/blns.json": ("text", "json", "text", "utf-8", 515, 509, 4, 2),
    "messy/toyhom_neike_gbk.txt": ("text", "text", "text", "gb18030", 8096, 7676, 420, 0),
    "messy/charset_sample-arabic-1.txt": ("text", "text", "text", "cp1256", 3, 3, 0, 0),
    "messy/charset_sample-chinese.txt": ("text", "text", "text", "big5", 8, 8, 0, 0),
    "messy/charset_sample-french.txt": ("text", "text", "text", "utf-8", 51, 51, 0, 0),
    "messy/charset_sample-greek.txt": ("text", "text", "text", "cp1253", 1, 1, 0, 0),
    "messy/charset_sample-hebrew-3.txt": ("text", "text", "text", "cp1255", 1, 1, 0, 0),
    "messy/charset_sample-russian-3.txt": ("text", "text", "text", "utf-8", 4, 4, 0, 0),
    "messy/charset_sample-russian.txt": ("text", "text", "text", "mac_cyrillic", 3, 3, 0, 0),
    "messy/charset_sample-spanish.txt": ("text", "text", "text", "utf-8", 20, 20, 0, 0),
    "messy/charset_sample-turkish.txt": ("text", "text", "text", "cp1254", 28, 28, 0, 0),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_real_file_is_recognised_and_read_to_the_row(store: Store, real_data: Path, name: str) -> None:
    report = imported(store, real_data / name)

    counts = (report.read, report.imported, report.duplicates, report.rejected)
    assert (report.kind, report.format, report.shape, report.encoding, *counts) == KNOWN[name]
    assert [(item.dataset.name, item.dataset.kind, item.rows) for item in list_all(store).datasets] == [
        ("rows", report.kind, report.imported)
    ]


@pytest.mark.parametrize("name", ["sft/gsm8k_test_socratic.jsonl", "pref/lf_dpo_en_demo.json", "messy/blns.json"])
def test_the_same_file_again_adds_nothing(store: Store, real_data: Path, name: str) -> None:
    first = imported(store, real_data / name)

    again = imported(store, real_data / name)

    assert (again.read, again.imported, again.rejected) == (first.read, 0, first.rejected)
    assert again.duplicates == first.imported + first.duplicates
    assert len(rows_of(store)) == first.imported


NO_SHAPE = {
    "messy/messytables_complex.csv": ("csv", "utf-8", ["date", "another date", "temperature", "place"]),
    "messy/messytables_simple.psv": ("csv", "utf-8", ["Year", "New dwellings", "Other dwellings", "All dwellings",
                                                      "First time buyers", "Former owner occupiers"]),
    "messy/messytables_skip_initials.csv": ("csv", "utf-8", ["field1", "field2"]),
    "messy/messytables_long.csv": ("csv", "utf-8", ["foo"]),
    "messy/messytables_utf8bom.csv": ("csv", "utf-8", []),
    "pref/argilla_eval_ab_dataset.json": ("json", "utf-8", ["instance_id", "lang", "model_A", "model_B", "prompt",
                                                            "answer_A", "answer_B"]),
    "pref/lf_kto_en_demo.json": ("json", "utf-8", ["messages", "label"]),
    "sft/selfinstruct_seed_tasks.jsonl": ("jsonl", "utf-8", ["id", "name", "instruction", "instances",
                                                             "is_classification"]),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_SHAPE)
def test_a_file_of_no_known_shape_imports_nothing_and_names_its_columns(
    store: Store, real_data: Path, name: str
) -> None:
    report = imported(store, real_data / name)

    assert (report.format, report.encoding, report.columns) == NO_SHAPE[name]
    assert (report.read, report.ok, list_all(store).datasets) == (0, False, [])


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


def test_a_spreadsheet_is_refused_by_name(store: Store, real_data: Path) -> None:
    report = imported(store, real_data / "messy" / "messytables_simple.xlsx")

    assert "a ZIP archive or spreadsheet" in str(report.sentence)
    assert list_all(store).datasets == []


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
