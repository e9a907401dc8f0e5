"""The form for every method: families, presets, starts, phases, the preflight's panel and its price on the button."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage import jobs
from storage.home import Home
from storage.specs.options import option_fields
from storage.specs.registry import METHODS
from tests.browser.axe import grave_violations
from tests.browser.still import Still, still_studio
from tests.browser.test_pages import CONTRAST, TOO_WIDE
from tests.studio.training.project import add_dataset, conversation, first_day, run_to_the_end

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
READY = "#train-start[aria-disabled=false]"
_OPTIONS = "[id^=option-]:not([id$=-hint])"
FOUND = {
    "rows": 60, "tokens": 12_400, "trained_tokens": 4_200, "masked_share": 0.66, "truncated": 2, "identical_pairs": 0,
    "duplicates": 1, "overlap": 0, "nothing_learnt": 0, "memory_gb": {"low": 2.8, "high": 4.1},
    "seconds": {"low": 200, "high": 260}, "fits_beside_engine": True, "price": "about 4 min, 3 to 4 GB",
    "examples": [{"id": "1", "tokens": [{"text": "Capital of <b>France</b>?", "trained": False},
                                        {"text": "Paris.", "trained": True}]}],
    "checks": [{"name": "duplicates", "ok": False, "sentence": "One row appears twice."}],
    "refusals": [], "warnings": ["2 rows are longer than max_length and are cut."],
}  # fmt: skip


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    """A studio with examples, raw text, and one model that was trained."""
    from studio.settings import Settings
    from studio.training.launching import launch
    from studio.training.request import Request

    with still_studio(Home(tmp_path_factory.mktemp("form") / "home")) as still:
        first_day(still.store, rows=60)
        add_dataset(still.store, "more", "sft", [conversation(f"why {n}", f"because {n}") for n in range(60)])
        settings = Settings.from_env({}, home=still.store.home.path)
        run_to_the_end(still.store, launch(still.store, settings, Request("sft", "starter", dataset="facts")))
        yield still


def _open(studio: Still, visit: Visit, query: str = "method=sft&base=starter&dataset=facts", **view: Any) -> Any:
    page = visit(studio.url, **view).open(f"/train?{query}")
    page.wait_for_selector(READY)
    return page


def _checked(page: Any, **changes: Any) -> None:
    """The preflight answers at the second look, as one does that takes its time."""
    answers = iter(["running", "done"])

    def answer(route: Any) -> None:
        state = next(answers, "done")
        result = {**FOUND, **changes} if state == "done" else None
        route.fulfill(json={"id": "known", "state": state, "result": result, "error": None})

    page.route("**/api/jobs/preflight**", answer)


def test_every_method_of_the_registry_has_its_card_in_a_family(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)

    shown = page.eval_on_selector_all(".method-card input", "(all) => all.map((one) => one.value)")

    assert sorted(shown) == sorted(METHODS)
    assert "Others" not in page.inner_text(".method-families")


def test_the_form_of_each_method_shows_all_its_options(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    asked = "(name) => document.querySelector('.train-form code').textContent.startsWith(`ratchet train ${name} `)"
    shown = {}

    for name in METHODS:
        page.check(f"#method-{name}")
        page.wait_for_function(asked, arg=name)
        shown[name] = page.eval_on_selector_all(
            "[id^=option-]:not([id$=-hint])", "(all) => all.map((e) => e.id.slice(7))"
        )
        assert METHODS[name].summary in page.inner_text("#method-about")

    options = {name: sorted(item.name for item in option_fields(method.options)) for name, method in METHODS.items()}
    assert {name: sorted(names) for name, names in shown.items()} == options


def test_a_preset_changes_what_is_advised_says_why_and_stands_in_the_command(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    page.wait_for_selector("#preset-quick")
    before = page.inner_text("#preset-why")

    page.click("#preset-quick")

    page.wait_for_function("document.querySelector('.train-form code').textContent.includes('--preset quick')")
    assert page.get_attribute("#preset-quick", "aria-pressed") == "true"
    assert page.inner_text("#preset-why") != before


def test_an_adapter_can_be_gone_on_from_stacked_on_or_left_aside(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit, "method=sft&base=round-1-sft&dataset=more")
    page.wait_for_selector("#train-begin >> visible=true")
    ways = page.eval_on_selector_all("#train-begin option", "(all) => all.map((one) => one.value)")

    page.select_option("#train-begin", "fresh")

    page.wait_for_function("document.querySelector('.train-form code').textContent.includes('--start fresh')")
    assert ways == ["continue", "stack", "fresh"]
    assert page.inner_text("#train-begin-hint") != ""
    assert "becomes" in page.inner_text(".origin-path")


def test_the_preflight_puts_its_price_on_the_button_and_colours_what_is_learnt(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    _checked(page)

    page.click("#preflight-now")

    page.wait_for_selector("#preflight-facts dt")
    assert page.inner_text("#train-says") == "Train, about 4 min, 3 to 4 GB"
    facts = page.eval_on_selector_all("#preflight-facts > div", "(all) => all.map((one) => one.innerText)")
    assert facts[:3] == ["Rows\n60", "Tokens\n12\u2009400", "Learnt of them\n4\u2009200 (34 %)"]
    assert "2 rows are longer" in page.inner_text("#preflight-notes")
    page.click("text=What is learnt of five rows")
    assert page.locator(".learnt-row mark").all_inner_texts() == ["Paris."]
    assert page.locator(".learnt-row b").count() == 0
    assert grave_violations(page) == []

    page.fill("#option-epochs", "2")

    page.wait_for_function("document.getElementById('train-says').textContent === 'Train'")
    assert page.locator("#preflight-facts >> visible=true").count() == 0


def test_what_the_preflight_refuses_stands_against_the_start(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    sentence = 'Row 7 trains on nothing; raise "max_length".'
    _checked(page, refusals=[sentence])

    page.click("#preflight-now")

    page.wait_for_selector("#train-start[aria-disabled=true]")
    assert page.inner_text("#train-refusals") == sentence
    assert page.get_attribute("#option-max_length", "aria-invalid") == "true"


def test_a_search_is_asked_for_with_what_is_usual_and_says_what_is_wrong(studio: Still, visit: Visit) -> None:
    one = visit(studio.url)
    one.expected.append("422")
    page = one.open("/train?method=sft&base=starter&dataset=facts")
    page.wait_for_selector(READY)
    page.click("#train-search")
    page.wait_for_function("document.getElementById('search-space').value.startsWith('learning_rate=')")
    assert grave_violations(page) == []

    page.fill("#search-space", "colour=1..2")
    page.click("#search-begin")

    page.wait_for_selector('text=There is no option "colour"')
    page.select_option("#search-sampler", "nsga2")
    assert page.locator("dialog input:checked").count() == 3
    page.keyboard.press("Escape")
    assert page.locator("dialog").count() == 0


def test_phases_are_put_one_behind_the_other_and_queued_at_once(studio: Still, visit: Visit) -> None:
    page = _open(studio, visit)
    page.fill("#train-name", "english")
    page.wait_for_function("document.querySelector('.train-form code').textContent.includes('english')")
    page.click("#train-then")
    page.wait_for_selector("#train-phases li")
    page.select_option("#train-material", "dataset:more")
    page.wait_for_function("document.querySelector('.origin-path').innerText.includes('english')")
    page.fill("#train-name", "both")
    page.wait_for_selector(READY)
    assert page.inner_text("#train-says") == "Train 2 phases"

    page.click("#train-start")
    page.wait_for_selector(".queue-list li >> nth=1")

    first, second = sorted(jobs.list_jobs(studio.store, "queued"), key=lambda job: job.number)
    assert (first.name, first.after_id, second.name, second.after_id) == ("english", None, "both", first.id)
    assert (first.plan_id is not None, first.plan_id) == (True, second.plan_id)
    assert second.request["base"] == "english"
    assert page.locator("#train-phases >> visible=true").count() == 0
    for job in (second, first):
        jobs.request_stop(studio.store, job.id, "now")


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1280)])
def test_the_whole_form_can_be_read_everywhere(studio: Still, visit: Visit, scheme: str, width: int) -> None:
    page = _open(studio, visit, "method=sft&base=round-1-sft&dataset=more", scheme=scheme, width=width)
    _checked(page)
    page.click("#preflight-now")
    page.wait_for_selector("#preflight-facts dt")
    page.click("text=More options")
    page.click("#train-then")
    page.wait_for_selector("#train-phases li")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")

    assert (grave_violations(page), page.evaluate(CONTRAST), page.evaluate(TOO_WIDE)) == ([], [], [])
