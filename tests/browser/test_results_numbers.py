"""The page /results of studies judged together: disputes decided by keys, ratings, criteria, gold, second looks."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage import adjudications
from storage.comparisons import NewComparison, Whole, add_comparison, create_study, get_comparison, get_study
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Study, Vote
from storage.rows_training import Model
from storage.second_looks import Look, add
from storage.store import Store
from storage.votes import cast
from studio.feedback.gold import set_gold
from studio.feedback.showing import shown_order
from studio.feedback.study_settings import change_settings
from studio.people.roles import Actor
from tests.browser.axe import grave_violations
from tests.browser.site import Site, served_site

pytestmark = pytest.mark.browser
EVIL = '<img src=x onerror="window.hit=1">'
DAY = 86_400.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three studies: pairs with criteria, gold and second looks; rankings of three; ratings of single answers."""
    with served_site(tmp_path_factory.mktemp("numbers"), lambda studio: _fill(studio.store)) as served:
        yield served


def _fill(store: Store) -> None:
    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")
              for name in ("nimble-otter", "grand-walrus", "sly-heron")]  # fmt: skip
    _pairs(store, create_study(store, "pairs", models[:2], None), models[:2])
    _ranks(store, create_study(store, "ranks", models, None), models)
    _rates(store, create_study(store, "rates", models[:2], None), models[:2])


def _whole(store: Store, study: Study, prompt: str, models: list[Model], *texts: str) -> Whole:
    new = NewComparison(as_messages(prompt), [(model.id, model.name) for model in models], texts=list(texts))
    return get_comparison(store, add_comparison(store, study, new).id)


def _say(store: Store, whole: Whole, person: str, choice: str, **said: Any) -> Vote:
    order = shown_order(0, whole.comparison.id, person, len(whole.answers))
    plain = dict.fromkeys(("ranking", "strength", "criteria", "rationale", "edited", "seconds", "supersedes"))
    vote = Vote(**(plain | {
        "id": f"{person}-{whole.comparison.id}", "comparison_id": whole.comparison.id,
        "study_id": whole.comparison.study_id, "annotator": person, "choice": choice, "shown_order": order,
        "shown_sha256": [], "source": "studio", "created_at": DAY, "seconds": 6.0, **said,
    }))  # fmt: skip
    return cast(store, vote).vote


