"""Findings of a dataset: kept by revision, computed again only where something changed, mended and undone."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from storage import changes, datasets, examples, findings, tasks
from storage.errors import BadInput, NotFound
from storage.examples import Draft
from storage.queries import Query
from storage.rows import Dataset
from storage.store import Store
from studio import task as running
from studio.curation import editing, leftovers
from studio.curation.checks.mending import mend, mend_example
from studio.curation.checks.reporting import Report, of_example, report
from studio.curation.checks.running import Done, Options, run
from studio.curation.checks.stopping import Stopped
from studio.curation.importing import import_files
from tests.conftest import ROOT

pytestmark = pytest.mark.heavy

WHOLE = ["duplicate", "near-duplicate", "contamination", "language"]


def chat(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def pair(question: str, chosen: str, rejected: str) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": question}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def filled(store: Store, contents: Sequence[dict[str, Any]], name: str = "rows", kind: str = "sft") -> Dataset:
    """A dataset with these rows, as an import leaves them."""
    from storage import batches

    known = {item.dataset.name: item.dataset for item in datasets.list_datasets(store)}
    dataset = known.get(name) or datasets.create_dataset(store, name, kind)
    batch = batches.open_batch(store, dataset.id, "import", "ada")
    for start in range(0, len(contents), 1000):
        examples.add_examples(store, batch, [Draft(content) for content in contents[start : start + 1000]])
    batches.publish(store, batch, {"label": "imported"})
    return dataset


def ids(store: Store, dataset: Dataset) -> list[str]:
    return [example.id for example in examples.stream(store, dataset.id, Query())]


def counts(told: Report) -> dict[str, int]:
    return {line.check.name: line.rows for line in told.lines if line.rows}


def test_rows_are_looked_at_once_and_again_where_they_changed(store: Store) -> None:
    dataset = filled(store, [chat("Hi there, how are you?", "Fine."), chat("Write to a@b.de", "Done."), chat("x", " ")])

    first, second = run(store, dataset), run(store, dataset)
    told = report(store, dataset)
    rows = ids(store, dataset)
    editing.revise(store, "rows", rows[0], chat("Hi there, how are you?", "Ask c@d.fr"), author="ada")
    outdated = report(store, dataset)
    third = run(store, dataset)

    assert (first, second, third) == (Done(3, WHOLE), Done(0, []), Done(1, WHOLE))
    assert counts(told) == {"empty": 1, "personal-data": 1}
    assert {line.state for line in told.lines if line.check.find} == {"done"}
    assert (outdated.unchecked, counts(outdated)) == (1, {"empty": 1, "personal-data": 1})
    assert "outdated" in {line.state for line in outdated.lines}
    assert counts(report(store, dataset)) == {"empty": 1, "personal-data": 2}


def test_the_json_of_a_report(store: Store) -> None:
    dataset = filled(store, [chat("x", " "), chat("Write to a@b.de", "Done.")])
    run(store, dataset)

    data = report(store, dataset).to_json()

    rows = ids(store, dataset)
    assert [(item["check"], item["severity"], item["count"], item["examples"]) for item in data["findings"]] == [
        ("empty", "error", 1, [rows[0]]),
        ("personal-data", "warning", 1, [rows[1]]),
    ]
    assert [(item["mendable"], item["mend_label"]) for item in data["findings"]] == [(False, None), (True, "Mask")]
    assert all(item["title"] and item["explanation"].endswith(".") and item["advice"] for item in data["checks"])
    states = {item["check"]: item["state"] for item in data["checks"]}
    assert (states["too-long"], states["toxicity"], states["empty"]) == ("not run", "not run", "done")


def test_a_finding_is_a_filter_and_counts_for_its_text_alone(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "a@b.de"), chat("Hi you", "c@d.fr")])
    run(store, dataset)
    first, second = ids(store, dataset)

    editing.revise(store, "rows", first, chat("Hi", "nobody"), author="ada")

    assert [item.id for item in examples.page(store, dataset.id, Query(finding="personal-data")).examples] == [second]
    editing.undo(store, "rows")
    assert examples.page(store, dataset.id, Query(finding="personal-data")).total == 2
    assert report(store, dataset).unchecked == 0


def test_what_is_in_the_trash_is_not_counted(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "a@b.de"), chat("Hi you", "c@d.fr")])
    run(store, dataset)

    editing.delete(store, "rows", ids(store, dataset)[:1], "ada")

    assert counts(report(store, dataset)) == {"personal-data": 1}


def test_a_mend_is_one_change_and_can_be_undone(store: Store) -> None:
    dataset = filled(store, [chat(f"Write to user{number}@b.de", "Done.") for number in range(30)])
    run(store, dataset)

    mended = mend(store, dataset, "personal-data", "ada")

    assert (mended.mended, mended.left) == (30, 0)
    assert mended.to_json()["label"] == 'mended "personal data and secrets" in 30 rows'
    assert {item.content["messages"][0]["content"] for item in examples.stream(store, dataset.id, Query())} == {
        "Write to [EMAIL]"
    }
    assert report(store, dataset).unchecked == 0  # the mended texts were looked at as well
    editing.undo(store, "rows")
    assert counts(report(store, dataset))["personal-data"] == 30
    assert next(examples.stream(store, dataset.id, Query())).content == chat("Write to user0@b.de", "Done.")


def test_one_row_is_mended_alone(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "a@b.de"), chat("Hi you", "c@d.fr")])
    run(store, dataset)
    first, second = ids(store, dataset)

    mended = mend_example(store, dataset, "personal-data", second, "ada")

    assert mended.mended == 1
    assert [item.id for item in examples.stream(store, dataset.id, Query(finding="personal-data"))] == [first]


def test_a_mend_leaves_alone_what_was_edited_since_the_check(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "a@b.de")])
    run(store, dataset)
    editing.revise(store, "rows", ids(store, dataset)[0], chat("Hi", "new@b.de"), author="bob")

    assert mend(store, dataset, "personal-data", "ada").mended == 0
    assert next(examples.stream(store, dataset.id, Query())).content == chat("Hi", "new@b.de")


def test_copies_go_into_the_trash_and_the_first_stays(store: Store) -> None:
    dataset = filled(
        store, [chat("Which river?", "The Rhine."), chat("Hi", "Hello"), chat("Which river?", "The Rhine.")]
    )
    rows = ids(store, dataset)
    run(store, dataset)

    found = report(store, dataset)
    mended = mend(store, dataset, "duplicate", "ada")

    assert [(line.check.name, line.examples) for line in found.lines if line.rows] == [("duplicate", [rows[2]])]
    assert (mended.mended, ids(store, dataset)) == (1, rows[:2])
    editing.undo(store, "rows")
    assert ids(store, dataset) == rows


@pytest.mark.parametrize(("name", "error"), [("empty", BadInput), ("nonsense", NotFound)])
def test_what_has_no_safe_mend_says_so(store: Store, name: str, error: type[Exception]) -> None:
    dataset = filled(store, [chat("x", "")])

    with pytest.raises(error, match=r"no safe mend|There is no check"):
        mend(store, dataset, name, "ada")


def test_near_copies_name_the_row_that_stays(store: Store) -> None:
    river = "The river rises in the hills, flows for many miles through open fields and ends in the sea."
    texts = (river, river.replace("hills", "mounts"), river.upper(), "Nothing of the kind is here.")
    dataset = filled(store, [chat("Tell me.", text) for text in texts])
    rows = ids(store, dataset)

    run(store, dataset)

    near = {line.check.name: line for line in report(store, dataset).lines}["near-duplicate"]
    details = [of_example(store, examples.read(store, [row])[0].key)[0] for row in near.examples]
    assert near.examples == rows[1:3]
    assert [detail["of"] for detail in details] == [rows[0], rows[0]]
    assert details[0]["similarity"] >= 0.8


def test_prompts_that_differ_in_a_sign_do_not_leak_from_training_into_measuring(store: Store) -> None:
    questions = [
        f"What do people call the old bridge number {number} over the river in the town" for number in range(40)
    ]
    dataset = filled(
        store,
        [chat(f"{question}{end}", f"{question}{end} It is one.") for question in questions for end in ("?", " ?")],
    )
    split = {item.id: item.split for item in examples.stream(store, dataset.id, Query())}
    rows = list(split)
    leaking = [row for one, two in zip(rows[::2], rows[1::2], strict=True) if split[one] != split[two]
               for row in (one, two) if split[row] == "train"]  # fmt: skip
    run(store, dataset)

    found = {line.check.name: line for line in report(store, dataset).lines}["contamination"]

    assert leaking
    assert set(leaking) <= set(found.examples)
    assert all(split[row] == "train" for row in found.examples)


def test_prompts_of_another_dataset_are_found(store: Store) -> None:
    question = "Which river flows through the city of Cologne, and into which sea does it flow"
    tests = filled(store, [{"prompt": [{"role": "user", "content": f"{question}?"}]}], "exam", "prompts")
    dataset = filled(store, [chat(f"{question} ?", "The Rhine."), chat("And the Elbe?", "Hamburg.")])

    done = run(store, dataset, Options(against="exam"))
    again = run(store, dataset, Options(against="exam"))
    editing.delete(store, "exam", ids(store, tests), "ada")
    after = run(store, dataset, Options(against="exam"))

    assert (done.whole, again.whole, after.whole) == ([*WHOLE, "contamination-other"], [], ["contamination-other"])
    assert counts(report(store, dataset)) == {}


def test_a_taste_for_length_is_measured_and_its_pairs_are_found(store: Store) -> None:
    long, short = "a long and winding answer " * 6, "a short answer"
    rows = [pair(f"Question {number}?", f"{long}{number}", f"{short}{number}") for number in range(40)]
    dataset = filled(store, [*rows, pair("Last?", "x", "y")], kind="preference")

    run(store, dataset)

    line = {line.check.name: line for line in report(store, dataset).lines}["length-bias"]
    assert (line.rows, line.measured["pairs"], line.measured["share"], line.measured["biased"]) == (40, 41, 1.0, True)
    assert line.measured["effect"] > 2


def test_rows_that_contradict_each_other(store: Store) -> None:
    dataset = filled(store, [pair("q", "a", "b"), pair("q", "b", "a "), pair("q", "a", "c"), pair("p", "b", "a")],
                     kind="preference")  # fmt: skip
    rows = ids(store, dataset)

    run(store, dataset)

    line = {line.check.name: line for line in report(store, dataset).lines}["contradiction"]
    assert line.examples == rows[:2]
    assert of_example(store, examples.read(store, rows[:1])[0].key)[0]["against"] == [rows[1]]


def test_languages_are_counted_and_a_row_in_another_one_is_found(store: Store) -> None:
    answer = "It is a rather large city on a river, I believe."
    english = [chat(f"What is the capital of country number {number}?", answer) for number in range(12)]
    german = chat("Was ist die Hauptstadt von Frankreich?", "Die Hauptstadt von Frankreich ist natürlich Paris.")
    dataset = filled(store, [*english, german])

    run(store, dataset)

    told = report(store, dataset)
    line = {line.check.name: line for line in told.lines}["language"]
    assert told.languages == {"en": 12, "de": 1}
    assert line.examples == ids(store, dataset)[-1:]


def test_stopping_keeps_what_was_found_and_the_next_run_goes_on(store: Store) -> None:
    dataset = filled(store, [chat(f"Write to user{number}@b.de", "Done.") for number in range(600)])

    with pytest.raises(Stopped, match="what was found so far is kept"):
        run(store, dataset, progress=lambda fraction, sentence: True)

    assert 0 < counts(report(store, dataset))["personal-data"] < 600
    done = run(store, dataset)
    assert 0 < done.rows < 600
    assert counts(report(store, dataset))["personal-data"] == 600


def test_a_word_list_that_changes_is_looked_for_in_all_rows_again(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "darn"), chat("Hi you", "heck")])
    words = store.home.path / "toxic-words.txt"
    seen = []
    for text in ("darn\n", "heck\nheck no\n", ""):
        words.write_text(text, encoding="utf-8")
        run(store, dataset)
        seen.append(findings.tally(store, dataset.id, "toxicity").examples)

    first, second = ids(store, dataset)
    assert seen == [[first], [second], []]


def test_a_check_runs_as_a_task(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "a@b.de")])
    task = running.start(store, "check", {"dataset": "rows"})

    while tasks.get_task(store, task.id).status in ("queued", "running"):
        time.sleep(0.02)

    ended = tasks.get_task(store, task.id)
    assert (ended.status, ended.result) == ("done", {"dataset": "rows", "rows": 1, "whole": WHOLE})
    assert counts(report(store, dataset)) == {"personal-data": 1}


def test_a_cancelled_check_is_stopped(store: Store) -> None:
    filled(store, [chat("Hi", "a@b.de")])
    task = tasks.add_task(store, "check", {"dataset": "rows"})
    store.execute("update tasks set cancel_requested = 1 where id = ?", [task.id])

    assert running.run(store, task.id) == 1
    assert tasks.get_task(store, task.id).status == "stopped"


@pytest.mark.parametrize("written", [1, 1500])
def test_a_killed_check_goes_on_where_it_was(store: Store, written: int) -> None:
    dataset = filled(store, [chat(f"Write to user{number}@b.de", "Done.") for number in range(3000)])
    task = tasks.add_task(store, "check", {"dataset": "rows"})
    process = subprocess.Popen([sys.executable, "-m", "studio.task", task.id, "--home", str(store.home.path)], cwd=ROOT)
    while int(store.value("select count(*) from checked")) < written:
        assert process.poll() is None, "the check ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    landed = int(store.value("select count(*) from checked"))

    leftovers.sweep(store)
    done = run(store, dataset)

    assert (tasks.get_task(store, task.id).status, store.value("pragma integrity_check")) == ("failed", "ok")
    assert (written <= landed < 3000, done.rows) == (True, 3000 - landed)
    assert counts(report(store, dataset))["personal-data"] == 3000


def test_a_killed_check_of_the_whole_dataset_is_made_again(store: Store) -> None:
    dataset = filled(store, [chat("Hi", "a@b.de"), chat("Hi", "a@b.de")])
    run(store, dataset)
    store.execute("delete from dataset_checks where check_name = 'duplicate'")  # as `replace` begins
    store.execute("delete from findings where check_name = 'duplicate'")

    assert run(store, dataset).whole == ["duplicate"]
    assert counts(report(store, dataset))["duplicate"] == 1


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sft/gsm8k_test_socratic.jsonl", {}),
        ("sft/lf_alpaca_en_demo.json",
         {"truncated": 6, "refusal": 9, "boilerplate": 26, "answer-language": 1, "personal-data": 2}),
        ("sft/xquad_ar.json", {"near-duplicate": 917, "contamination": 520, "truncated": 40, "encoding": 59}),
        ("pref/lf_kto_en_demo.json",
         {"truncated": 17, "refusal": 3, "boilerplate": 6, "encoding": 2, "answer-language": 13, "language": 11,
          "personal-data": 1}),
    ],
)  # fmt: skip
def test_real_files(store: Store, real_data: Path, name: str, found: dict[str, int]) -> None:
    """What was found by reading along: XQuAD asks several questions of each text, its Arabic has 59 damaged rows."""
    import_files(store, [real_data / name], "rows")
    dataset = datasets.get_dataset(store, "rows")

    run(store, dataset)

    assert counts(report(store, dataset)) == found


def test_changing_rows_in_bulk_lets_the_checks_look_again(store: Store) -> None:
    dataset = filled(store, [chat(f"Q{number}?", "fine") for number in range(5)])
    run(store, dataset)
    changes.change(store, dataset, Query(), lambda row: changes.Change(content=chat(row.id, "a@b.de")), kind="bulk",
                   label="{count} rows", author="ada")  # fmt: skip

    assert run(store, dataset).rows == 5
    assert counts(report(store, dataset))["personal-data"] == 5
