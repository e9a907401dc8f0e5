"""The page /results shows what reward models say beside the votes, and nothing where none has scored."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.comparisons import NewComparison, add_comparison, create_study, get_comparison
from storage.models import add_model
from storage.prompts import as_messages, content_sha256
from storage.scores import Said, Subject, keep
from storage.store import Store
from tests.browser.axe import grave_violations
from tests.browser.site import Site, served_site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two studies of the same answers, one of them scored by a reward model."""
    with served_site(tmp_path_factory.mktemp("scored"), lambda studio: _fill(studio.store)) as served:
        yield served


def _fill(store: Store) -> None:
    models = [add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")
              for name in ("nimble-otter", "grand-walrus")]  # fmt: skip
    judge = add_model(store, "kind-judge", "reward", path="/nowhere")
    for name in ("plain", "scored"):
        study = create_study(store, name, models, None)
        for number in range(4):
            asked = as_messages(f"Question {number}?")
            new = NewComparison(
                asked, [(one.id, one.name) for one in models], texts=[f"Yes {number}.", f"No {number}."]
            )
            if name == "scored":
                _score(store, judge.id, asked, get_comparison(store, add_comparison(store, study, new).id), number)
            else:
                add_comparison(store, study, new)


def _score(store: Store, judge: str, asked: list[dict[str, Any]], whole: Any, number: int) -> None:
    said = []
    for answer, score in zip(whole.answers, (1.0 + number / 10, -1.0), strict=True):
        digest = content_sha256([*asked, {"role": "assistant", "content": answer.text}])
        said.append(Said(Subject(answer.id, digest), score))
    keep(store, judge, "answer", said)


def _open(visit: Callable[..., Any], site: Site, study: str, **how: Any) -> Any:
    page = visit(site.url, **how).open(f"/results?study={study}&show={study}")
    page.locator("#annotators").wait_for()
    return page


def test_scores_stand_beside_the_votes(site: Site, visit: Callable[..., Any]) -> None:
    page = _open(visit, site, "scored")
    heading = page.get_by_role("heading", name="Reward models")
    heading.wait_for()

    table = page.get_by_role("table", name="Scores by kind-judge")
    cells = [row.all_inner_texts() for row in (table.locator("tbody tr").nth(at).locator("td, th") for at in (0, 1))]
    assert [(row[0], row[1], row[4]) for row in cells] == [
        ("nimble-otter", "1.15", "4"),
        ("grand-walrus", "-1.00", "4"),
    ]
    assert page.get_by_text("No vote can be held against these scores yet.").is_visible()
    assert page.get_by_text("ratchet score kind-judge --study scored").is_visible()
    assert grave_violations(page) == []


def test_a_study_that_no_reward_model_has_scored_shows_none(site: Site, visit: Callable[..., Any]) -> None:
    page = _open(visit, site, "plain")
    page.get_by_role("heading", name="The same as commands").wait_for()

    assert page.get_by_role("heading", name="Reward models").count() == 0
