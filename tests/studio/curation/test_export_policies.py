"""Policies say what goes in, each counts what it leaves out, and an export that comes out empty says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from storage import datasets, findings, versions
from storage.errors import BadInput
from storage.findings import Finding, Looked
from storage.store import Store
from studio.curation import bulk
from studio.curation.bulk import Action
from studio.curation.export_sources import Source
from studio.curation.exporting import Stopped, Wish, export, preview
from studio.curation.listing import show
from tests.studio.curation.files import Write, imported
from tests.studio.training.project import add_starter, add_study, conversation, prompt, prompts_of, vote

ROWS = [conversation(asked[0]["content"], "a") for asked in (*prompts_of("train", 7), *prompts_of("measure", 3))]


@pytest.fixture
def rows(store: Store, write: Write) -> list[str]:
    """Ten conversations, three of them on prompts that measure: two approved, one rejected; their ids."""
    imported(store, write("a.jsonl", ROWS))
    ids = [row.id for row in show(store, "rows", limit=100).rows]
    _do(store, "approve", ids[:2])
    _do(store, "reject", ids[2:3], reason="wrong")
    return ids


def _do(store: Store, name: str, ids: list[str], **how: Any) -> None:
    bulk.run(store, "rows", bulk.wanted_of(store, None, ids), Action.checked(name, **how), "ada")


def _exported(store: Store, out: Path, **wish: Any) -> tuple[int, dict[str, int]]:
    report = export(store, **({"name": "rows", "format": "messages", "out": out} | wish))
    return report.rows, report.dropped


@pytest.mark.parametrize(
    ("policy", "count", "dropped"),
    [
        (None, 9, {"rejected": 1}),
        ("not-rejected", 9, {"rejected": 1}),
        ("all", 10, {}),
        ("approved", 2, {"draft": 7, "rejected": 1}),
        ("train", 6, {"kept for measuring": 3, "rejected": 1}),
        ("measure", 3, {"may be trained on": 6, "rejected": 1}),
        ("approved,train", 2, {"draft": 7, "rejected": 1}),
        (["all", "measure"], 3, {"may be trained on": 7}),
    ],
)
def test_each_policy_counts_what_it_leaves_out(
    store: Store, rows: list[str], tmp_path: Path, policy: Any, count: int, dropped: dict[str, int]
) -> None:
    assert _exported(store, tmp_path / "out.jsonl", policy=policy) == (count, dropped)


def test_rows_with_errors_stay_out_and_those_with_warnings_do_not(
    store: Store, rows: list[str], tmp_path: Path
) -> None:
    first, second = show(store, "rows", limit=2).rows
    suite = findings.suite_id(store, {"empty": "1"})
    found = [
        Finding("empty", first.key, first.revision_id, "error", {"sentence": "Empty."}),
        Finding("empty", second.key, second.revision_id, "warning", {"sentence": "Short."}),
    ]
    looked = [Looked(row.revision_id, None) for row in show(store, "rows", limit=8).rows]
    findings.record(store, suite, looked, found, ["empty"])

    assert _exported(store, tmp_path / "out.jsonl", policy="no-errors") == (
        6, {"error found": 1, "not checked": 2, "rejected": 1},
    )  # fmt: skip


def test_rows_that_nobody_has_checked_are_not_without_errors(store: Store, rows: list[str], tmp_path: Path) -> None:
    report = export(store, "rows", format="messages", out=tmp_path / "out.jsonl", policy="no-errors")

    assert report.sentence == (
        "0 examples for the format messages of 10; 9 are not checked (run the checks first), 1 is rejected."
    )


def test_a_version_is_judged_as_it_was_frozen(store: Store, rows: list[str], tmp_path: Path) -> None:
    versions.freeze(store, datasets.get_dataset(store, "rows"))
    _do(store, "approve", rows)

    assert _exported(store, tmp_path / "out.jsonl", version=1, policy="approved") == (2, {"draft": 7})
    assert _exported(store, tmp_path / "out.jsonl", version=1, policy="train") == (6, {"kept for measuring": 3})
    assert _exported(store, tmp_path / "out.jsonl", policy="approved")[0] == 10


def test_nothing_is_written_where_nothing_is_left_and_the_reason_is_said(
    store: Store, rows: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("mine")
    _do(store, "draft", rows[:2])

    report = export(store, "rows", format="messages", out=out, policy="approved")

    assert (report.rows, report.path, report.sha256) == (0, None, None)
    assert report.sentence == "0 approved of 10; 9 are drafts, 1 is rejected."
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("best", '"best" is no policy'),
        ("all,approved", 'The policies "all" and "approved" exclude each other'),
        ("train,measure", 'The policies "train" and "measure" exclude each other'),
        ("majority", 'The policy "majority" is for the votes of a study'),
    ],
)
def test_policies_that_cannot_be_are_refused(store: Store, rows: list[str], policy: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        export(store, "rows", format="messages", out="never.jsonl", policy=policy)


def test_a_preview_counts_what_the_export_will_do(store: Store, rows: list[str], tmp_path: Path) -> None:
    wish = Wish.of(Source("rows"), "messages", "approved")

    seen = preview(store, wish)

    assert (seen.rows, seen.dropped) == _exported(store, tmp_path / "out.jsonl", policy="approved")
    assert seen.first is not None
    assert json.loads(seen.first) == json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])


def test_a_stopped_export_leaves_no_file(store: Store, write: Write, tmp_path: Path) -> None:
    imported(store, write("many.jsonl", [conversation(f"q{n}", f"a{n}") for n in range(1_200)]))
    heard: list[float] = []

    def stop(fraction: float, sentence: str) -> bool:
        heard.append(fraction)
        return fraction > 0.5

    with pytest.raises(Stopped, match='The export of "rows" was stopped; no file is left of it'):
        export(store, "rows", format="messages", out=tmp_path / "out.jsonl", progress=stop)

    assert len(heard) == 2
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


# Votes


@pytest.fixture
def judged(store: Store) -> Store:
    """A study with one vote of each kind on prompts that train, and one on a prompt that measures."""
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    for asked, choice in zip(prompts_of("train", 4), ("a", "tie", "both_bad", "skip"), strict=True):
        vote(store, study, asked, choice)
    vote(store, study, prompts_of("measure", 1)[0], "b")
    return store


def test_votes_become_pairs_and_all_others_are_counted(judged: Store, tmp_path: Path) -> None:
    wish = {"name": None, "study": "first-look", "format": "dpo"}

    counted = _exported(judged, tmp_path / "out.jsonl", **wish)

    assert counted == (1, {"both_bad": 1, "measure prompt": 1, "skip": 1, "tie": 1})
    record = json.loads((tmp_path / "out.jsonl").read_text())
    assert record["prompt"] == prompts_of("train", 1)[0]
    assert record.keys() == {"prompt", "chosen", "rejected"}


def test_both_bad_become_negatives_for_kto(judged: Store, tmp_path: Path) -> None:
    wish = {"name": None, "study": "first-look", "format": "kto", "policy": "both-bad-as-negatives"}

    counted = _exported(judged, tmp_path / "out.jsonl", **wish)

    assert counted == (4, {"measure prompt": 1, "skip": 1, "tie": 1})
    labels = [json.loads(line)["label"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert labels == [True, False, False, False]


def test_ratings_of_single_answers_become_labels_for_kto(store: Store, tmp_path: Path) -> None:
    starter = add_starter(store)
    study = add_study(store, "first-look", starter, starter)
    for asked, rating in zip(prompts_of("train", 3), (5, 3, 1), strict=True):
        vote(store, study, asked, "rating")
        store.execute("update votes set rating = ? where rating is null", [rating])

    counted = _exported(store, tmp_path / "out.jsonl", name=None, study="first-look", format="kto", policy="weighted")

    assert counted == (2, {"middle rating": 1})
    labels = [json.loads(line)["label"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert labels == [True, False]


def test_votes_without_a_pair_say_why(store: Store, tmp_path: Path) -> None:
    starter = add_starter(store)
    vote(store, add_study(store, "torn", starter, starter), prompts_of("train", 1)[0], "tie")

    report = export(store, study="torn", format="dpo", out=tmp_path / "out.jsonl")

    assert (report.rows, report.sentence) == (0, "0 examples for the format dpo of 1; 1 is a tie.")


@pytest.mark.parametrize("policy", ["approved", "train", "no-errors"])
def test_votes_have_no_status(judged: Store, policy: str) -> None:
    with pytest.raises(BadInput, match=f'The policy "{policy}" is for datasets'):
        export(judged, study="first-look", format="dpo", out="never.jsonl", policy=policy)


# Conversions


def test_a_pair_becomes_a_good_and_a_bad_answer(store: Store, write: Write, tmp_path: Path) -> None:
    imported(store, write("a.jsonl", [{"prompt": "2+2?", "chosen": "4", "rejected": "5", "margin": 2}]))

    assert _exported(store, tmp_path / "out.jsonl", format="kto") == (2, {})
    good, bad = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert good == {"prompt": prompt("2+2?"), "completion": [{"role": "assistant", "content": "4"}], "label": True}
    assert bad == {"prompt": prompt("2+2?"), "completion": [{"role": "assistant", "content": "5"}], "label": False}


def test_the_pairs_of_a_ranking_become_it_again(store: Store, write: Write, tmp_path: Path) -> None:
    answers = [{"text": text, "rank": rank} for text, rank in (("best", 1), ("good", 2), ("also good", 2), ("bad", 3))]
    report = imported(store, write("a.jsonl", [{"prompt": "Say it.", "answers": answers}]))

    counted = _exported(store, tmp_path / "out.jsonl", format="ranking")

    record = json.loads((tmp_path / "out.jsonl").read_text())
    assert (report.made, counted) == (5, (1, {}))
    assert [(one["messages"][0]["content"], one["rank"]) for one in record["answers"]] == [
        ("best", 1), ("good", 2), ("also good", 2), ("bad", 3),
    ]  # fmt: skip


def test_thumbs_and_scores_come_round_as_what_they_are(store: Store, write: Write, tmp_path: Path) -> None:
    rows = [{"prompt": f"q{n}", "completion": f"a{n}", "label": n % 2 == 0} for n in range(4)]
    imported(store, write("a.jsonl", rows))
    for ending in ("jsonl", "parquet", "csv"):
        out = tmp_path / f"out.{ending}"
        assert _exported(store, out, format="kto") == (4, {})
        imported(store, out, f"again-{ending}")
        assert [row.sha256 for row in show(store, f"again-{ending}", limit=9).rows] == [
            row.sha256 for row in show(store, "rows", limit=9).rows
        ]
    assert _exported(store, tmp_path / "out.jsonl", format="dpo") == (0, {"no pair of answers": 4})