def _pairs(store: Store, study: Study, models: list[Model]) -> None:
    criteria = [{"key": "right", "label": "Correct"}, {"key": "kind", "label": "Kind", "scale": 3}]
    change_settings(store, study, {"criteria": criteria})
    for number in range(12):
        whole = _whole(store, study, f"Question {number}?", models, f"Yes, **{number}**. {EVIL}", f"No {number}.")
        for person, choice in (("ann", "a"), ("bob", "a"), ("cem", "ab"[number % 2])):
            rated = {"right": [5, 2 + (person == "cem")], "kind": [3 - (person == "bob"), 2]}
            vote = _say(store, whole, person, choice, criteria=rated, rationale=f"{EVIL} {person} says {choice}",
                        chips=["true"], strength=2, created_at=DAY * (1 + number // 6))  # fmt: skip
            if number < 6:
                second = "b" if person == "cem" and number == 2 else vote.choice
                look = Look(f"{person}-{number}-again", vote.id, whole.comparison.id, study.id, person, second, None,
                            None, json.dumps(vote.shown_order[::-1]), int(second == vote.choice), 3.0,
                            DAY * 3)  # fmt: skip
                add(store, look)
    for number in range(4):
        whole = _whole(store, study, f"Known {number}?", models, "Right.", "Wrong.")
        set_gold(store, study, whole.comparison.id, {"choice": "a"}, None, Actor("cu", "curator"))
        for person in ("ann", "bob", "cem"):
            _say(store, whole, person, "b" if person == "cem" else "a")
    _say(store, _whole(store, study, "Unclear?", models, "x", "y"), "ann", "skip", reason="I cannot tell")


def _ranks(store: Store, study: Study, models: list[Model]) -> None:
    for number in range(3):
        whole = _whole(store, study, f"Rank {number}?", models, "one", "two", "three")
        _say(store, whole, "ann", "ranking", ranking=[0, 1, 2])
        _say(store, whole, "bob", "ranking", ranking=[[2, 1], 0])


def _rates(store: Store, study: Study, models: list[Model]) -> None:
    study = change_settings(store, study, {"layout": "rate", "sides": 1})
    for number in range(6):
        for model, base in zip(models, (4, 2), strict=True):
            whole = _whole(store, study, f"Rate {number}?", [model], "text")
            _say(store, whole, "ann", "rating", rating=float(base + number % 2))
            _say(store, whole, "bob", "rating", rating=float(base))


def _open(visit: Callable[..., Any], site: Site, study: str, **how: Any) -> Any:
    page = visit(site.url, **how).open(f"/results?study={study}&show={study}")
    page.locator("#annotators").wait_for()
    return page


def _standing(site: Site, study: str) -> dict[str, Any]:
    return dict(adjudications.standing(site.store, get_study(site.store, study).id))


def test_disputes_are_decided_by_keys_one_after_the_other_and_taken_back(site: Site, visit: Callable[..., Any]) -> None:
    page = _open(visit, site, "pairs")
    page.get_by_text("6 comparisons to decide, 0 decided.").wait_for()
    assert grave_violations(page) == []
    page.get_by_role("button", name="Decide:").first.click()
    item = page.locator("#disputed-item")
    item.wait_for()
    assert item.locator(".results-said li").count() == 3
    assert f"{EVIL} ann says a" in item.inner_text()
    assert not any(name in item.inner_text() for name in ("nimble-otter", "grand-walrus"))
    assert grave_violations(page) == []

    page.get_by_label("Why (stands beside the decision)").fill("A is right 1")
    assert _standing(site, "pairs") == {}
    page.locator("#disputed-item").focus()
    page.keyboard.press("1")
    page.get_by_text("5 comparisons to decide").wait_for()
    page.keyboard.press("3")
    page.get_by_text("4 comparisons to decide").wait_for()
    first, second = _standing(site, "pairs").values()
    assert (first.choice in "ab", first.reason, second.choice, second.reason) == (True, "A is right 1", "tie", None)

    page.keyboard.press("Escape")
    page.locator("#adjudicated").wait_for()
    assert "2 comparisons decided by adjudication" in page.locator("#adjudicated").inner_text()
    page.get_by_role("button", name="Take back:").first.click()
    page.get_by_text("5 comparisons to decide, 1 decided.").wait_for()
    assert list(_standing(site, "pairs")) == [first.comparison_id]
    assert page.evaluate("window.hit") is None


def test_a_ranking_is_decided_by_number_keys_with_ties(site: Site, visit: Callable[..., Any]) -> None:
    page = _open(visit, site, "ranks")
    page.get_by_role("button", name="Decide:").first.click()
    page.locator("#disputed-item").wait_for()
    for key in ("3", "Backspace", "2", "=", "1", "Enter", "3"):
        page.keyboard.press(key)
    assert page.locator(".results-ranking").inner_text() == "B = A > C"
    assert _standing(site, "ranks") == {}
    page.keyboard.press("Enter")
    page.get_by_text("2 comparisons to decide").wait_for()

    ((identity, decision),) = _standing(site, "ranks").items()
    order = shown_order(0, identity, "me", 3)
    assert decision.ranking == [sorted([order[0], order[1]]), order[2]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("study", ["pairs", "ranks", "rates"])
def test_every_number_is_there_and_nothing_is_wider_than_a_phone(
    study: str, scheme: str, site: Site, visit: Callable[..., Any]
) -> None:
    page = _open(visit, site, study, width=390, height=844, scheme=scheme)
    page.get_by_text("By day and by source").click()
    page.locator("#policies td").first.wait_for()
    page.get_by_role("button", name="Decide:").first.click()
    page.locator("#disputed-item").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert grave_violations(page) == []


def test_known_answers_second_looks_criteria_and_ratings_stand_in_numbers_and_pictures(
    site: Site, visit: Callable[..., Any]
) -> None:
    page = _open(visit, site, "pairs")
    assert "12 votes on 4 comparisons with a known answer are left out." in page.locator("#board").inner_text()
    reliance = page.locator("#reliance").inner_text()
    assert "67 % of 12" in reliance
    assert "94 % of 18" in reliance
    assert "the same side won both times in 1 of 18" in reliance
    assert page.locator("#criteria h3").all_inner_texts() == ["Correct", "Kind"]
    rows = {
        row.locator("td").first.inner_text(): row.inner_text() for row in page.locator("#annotators tbody tr").all()
    }
    assert "1: 1 I cannot tell" in rows["ann"]
    assert "0 % of 4" in rows["cem"]

    page = _open(visit, site, "rates")
    assert page.locator("#ratings tbody tr td:first-child").all_inner_texts() == ["nimble-otter", "grand-walrus"]
    assert page.locator("#board").count() == 0
    assert "ordinal" in page.locator("#agreement").inner_text()


def test_a_day_is_excluded_and_included_by_button(site: Site, visit: Callable[..., Any]) -> None:
    page = _open(visit, site, "pairs")
    page.get_by_label("Why votes are excluded").fill("a bad day")
    page.get_by_text("By day and by source").click()
    page.get_by_role("button", name="Exclude 1970-01-03").click()
    page.locator("#exclusions").wait_for()
    assert "18 votes of the day 1970-01-03 left out: a bad day" in page.locator("#exclusions").inner_text()
    page.get_by_text("By day and by source").click()
    page.get_by_role("button", name="Include 1970-01-03").click()
    page.locator("#exclusions").wait_for(state="detached")
