"""Two browsers, two annotators: never the same slot, never a trace of what the other one said."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.judging import Room, add_study, all_saved, press, ready

pytestmark = pytest.mark.browser


def test_two_people_never_judge_the_same_where_one_is_enough(room: Room, judge: Callable[..., Any]) -> None:
    add_study(room.store, "side-by-side", 16, overlap=1)
    ann, bob = judge("ann", "side-by-side"), judge("bob", "side-by-side")
    for key in ("1", "2", "3", "4", "1"):
        assert ready(ann) != ready(bob)
        press(ann, key)
        press(bob, key)
    back = ready(ann)
    press(ann, "z")  # the slot of what is taken back stays hers
    press(bob, "2")
    press(ann, "3")
    assert ready(ann) == back

    rows = room.rows("side-by-side", "annotator, comparison_id, choice")
    counted = {(name, comparison) for name, comparison, _ in rows}
    assert [sum(name == one for name, _ in counted) for one in ("ann", "bob")] == [5, 6]
    assert len({comparison for _, comparison in counted}) == 11, "no comparison was judged by both"
    assert room.store.value("select max(given) from comparisons c join studies s on s.id = c.study_id "
                            "where s.name = 'side-by-side'") == 1  # fmt: skip


def test_two_people_judge_the_same_each_by_themselves_where_two_are_asked_for(
    room: Room, judge: Callable[..., Any]
) -> None:
    study = add_study(room.store, "twice", 6, overlap=2)
    pages = {name: judge(name, "twice") for name in ("ann", "bob")}
    bodies: dict[str, list[str]] = {"ann": [], "bob": []}
    for name, page in pages.items():
        keep(page, bodies[name])
    for key in ("1", "2", "3", "4", "1"):
        for page in pages.values():
            press(page, key)
            all_saved(page)

    ids = {name: [one for one, by in room.rows("twice", "id, annotator") if by == name] for name in pages}
    assert {name: len(own) for name, own in ids.items()} == {"ann": 5, "bob": 5}
    for name, other in (("ann", "bob"), ("bob", "ann")):
        told = "\n".join(bodies[name])
        assert ids[name][0] in told
        assert [word for word in (*ids[other], f'"{other}"') if word in told] == []
    shared = room.store.rows(
        "select given, count(*) as n from comparisons where study_id = ? group by given order by given", [study.id]
    )
    assert sum(row["given"] * row["n"] for row in shared) == 10
    assert max(row["given"] for row in shared) == 2


def keep(page: Any, bodies: list[str]) -> None:
    """Keep every JSON body that the page is sent."""

    def look(response: Any) -> None:
        if "/api/" in response.url and "json" in response.headers.get("content-type", ""):
            bodies.append(response.text())

    page.on("requestfinished", lambda request: look(request.response()))
