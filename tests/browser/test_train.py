"""The page /train as a person uses it: everything said before the press, and the same run in any tab after it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import jobs
from storage.comparisons import get_study
from storage.home import Home
from storage.models import add_model, get_model
from storage.rows_training import Job
from storage.runs import append_event
from storage.usage import Spent, record
from studio.settings import Settings
from studio.training.launching import launch
from studio.training.planning import plan
from studio.training.request import Request
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.browser.test_pages import CONTRAST, TOO_WIDE
from tests.studio.training.project import first_day, prompts_of, run_to_the_end, vote, write_base

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
READY = "#train-start[aria-disabled=false]"


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Still]:
    """A studio on its first day, with two votes given."""
    with still_studio(Home(tmp_path / "home")) as still:
        _begin(still)
        yield still


@pytest.fixture(scope="module")
def busy_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """A studio with a run at work, only to be looked at."""
    with still_studio(Home(tmp_path_factory.mktemp("busy") / "home")) as still:
        _begin(still)
        settings = Settings.from_env({}, home=still.store.home.path)
        _advance(still, launch(still.store, settings, Request("sft", "starter", dataset="facts")), 1, 30)
        yield still


def _begin(still: Still) -> None:
    """The first day: the starter, forty examples, two votes, the first round."""
    study = first_day(still.store, rows=40)
    for asked in prompts_of("train", 2):
        vote(still.store, study, asked, "a")


def _press_train(page: Any) -> None:
    page.wait_for_selector(READY)
    page.click("#train-start")
    page.wait_for_selector("#run-title")


def _only_job(studio: Still) -> Job:
    (job,) = jobs.list_jobs(studio.store)
    return job


def _advance(studio: Still, job: Job, first: int, last: int, total: int = 40) -> None:
    """What the worker and the run write while training goes on."""
    jobs.claim(studio.store)
    for step in range(first, last + 1):
        append_event(studio.store.home.run(job.id), "metric", step=step, loss=2 / step, learning_rate=1e-3)
    jobs.follow(studio.store, job.id, phase="training", step=last, total_steps=total, eta_seconds=12.0)


def test_what_stands_against_a_start_is_said_before_the_press(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=dpo")

    page.wait_for_selector("#train-refusals .notice")
    assert page.inner_text("#train-refusals") == (
        'Study "first-look" gives 2 pairs from 2 votes; DPO needs at least 4 pairs: about 2 more votes.'
    )
    page.keyboard.press("Control+Enter")
    page.click("#train-start", force=True)
    assert jobs.list_jobs(studio.store) == []

    page.check("#method-sft")
    page.wait_for_selector(READY)
    assert page.inner_text("#train-refusals") == ""
    assert page.inner_text("#train-material-hint") == '40 rows of dataset "facts".'
    steps = plan(studio.store, Request("sft", "starter", dataset="facts")).steps
    assert page.inner_text("#train-price") == f"{steps} steps"


def test_the_chain_is_drawn_from_start_over_reference_to_the_new_model(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=dpo")
    page.wait_for_selector("#train-refusals .notice")

    words = page.inner_text(".origin-path").split("\n")

    assert [word for word in words if word] == [
        "starts at", "starter", "reference", "starter", "becomes", "round-1-dpo",
    ]  # fmt: skip


def test_an_option_of_ones_own_shows_in_the_command_and_goes_back_to_the_advice(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    page.wait_for_selector(READY)
    advised = page.input_value("#option-epochs")

    page.fill("#option-epochs", "2")
    page.wait_for_function("document.querySelector('.train-form .command code').textContent.endsWith('--set epochs=2')")
    page.get_by_role("button", name=f"Use the advised {advised}").click()

    page.wait_for_function("!document.querySelector('.train-form .command code').textContent.includes('--set')")
    assert page.input_value("#option-epochs") == advised


def test_an_option_out_of_range_is_marked_and_named(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    page.wait_for_selector(READY)

    page.fill("#option-learning_rate", "7")

    page.wait_for_selector("#option-learning_rate[aria-invalid=true]")
    assert 'Option "learning_rate" lies between 1e-08 and 0.1, not 7.0.' in page.inner_text("#train-refusals")


def test_a_refresh_keeps_what_was_chosen(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    page.wait_for_selector(READY)
    page.check("#method-dpo")
    page.wait_for_selector("#train-refusals .notice")

    page.reload()

    page.wait_for_selector("#train-refusals .notice")
    assert page.is_checked("#method-dpo")
    assert page.input_value("#train-material") == "study:first-look"


def test_the_key_starts_one_job_however_often_it_is_pressed(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    page.wait_for_selector(READY)

    for _ in range(4):
        page.keyboard.press("Control+Enter", delay=1)
        page.wait_for_timeout(200)  # the first answer may come between two presses
    page.wait_for_selector(".status-queued")

    assert page.url.endswith(f"job={_only_job(studio).id}")
    assert page.inner_text("#run-title") == "round-1-sft"


def test_a_run_is_followed_step_by_step_and_seen_again_after_a_refresh_and_in_a_second_tab(
    studio: Still, visit: Visit
) -> None:
    page = visit(studio.url).open("/train?method=sft")
    _press_train(page)
    job = jobs.claim(studio.store)
    assert job is not None
    _advance(studio, job, 1, 10)

    page.wait_for_selector("text=step 10 of 40, about 12 s left")
    assert page.get_attribute("[role=progressbar]", "aria-valuenow") == "10"
    assert page.get_attribute(".curve-plot", "aria-label") == "Loss: from 2 to 0.2 in 10 steps"
    page.hover(".curve-plot")
    assert "step" in page.inner_text(".curve-tip")

    _advance(studio, job, 11, 20)
    page.wait_for_selector("text=step 20 of 40")
    page.reload()
    other = visit(studio.url, width=390, height=844).open("/train")

    for tab in (page, other):
        tab.wait_for_selector("text=step 20 of 40")
        assert tab.get_attribute(".curve-plot", "aria-label") == "Loss: from 2 to 0.1 in 20 steps"


def test_a_finished_run_leads_to_its_comparison(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    _press_train(page)
    run_to_the_end(studio.store, _only_job(studio))

    page.wait_for_selector("#run-compare")

    assert page.get_attribute("#run-compare", "href") == "/compare?study=round-1"
    assert page.inner_text(".notice-good") == "round-1-sft waits in Compare, blind, against starter."
    assert get_study(studio.store, "round-1").state == "open"
    page.wait_for_selector("#train-base option[value='round-1-sft']", state="attached")
    assert page.input_value("#train-base") == "starter"  # the champion, until votes say that the new one is better


def test_a_failed_run_says_why_and_what_to_do_and_runs_again(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    _press_train(page)
    job = jobs.claim(studio.store)
    assert job is not None
    sentence = "Row <img src=x onerror=alert(1)> cannot be read."
    jobs.finish(studio.store, job.id, "failed", error={"kind": "row", "sentence": sentence, "fix": "Mend the row."})

    page.wait_for_selector("#run-error")
    assert page.locator("#run-error p").all_inner_texts() == [sentence, "Mend the row."]
    page.click("#run-again")
    page.wait_for_selector(".run-card .status-queued")

    assert [(one.number, one.status) for one in jobs.list_jobs(studio.store)] == [(2, "queued"), (1, "failed")]


def test_a_run_that_was_cut_off_goes_on_by_key_and_its_curve_keeps_the_last_value_of_each_step(
    studio: Still, visit: Visit
) -> None:
    page = visit(studio.url).open("/train?method=sft")
    _press_train(page)
    job = _only_job(studio)
    _advance(studio, job, 1, 10)
    page.wait_for_selector("text=step 10 of 40")
    jobs.finish(
        studio.store, job.id, "failed", error={"kind": "killed", "sentence": "Killed.", "fix": "Resume the job."}
    )
    page.wait_for_selector("#run-resume")
    said = page.inner_text("#run-resume")

    page.keyboard.press("r")
    page.wait_for_selector(".run-card .status-queued")
    _advance(studio, job, 8, 20)
    page.wait_for_selector("text=step 20 of 40")

    assert said.split() == ["Resume", "R"]
    assert [(one.id, one.status) for one in jobs.list_jobs(studio.store)] == [(job.id, "running")]
    assert page.get_attribute(".curve-plot", "aria-label") == "Loss: from 2 to 0.1 in 20 steps"
    drawn = [float(pair.split(" ")[0]) for pair in re.split("[ML]", page.get_attribute(".curve-line", "d") or "")[1:]]
    assert (len(drawn), drawn) == (20, sorted(set(drawn)))
    page.keyboard.press("r")
    assert page.locator("#run-resume").count() == 0


def test_stopping_asks_first_and_saves_by_default(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    _press_train(page)
    job = jobs.claim(studio.store)
    assert job is not None
    _advance(studio, job, 1, 5)
    page.wait_for_selector("text=step 5 of 40")

    page.click("#run-stop")
    page.get_by_role("button", name="Let it train").click()
    assert jobs.get_job(studio.store, job.id).stop_requested is None
    page.click("#run-stop")
    page.get_by_role("button", name="Save and stop").click()

    page.wait_for_selector("text=Saving, then stopping.")
    assert jobs.get_job(studio.store, job.id).stop_requested == "save"


def test_a_model_is_added_from_a_folder_and_chosen(studio: Still, visit: Visit, tmp_path: Path) -> None:
    one = visit(studio.url)
    one.expected.append("404")
    page = one.open("/train?method=sft")
    page.wait_for_selector(READY)
    page.click("#add-model")
    page.fill("#model-ref", "/no/such/folder")
    page.keyboard.press("Enter")
    page.wait_for_selector('text="/no/such/folder" is neither a folder on this machine')

    page.fill("#model-ref", str(write_base(tmp_path / "my-base")))
    page.keyboard.press("Enter")

    page.wait_for_function("document.getElementById('train-base').value === 'my-base'")
    page.wait_for_selector('text="ratchet train sft --base my-base --dataset facts"')


def test_an_endpoint_is_added_with_what_is_agreed_and_shows_what_it_cost(studio: Still, visit: Visit) -> None:
    before = add_model(studio.store, "dear", "endpoint", url="http://127.0.0.1:9/v1", remote_name="d", price_out=10)
    record(studio.store, before.id, Spent(requests=3, prompt_tokens=900, completion_tokens=20_000))
    page = visit(studio.url).open("/train?method=sft")
    page.wait_for_selector(READY)
    chosen = page.input_value("#train-base")
    page.click("#add-model")
    assert page.is_hidden("#model-endpoint")

    page.fill("#model-ref", "http://127.0.0.1:9/v1#big")
    page.wait_for_selector("tr:has-text('dear') >> text=20,000")
    page.select_option("#model-dialect", "vllm")
    page.fill("#model-key-env", "BIG_KEY")
    page.fill("#model-at-once", "3")
    page.fill("#model-price-out", "2.5")
    page.select_option("#model-serves", "starter")
    assert grave_violations(page) == []
    page.keyboard.press("Tab")
    page.click("text=Add the model")

    page.wait_for_selector("text=big is added: it can answer in studies.")
    model = get_model(studio.store, "big")
    agreed = (model.dialect, model.key_env, model.at_once, model.timeout, model.price_in, model.price_out)
    assert agreed == ("vllm", "BIG_KEY", 3, None, None, 2.5)
    assert model.serves == get_model(studio.store, "starter").id
    assert page.input_value("#train-base") == chosen


def test_the_log_is_read_where_somebody_wants_it(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=sft")
    _press_train(page)
    folder = studio.store.home.run(_only_job(studio).id)
    (folder / "train.log").write_text("loading <b>weights</b>\n")

    page.click("#run-log summary")

    page.wait_for_selector("text=loading <b>weights</b>")


def test_a_job_that_does_not_exist_is_said_and_the_page_goes_on(studio: Still, visit: Visit) -> None:
    one = visit(studio.url)
    one.expected.append("404")
    page = one.open("/train?job=nobody")

    page.wait_for_selector('text=There is no job "nobody"')
    page.wait_for_selector("text=Nothing has been trained yet")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_with_a_run_can_be_read_everywhere(busy_studio: Still, visit: Visit, scheme: str, width: int) -> None:
    one = visit(busy_studio.url, scheme=scheme, width=width)
    page = one.open("/train?method=sft")
    page.wait_for_selector("text=step 30 of 40")
    page.wait_for_selector(READY)
    page.click("text=More options")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    one.shot(f"train-run-{scheme}-{width}")

    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(TOO_WIDE) == []


def test_each_policy_says_what_it_makes_of_the_votes(studio: Still, visit: Visit) -> None:
    page = visit(studio.url).open("/train?method=dpo")
    page.wait_for_selector("#train-refusals .notice")

    page.click(".more-options summary")
    page.wait_for_function("document.querySelector('#train-policy').textContent.split(' pairs)').length === 5")

    assert page.eval_on_selector_all("#train-policy option", "(all) => all.map((one) => one.textContent)") == [
        "Majority: one pair where most agree (2 pairs)",
        "Each: every vote is a pair (2 pairs)",
        "Unanimous: only where all agree (2 pairs)",
        "Weighted: by how far one answer leads (2 pairs)",
    ]
    page.select_option("#train-policy", "weighted")
    page.check("#train-policy-ties-keep")
    page.wait_for_function(
        "document.querySelector('.train-form .command code').textContent.includes('--votes weighted,ties=keep')"
    )
    page.reload()
    page.wait_for_selector("#train-refusals .notice")
    assert (page.input_value("#train-policy"), page.is_checked("#train-policy-ties-keep")) == ("weighted", True)
    assert grave_violations(page) == []
