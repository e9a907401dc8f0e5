"""What a vote may say over HTTP, one's own votes, answers that are kept, and conversations that go on."""

import time
from typing import Any

import pytest

from storage.datasets import get_dataset
from storage.examples import page
from storage.queries import Query
from storage.votes import current_votes
from studio.feedback.study_settings import change_settings
from tests.studio.test_api_compare import NAMES, Web, web

__all__ = ["web"]

pytestmark = pytest.mark.heavy


def _ask(web: Web, **settings: Any) -> None:
    """Change the settings of the study."""
    from storage.comparisons import get_study

    change_settings(web.studio.store, get_study(web.studio.store, "first-look"), settings)


def test_what_is_missing_is_said_and_with_it_the_vote_is_kept(web: Web) -> None:
    _ask(web, strength="required", criteria=[{"key": "kind", "label": "Kind", "required": True}], chips=["Short"])
    pair = web.pairs()[0]

    refused = web.vote(pair, "left", status=422)
    said: dict[str, Any] = {
        "strength": 2, "criteria": {"kind": [4, 1]}, "chips": ["Short"], "rationale": "So.", "guidelines": None,
    }  # fmt: skip
    web.vote(pair, "left", **said)

    assert refused["error"]["sentence"] == (
        'This study asks for how much better the answer is (strength) and "Kind" of every answer; '
        "the vote was not kept without."
    )
    (vote,) = current_votes(web.studio.store, _study_id(web))
    assert (vote.strength, vote.chips, vote.rationale) == (2, ["Short"], "So.")
    assert vote.criteria == {"kind": [4, 1] if vote.shown_order == [0, 1] else [1, 4]}
    assert web.get("mine?study=first-look")["votes"][0]["criteria"] == {"kind": [4, 1]}


def _study_id(web: Web) -> str:
    from storage.comparisons import get_study

    return get_study(web.studio.store, "first-look").id


def test_my_votes_come_page_by_page_and_can_be_given_anew(web: Web) -> None:
    first, second = web.pairs(2)[:2]
    web.vote(first, "left")
    web.vote(second, "tie")

    newest = web.get("mine?study=first-look&limit=1")
    older = web.get(f"mine?study=first-look&limit=1&before={newest['votes'][0]['vote']}")
    assert [(one["comparison"], one["choice"]) for one in (*newest["votes"], *older["votes"])] == [
        (second["comparison"], "tie"), (first["comparison"], "left"),
    ]  # fmt: skip
    assert (newest["more"], older["more"]) == (True, False)
    pair = older["votes"][0]["pair"]
    assert [side["sha256"] for side in pair["sides"]] == [side["sha256"] for side in first["sides"]]

    web.vote(pair, "right", "vote-again-0001")

    told = web.get("mine?study=first-look")["votes"][0]
    assert (told["vote"], told["choice"], sorted(told["reveal"])) == ("vote-again-0001", "right", sorted(NAMES))


def test_a_mended_answer_is_found_in_its_dataset_and_goes_with_its_vote(web: Web) -> None:
    pairs = web.pairs(4)
    for number, pair in enumerate(pairs):
        web.vote(pair, "left", edited={"side": 0, "text": f"Mended {number}."})
    store = web.studio.store
    dataset = get_dataset(store, "first-look-fixes").id

    assert page(store, dataset, Query(search="mended", status=("draft", "rejected"))).total == 4
    web.post("undo", {"id": "undo-0001", "study": "first-look", "comparison": pairs[0]["comparison"]})

    left = page(store, dataset, Query(status=("draft", "rejected"))).examples
    assert [row.content["messages"][-1]["content"] for row in left] == ["Mended 1.", "Mended 2.", "Mended 3."]


def test_a_vote_is_answered_although_the_index_of_words_is_broken(web: Web) -> None:
    pair = web.pairs()[0]
    home = web.studio.store.home
    home.search.unlink(missing_ok=True)
    home.search.mkdir()  # nothing can be opened there

    saved = web.vote(pair, "left", edited={"side": 0, "text": "It should have said this."})

    assert (saved["saved"], saved["new"]) == (f"vote-{pair['comparison']}", True)
    assert web.studio.store.value("select count(*) from saved where kind = 'fixed'") == 1


def test_an_answer_is_kept_before_the_vote_without_a_name(web: Web) -> None:
    pair = web.pairs()[0]
    body = {"study": "first-look", "comparison": pair["comparison"], "side": 1, "dataset": "liked"}

    kept = web.post("keep", body)

    assert (kept["dataset"], kept["new"], web.post("keep", body)["new"]) == ("liked", True, False)
    (row,) = page(web.studio.store, get_dataset(web.studio.store, "liked").id, Query()).examples
    assert (row.id, row.content["messages"][-1]["content"]) == (kept["example"], pair["sides"][1]["text"])
    assert [name for name in NAMES for body in web.bodies if name in body] == []


def test_a_conversation_goes_on_and_stays_blind(web: Web) -> None:
    _ask(web, layout="turns")
    pair = web.pairs()[0]

    went = web.post(
        "continue",
        {"id": "turn-0001", "study": "first-look", "comparison": pair["comparison"], "mode": "both", "prompt": "Why?"},
    )
    deadline = time.monotonic() + 20
    while (now := web.get("next")["pairs"][0])["state"] != "ready":
        assert time.monotonic() < deadline, now
        time.sleep(0.02)

    assert (went["saved"], now["comparison"], now["layout"]) == (None, went["pair"]["comparison"], "turns")
    assert [side["history"] for side in now["sides"]] == [
        [{"role": "assistant", "content": side["text"]}, {"role": "user", "content": "Why?"}] for side in pair["sides"]
    ]
    assert [name for name in NAMES for body in web.bodies if name in body] == []


def test_single_answers_do_not_go_on(web: Web) -> None:
    pair = web.pairs()[0]
    body = {
        "id": "turn-0001",
        "study": "first-look",
        "comparison": pair["comparison"],
        "mode": "both",
        "prompt": "Why?",
    }

    assert web.post("continue", body, 422)["error"]["sentence"] == (
        'Study "first-look" judges single answers; conversations need the layout "turns".'
    )
