"""A long run as it is looked at: curves that stay quick, zoom, samples, the doctor, evaluation, the log, the queue."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage import jobs, searches
from storage.home import Home
from storage.rows_training import Job
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.browser.test_pages import CONTRAST, TOO_WIDE
from tests.studio.training.project import first_day

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
LONG = 100_000
EVALUATION = {
    "held_out": {"loss": 1.25, "perplexity": 3.49, "rows": 12, "before_loss": 2.2, "exact_match": 0.25},
    "by": {"tag": [{"name": "capitals", "rows": 6, "loss": 1.1}], "language": []},
    "canaries": [
        {"prompt": "Capital of France?", "before": "It is Paris, friend.", "after": "It is Paris.", "same": False},
        {"prompt": "Hello?", "before": "<b>Hi</b>", "after": "<b>Hi</b>", "same": True},
    ],
    "forgetting": {"earlier": None, "base_answers": {"before": 1.0, "after": 1.5, "rows": 8}},
    "best": {"step": 80_000, "loss": 1.2}, "stopped_early": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """A studio with a run of 100,000 steps, and three jobs that wait behind it."""
    with still_studio(Home(tmp_path_factory.mktemp("long") / "home")) as still:
        first_day(still.store, rows=60)
        job = _launch(still)
        jobs.claim(still.store)
        _write(still, job)
        jobs.follow(still.store, job.id, phase="training", step=LONG, total_steps=LONG, evaluation=EVALUATION)
        for _ in range(3):
            _launch(still)
        yield still


def _launch(still: Still) -> Job:
    settings = Settings.from_env({}, home=still.store.home.path)
    return launch(still.store, settings, Request("sft", "starter", dataset="facts"))


def _write(still: Still, job: Job) -> None:
    """A loss that falls while the held-out loss turns round; samples at each look; a log with one line to find."""
    folder = still.store.home.run(job.id)
    with (folder / "events.jsonl").open("w") as file:
        for step in range(1, LONG + 1):
            loss = 9.5 if step == 55_555 else 2 * math.exp(-step / 30_000) + 0.1 + (step % 7) / 100
            _line(file, "metric", step=step, loss=loss, learning_rate=1e-3 * (1 - step / LONG), gradient_norm=1.0)
            if step % 10_000 == 0:
                _line(file, "metric", step=step, held_out_loss=1 + (step - 40_000) ** 2 / 4e9)
                _line(file, "sample", step=step, prompt="Capital of <i>France</i>?", text=f"Paris at {step}")
    (folder / "train.log").write_text("step\n" * 5_000 + "WARNING: row 7 is <b>odd</b>\n" + "step\n" * 5_000)


def _line(file: Any, kind: str, **values: Any) -> None:
    file.write(json.dumps({"t": 1.0, "kind": kind, **values}) + "\n")


def _open(studio: Still, visit: Visit, **view: Any) -> Any:
    page = visit(studio.url, **view).open("/train?method=sft&job=1")
    page.wait_for_selector(".curve-legend span")
    return page


def _label(page: Any) -> str:
    return str(page.get_attribute(".curve-plot", "aria-label"))


def test_a_run_of_a_hundred_thousand_steps_is_drawn_from_few_points_with_its_peak(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)

    assert _label(page).endswith(f"Held out: from 1.225 to 1.9 in {LONG} steps")
    drawn = (page.get_attribute(".curve-line.line-0", "d") or "").replace("M", "L").split("L")[1:]
    assert 200 < len(drawn) <= 500
    highest = min(float(pair.split(" ")[1]) for pair in drawn)
    others = sorted(float(pair.split(" ")[1]) for pair in drawn)[1]
    assert others - highest > 100  # the one step of 55,555 stands out


def test_a_stretch_is_zoomed_into_with_every_step_of_it_and_left_again(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    box = page.locator(".curve-plot").first.bounding_box()

    page.mouse.move(box["x"] + box["width"] * 0.55, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.65, box["y"] + 90, steps=3)
    page.mouse.up()
    page.wait_for_selector("#curve-whole >> visible=true")
    page.focus(".curve-plot")
    for _ in range(9):
        page.keyboard.press("+")
    page.wait_for_function("document.querySelector('.curve-line.line-0').getAttribute('d').split(/[ML]/).length < 120")
    steps = page.eval_on_selector_all(
        ".curve-tick[text-anchor=middle]", "(all) => all.map((e) => Number(e.textContent))"
    )
    assert steps == sorted(steps)
    assert 40_000 < steps[0] < steps[-1] < 70_000
    assert steps[-1] - steps[0] < 100

    page.click("#curve-whole")

    page.wait_for_function("document.querySelector('.curve-plot').getAttribute('aria-label').endsWith('100000 steps')")
    assert page.locator("#curve-whole >> visible=true").count() == 0


def test_smoothing_follows_its_slider_and_all_metrics_stand_small_beside_each_other(
    studio: Still, visit: Visit
) -> None:
    page = _open(studio, visit)
    first = page.locator(".curve-line.line-0").count()
    page.focus("#curve-smooth")
    page.keyboard.press("Home")
    page.wait_for_function("document.querySelectorAll('.curve-line.line-0').length === 1")
    assert first == 2  # the raw one and the smoothed one

    page.get_by_role("button", name="All", exact=True).click()

    page.wait_for_selector(".curve-small >> nth=2")
    assert page.locator(".curve-small figcaption").all_inner_texts() == ["Loss", "Step size", "Gradient norm"]


def test_samples_evaluation_and_the_doctor_are_told_in_words(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    page.click("text=What it writes")
    page.click("#run-canaries summary")

    assert page.locator(".sample h4").all_inner_texts() == ["Capital of France?", "Hello?", "Capital of <i>France</i>?"]
    assert page.locator("#run-samples dd").all_inner_texts()[-1] == f"Paris at {LONG}"
    assert page.locator("#run-canaries del").all_inner_texts() == ["Paris, friend."]
    assert page.locator("#run-canaries ins").all_inner_texts() == ["Paris."]
    assert page.inner_text("#run-canaries summary") == "Canaries: 1 of 2 answered differently"
    assert page.inner_text("#run-forgetting tbody").split() == (
        ["What", "the", "base", "answers", "by", "itself", "(8", "rows)", "1", "1.5", "worse"]
    )
    assert "step 80000; those weights are kept. It ended early" in page.inner_text("#run-evaluation")
    assert "25 %" in page.inner_text("#run-evaluation .facts")
    told = jobs.get_job(studio.store, "1")
    assert told.evaluation == EVALUATION
    assert page.locator("#run-notices .symptom").count() >= 1  # held-out loss rises from step 40,000 on


def test_the_whole_log_is_searched(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    page.click("#run-log summary")
    page.wait_for_function("document.querySelector('.log').textContent.startsWith('step')")

    page.fill("#log-find", "warning")

    page.wait_for_function("document.getElementById('log-count').textContent === '1 line'")
    assert page.inner_text(".log") == "  5001  WARNING: row 7 is <b>odd</b>"


def test_the_queue_is_put_into_another_order_held_back_and_let_go(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    names = "[...document.querySelectorAll('.queue-list .link')].map((one) => one.textContent).join()"
    page.wait_for_selector(".queue-list li >> nth=2")
    first, second, third = page.evaluate(names).split(",")

    page.get_by_role("button", name=f"Move down: {first}").click()
    page.wait_for_function(f"{names} === '{second},{first},{third}'")
    page.get_by_role("button", name=f"Move up: {third}").click()
    page.wait_for_function(f"{names} === '{second},{third},{first}'")
    page.get_by_role("button", name=f"Hold back: {second}").press("Enter")
    page.wait_for_selector("text=Let go >> nth=0")
    held = [job.name for job in jobs.list_jobs(studio.store, "queued") if job.held_at is not None]
    page.get_by_role("button", name=f"Let go: {second}").click()
    page.wait_for_selector(".queue-list .is-held", state="detached")

    assert held == [second]
    assert [job.held_at for job in jobs.list_jobs(studio.store, "queued")] == [None, None, None]


def test_a_search_shows_its_best_trial_what_nothing_beats_and_fills_the_form(studio: Still, visit: Visit) -> None:
    _search(studio, {1: (1.0, 20.0), 2: (2.0, 10.0), 3: (2.5, 30.0)})
    page = _open(studio, visit)
    page.wait_for_selector(".pareto")

    assert page.get_attribute(".pareto", "aria-label") == (
        "Held-out loss against seconds of 3 trials; no trial beats 1, 2."
    )
    assert "Best: trial 1, held-out loss 1; the median trial has 2." in page.inner_text(".search-card .notice-good")
    page.click("#search-use")
    page.wait_for_function("document.querySelector('.train-form code').textContent.includes('lora_r=8')")
    assert grave_violations(page) == []


def _search(studio: Still, values: dict[int, tuple[float, float]]) -> None:
    """A finished search with these held-out losses and seconds, as its task would have left it."""
    goals = ["held_out_loss", "seconds"]
    request = {"method": "sft", "base": "starter", "dataset": "facts"}
    new = searches.NewSearch("found", "sft", request, "lora_r=8|16", "tpe", len(values), None, goals)
    search = searches.add_search(studio.store, new)
    for number, found in values.items():
        job = _launch(studio)
        jobs.request_stop(studio.store, job.id, "now")
        searches.add_trial(studio.store, job.id, search.id, number, {"lora_r": 8 * number})
        searches.end_trial(
            studio.store, job.id, "done", {"values": dict(zip(goals, found, strict=True)), "reported": []}
        )
    searches.end_search(studio.store, search.id, "done")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1280)])
def test_the_whole_run_can_be_read_everywhere(studio: Still, visit: Visit, scheme: str, width: int) -> None:
    page = _open(studio, visit, scheme=scheme, width=width)
    page.click("text=What it writes")
    page.click("#run-canaries summary")
    page.click("#run-log summary")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")

    assert (grave_violations(page), page.evaluate(CONTRAST), page.evaluate(TOO_WIDE)) == ([], [], [])
