"""The data card is read by the Hub's own class, says what anybody should know, and shows names as they are."""

from dataclasses import replace

import pytest
from huggingface_hub import DatasetCard

from storage.comparisons import get_study
from storage.store import Store
from studio.curation import editing
from studio.curation.export_card import Facts, Found, Origin, data_card, plain
from studio.curation.export_facts import facts_of
from studio.curation.export_sources import Source
from studio.curation.exporting import Wish
from tests.studio.curation.files import Write, chat, imported
from tests.studio.training.project import add_starter, add_study, prompts_of, vote

FACTS = Facts(
    name="shop answers",
    kind="preference",
    format="dpo",
    splits={"train": 1200, "test": 300},
    files={"train": "data/train.parquet", "test": "data/test.parquet"},
    description="What our shop says.",
    licence="cc-by-4.0",
    version="3",
    policies=("approved",),
    statuses={"draft": 20, "approved": 1500, "rejected": 0},
    dropped={"draft": 20},
    origins=[Origin("faq.csv", 1520, "2026-01-31", "mit")],
    findings=[Found("email", "warning", 2)],
    languages=["en", "de"],
    labelled=["3 changes by 2 people after the import."],
)


def test_the_hub_reads_what_it_shows() -> None:
    read = DatasetCard(data_card(FACTS)).data.to_dict()

    assert read == {
        "pretty_name": "shop answers", "license": "cc-by-4.0", "language": ["en", "de"],
        "size_categories": "1K<n<10K", "task_categories": ["text-generation"], "tags": ["ratchet", "preference", "dpo"],
        "configs": [{"config_name": "default", "data_files": [
            {"split": "train", "path": "data/train.parquet"}, {"split": "test", "path": "data/test.parquet"}]}],
    }  # fmt: skip


def test_the_card_tells_counts_sources_findings_and_how_it_was_made() -> None:
    text = DatasetCard(data_card(FACTS)).text

    for line in (
        "# shop answers", "What our shop says.",
        "1,500 rows in the format `dpo`. They are version 3 of the dataset.",
        "| train | 1,200 |", "| test | 300 |", "What went in: approved.", "| draft | 20 |",
        "| faq.csv | 1,520 | 2026-01-31 | mit |", "- 3 changes by 2 people after the import.",
        "- Status of the examples in the dataset: 20 draft, 1,500 approved.", "| email | warning | 2 |",
    ):  # fmt: skip
        assert line in text.splitlines(), line


def test_what_nobody_knows_is_said() -> None:
    text = data_card(replace(FACTS, licence="unknown", findings=None, origins=[], statuses={}, labelled=[]))

    assert "Nobody has stated a licence for the whole. Ask before you use it." in text
    assert "The dataset was not checked." in text
    assert "Nothing was imported: the rows were written or judged in Ratchet." in text
    assert "## How it was made" not in text
    assert DatasetCard(text).data.license == "unknown"


@pytest.mark.parametrize(
    "name",
    [
        "a | b",
        "---\nlicense: mit",
        "[x](http://evil)",
        "<img src=x>",
        "# big",
        "`code`",
        "%TAG",
        "'\": - {}",
        "half \ud83d",
    ],
)
def test_no_name_becomes_a_link_a_heading_a_cell_or_yaml(name: str) -> None:
    text = data_card(replace(FACTS, name=name, origins=[Origin(name, 1, "2026-01-31", name)], description=name))

    card = DatasetCard(text)
    assert card.data.license == "cc-by-4.0"
    written = name.encode("utf-8", "replace").decode()
    assert text.encode()  # it can be written to a file
    assert (card.data.pretty_name or "").encode("utf-8", "replace").decode() == written
    (row,) = [line for line in card.text.splitlines() if line.startswith("| ") and "2026-01-31" in line]
    assert row == f"| {plain(written)} | 1 | 2026-01-31 | {plain(written)} |"
    assert sum(line.startswith("# ") for line in card.text.splitlines()) == 1


def test_the_facts_of_a_dataset_come_from_the_store(store: Store, write: Write) -> None:
    imported(store, write("faq.jsonl", [{"messages": chat(f"q{n}", f"a{n}")} for n in range(3)]))
    editing.add(store, "rows", {"messages": chat("by", "hand")}, author="ada")

    facts = facts_of(store, Wish.of(Source("rows"), "messages"), {"train": 4}, {"train": "data/train.parquet"}, {})

    assert [(one.name, one.rows, one.licence) for one in facts.origins] == [("faq.jsonl", 3, None)]
    assert facts.labelled == ["1 change by 1 person after the import."]
    assert (facts.kind, facts.statuses) == ("sft", {"draft": 4, "approved": 0, "rejected": 0})
    assert facts.findings is None


def test_the_facts_of_votes_tell_who_judged_without_names(store: Store) -> None:
    starter = add_starter(store)
    add_study(store, "first-look", starter, starter)
    for asked in prompts_of("train", 2):
        vote(store, get_study(store, "first-look"), asked, "a")

    facts = facts_of(store, Wish.of(Source(study="first-look"), "dpo"), {"train": 2}, {"train": "x"}, {})

    assert facts.labelled[0].startswith("2 votes by 1 person, who compared answers side by side")
    assert facts.kind == "preference"
