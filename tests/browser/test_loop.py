"""The whole loop as a person plays it: import, edit, train, compare, vote, train on the votes, compare again.

Everything is real: `ratchet serve`, its engine and worker, TRL runs on the starter, Chromium. The person in the
test prefers the shorter of two answers, always by keyboard.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import comparisons, datasets, jobs, models, rounds, votes
from storage.examples import page
from storage.home import Home
from storage.queries import Query
from storage.store import Store
from studio.feedback.preferences import preferences
from studio.studio import Studio
from tests.browser.conftest import Served, start_studio, stop_studio

pytestmark = [pytest.mark.browser, pytest.mark.torch]
COMPARE = "[data-widget=compare]"
VOTES = 30


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATCHET_ZYGOTE", "on")  # as people have it
        running = start_studio(folder / "home", folder / "serve.err")
    yield running
    stop_studio(running)


@pytest.fixture
def problems(real_data: Path, tmp_path: Path) -> Path:
    """The first 200 rows of a real file of school maths."""
    file = tmp_path / "school-maths.jsonl"
    lines = (real_data / "sft" / "gsm8k_train.jsonl").read_text(encoding="utf-8").splitlines()[:200]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_the_loop_turns_twice(served: Served, visit: Callable[..., Any], problems: Path) -> None:
    one = visit(served.url)
    store = Store(Home(served.home))

    import_file(one, problems)
    edit_first_row(one)
    one.open("/train?method=sft&base=starter&dataset=starter")
    train_by_button(one, "round-1-sft")
    shown = vote_for_the_shorter(one, VOTES)
    one.shot("compare")
    page_ = one.page
    Studio(served.home).promote(overrule=True, reason="So few votes decide nothing, and the loop shall go on.")
    page_.click("text=Train on these votes")
    page_.wait_for_url("**/train?*")
    train_by_button(one, "round-2-dpo")
    second = vote_for_the_shorter(one, 1)

    check_data(store)
    check_rounds(store)
    assert (len(set(shown)), len(second)) == (VOTES, 1)
    assert page_.locator(".reveal .revealed b").all_inner_texts() in (
        ["round-1-sft", "round-2-dpo"],
        ["round-2-dpo", "round-1-sft"],
    )
    one.open("/")
    page_.wait_for_selector("text=Round 2")
    one.shot("home-after-two-rounds")


def import_file(one: Any, file: Path) -> None:
    """Drop a file, keep the suggested name, and wait for the report."""
    page_ = one.open("/data")
    page_.set_input_files("#import-files", str(file))
    page_.wait_for_selector("#import-dataset")
    assert page_.input_value("#import-dataset") == "school-maths"
    page_.click("button:text-is('Import')")
    page_.wait_for_selector("#import-result:has-text('200')")


def edit_first_row(one: Any) -> None:
    """Open the first row of the starter by keyboard, give it another answer and save."""
    page_ = one.open("/data?dataset=starter")
    page_.wait_for_selector(".rows-table tbody tr")
    page_.keyboard.press("j")
    page_.keyboard.press("Enter")
    page_.wait_for_selector(".turn textarea")
    page_.locator(".turn textarea").nth(1).fill("Written by hand.")
    page_.keyboard.press("Control+s")
    page_.wait_for_selector("#step-undo:has-text('edited')")


def train_by_button(one: Any, name: str) -> None:
    """Press Train, watch the curve grow, wait for the end and follow the button to the comparison."""
    page_ = one.page
    page_.wait_for_selector("#train-start[aria-disabled=false]")
    page_.click("#train-start")
    page_.wait_for_selector(f"#run-title:text-is('{name}')", timeout=60_000)
    page_.wait_for_selector(".curve-plot", timeout=60_000)
    page_.wait_for_selector("#run-compare", timeout=300_000)
    page_.click("#run-compare")
    page_.wait_for_url("**/compare?*")


def vote_for_the_shorter(one: Any, count: int) -> list[str]:
    """Vote by keyboard for the shorter answer; returns the comparisons that were shown."""
    page_, shown = one.page, []
    for _ in range(count):
        page_.wait_for_selector(f"{COMPARE}[data-state=ready]", timeout=60_000)
        shown.append(page_.get_attribute(COMPARE, "data-comparison"))
        left, right = (page_.inner_text(f".pane-{side} .pane-body") for side in "ab")
        page_.keyboard.press("3" if left == right else "1" if len(left) < len(right) else "2")
        page_.wait_for_function(
            "([root, before]) => document.querySelector(root).dataset.comparison !== before", arg=[COMPARE, shown[-1]]
        )
    page_.wait_for_selector(f"{COMPARE}[data-unsaved='0']")
    return shown


def check_data(store: Store) -> None:
    """200 imported rows, and the edit as the newest revision of a row."""
    maths, starter = (datasets.get_dataset(store, name) for name in ("school-maths", "starter"))
    first = page(store, starter.id, Query(limit=1)).examples[0]

    assert datasets.count_examples(store, maths.id) == 200
    assert first.content["messages"][1]["content"] == "Written by hand."


def check_rounds(store: Store) -> None:
    """Two jobs, two models on top of each other, and a ledger that tells it."""
    sft, dpo = reversed(jobs.list_jobs(store))
    first, second = (models.get_model(store, job.model_id or "") for job in (sft, dpo))
    spec = json.loads((store.home.run(dpo.id) / "spec.json").read_text(encoding="utf-8"))
    study = comparisons.get_study(store, "round-1")
    pairs = preferences(store, "round-1", dpo.policy or "").pairs

    assert [(job.method, job.status) for job in (sft, dpo)] == [("sft", "done"), ("dpo", "done")]
    assert (first.name, second.name, second.parent_id) == ("round-1-sft", "round-2-dpo", first.id)
    assert (spec["reference"], spec["rows"]) == ("previous", len(pairs))
    assert len(votes.current_votes(store, study.id)) == VOTES
    assert [(turn.number, turn.state, turn.model_id) for turn in rounds.list_rounds(store)] == [
        (1, "closed", first.id),
        (2, "open", second.id),
    ]
    assert second.probe is not None
    assert second.probe["max_logit_difference"] > 0
