"""Gold: known answers come to everybody once, in an exact share, at places nobody can count, and take no slot."""

from typing import Any

import pytest

from storage.errors import BadInput, NotFound
from studio.feedback import casting
from studio.feedback.ballots import Ballot
from studio.feedback.gold import gold_items, lift_gold, meaning, set_gold, standing
from studio.feedback.mixing import gold_due, second_due
from studio.feedback.queue import deal, find
from studio.feedback.sittings import sit
from studio.feedback.study_settings import StudySettings, change_settings
from studio.people.roles import Actor
from tests.studio.feedback.conftest import Bench


def _judge_all(bench: Bench, annotator: str, most: int, **settings: Any) -> list[str]:
    """Let a person judge one comparison after the other; the ids in the order in which they came."""
    study = change_settings(bench.store, bench.study, settings)
    seen: list[str] = []
    while len(seen) < most and (given := deal(bench.store, study, annotator, 4)):
        shown = find(bench.store, study, annotator, given[0].comparison_id)
        hashes = [answer.sha256 or "" for answer in shown.answers]
        identity = f"{annotator}-{len(seen):06}"
        casting.cast(bench.store, study, annotator, Ballot(identity, shown.id, "left", hashes))
        seen.append(shown.id)
    return seen


def _gold(bench: Bench, count: int) -> set[str]:
    ids = [bench.compare(prompt=f"known {number}").comparison.id for number in range(count)]
    for one in ids:
        set_gold(bench.store, bench.study, one, {"choice": "a"}, None, Actor("cora", "curator"))
    return set(ids)


@pytest.mark.parametrize("every", [2, 5])
def test_of_every_so_many_comparisons_one_is_gold(bench: Bench, every: int) -> None:
    known = _gold(bench, 12)
    for number in range(60):
        bench.compare(prompt=f"question {number}")

    seen = _judge_all(bench, "ann", 20, gold_every=every)

    blocks = [seen[start : start + every] for start in range(0, 20, every)]
    assert [sum(one in known for one in block) for block in blocks] == [1] * len(blocks)


def test_every_gold_item_comes_once_to_each_person_and_takes_no_slot(bench: Bench) -> None:
    known = _gold(bench, 3)
    for number in range(30):
        bench.compare(prompt=f"question {number}")

    seen = {name: _judge_all(bench, name, 12, gold_every=2) for name in ("ann", "bob")}

    assert all(sum(one in known for one in ids) == 3 for ids in seen.values())
    assert all(len(set(ids)) == 12 for ids in seen.values())
    others = [set(ids) - known for ids in seen.values()]
    assert others[0] & others[1] == set()


def test_gold_stands_at_other_places_for_other_people(bench: Bench) -> None:
    settings = StudySettings(gold_every=10, second_every=10)
    places = {
        name: [place for place in range(1, 201) if gold_due(bench.study, settings, name, place)]
        for name in ("ann", "bob")
    }

    assert [len(found) for found in places.values()] == [20, 20]
    assert places["ann"] != places["bob"]
    assert len({place % 10 for place in places["ann"]}) > 3


def test_a_second_look_that_meets_gold_waits_for_the_next_place(bench: Bench) -> None:
    settings = StudySettings(gold_every=4, second_every=4)
    places = range(1, 401)
    gold = [place for place in places if gold_due(bench.study, settings, "ann", place)]
    second = [place for place in places if second_due(bench.study, settings, "ann", place)]

    assert set(gold) & set(second) == set()
    assert 97 <= len(second) <= 100


def test_gold_never_comes_from_the_queue(bench: Bench) -> None:
    known = _gold(bench, 2)
    plain = bench.compare(prompt="question").comparison.id

    assert _judge_all(bench, "ann", 9, gold_every=0) == [plain]
    assert standing(bench.store, bench.study.id) == {one: {"choice": "a"} for one in known}


def test_gold_that_is_lifted_is_a_comparison_like_the_others(bench: Bench) -> None:
    (known,) = _gold(bench, 1)
    lift_gold(bench.store, bench.study, known, Actor("cora", "curator"))

    assert standing(bench.store, bench.study.id) == {}
    assert _judge_all(bench, "ann", 9) == [known]
    with pytest.raises(NotFound, match="has no known answer"):
        lift_gold(bench.store, bench.study, known, Actor("cora", "curator"))


def test_gold_counts_for_the_person_but_not_for_the_round(bench: Bench) -> None:
    _gold(bench, 2)
    bench.compare(prompt="question")

    _judge_all(bench, "ann", 2, gold_every=1)

    tally = sit(bench.store, bench.study, "ann").to_json()["tally"]
    assert (tally["mine"], tally["round_done"], tally["round_total"]) == (2, 0, 1)


def test_a_pair_of_gold_looks_like_any_other(bench: Bench) -> None:
    (known,) = _gold(bench, 1)
    plain = bench.compare(prompt="question").comparison.id
    study = change_settings(bench.store, bench.study, {"gold_every": 2})

    pairs = {pair["comparison"]: pair for pair in sit(bench.store, study, "ann").to_json()["pairs"]}

    assert set(pairs) == {known, plain}
    assert list(pairs[known]) == list(pairs[plain])
    assert [pairs[known][key] for key in ("state", "source", "layout", "error", "names_a_model")] == [
        pairs[plain][key] for key in ("state", "source", "layout", "error", "names_a_model")
    ]


def test_the_list_of_gold_tells_what_is_expected_and_by_whom(bench: Bench) -> None:
    comparison = bench.compare(prompt="What is the capital of France?").comparison.id
    set_gold(bench.store, bench.study, comparison, {"choice": "b"}, " clear case ", Actor("cora", "curator"))

    (item,) = gold_items(bench.store, bench.study)

    assert {**item, "created_at": 0} == {
        "comparison": comparison, "prompt": "What is the capital of France?", "expected": {"choice": "b"},
        "note": "clear case", "author": "cora", "created_at": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ({}, "A known answer is one choice, one ranking or one rating."),
        ({"choice": "a", "rating": 2}, "A known answer is one choice, one ranking or one rating."),
        ({"choice": "left"}, '"left" is no choice that a vote on 2 answers can say.'),
        ({"ranking": [0, 0]}, '"[0, 0]" is no ranking that a vote on 2 answers can say.'),
        ({"rating": 3}, '"3" is no rating that a vote on 2 answers can say.'),
    ],
)
def test_what_no_vote_can_say_is_no_known_answer(bench: Bench, expected: dict[str, Any], sentence: str) -> None:
    comparison = bench.compare().comparison.id

    with pytest.raises(BadInput) as caught:
        set_gold(bench.store, bench.study, comparison, expected, None, Actor("cora", "curator"))

    assert str(caught.value) == sentence
    assert gold_items(bench.store, bench.study) == []


def test_ties_of_a_ranking_have_no_order() -> None:
    assert meaning("ranking", [[2, 0], 1], None) == meaning("ranking", [[0, 2], [1]], None)
    assert meaning("ranking", [0, [1, 2]], None) != meaning("ranking", [0, 1, 2], None)
    assert meaning("rating", None, 4) == meaning("rating", None, 4.0)
