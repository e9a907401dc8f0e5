"""Known answers and second looks: who is right how often, who says the same again, and which side tempts."""

import json

import pytest

from storage.second_looks import Look, add
from storage.store import Store
from studio.feedback.agreement import agreement
from studio.feedback.annotators import NO_REASON, annotators
from studio.feedback.exclusions import exclude, notes
from studio.feedback.gold import lift_gold, set_gold
from studio.feedback.leaderboard import leaderboard
from studio.feedback.shares import wilson
from studio.people.roles import Actor
from tests.studio.feedback.conftest import Bench
from tests.studio.feedback.spoken import many, say

STUDY = "first-look"


def _again(bench: Bench, person: str, first: str, second: str, left_at_first: int = 0) -> None:
    """A vote with this choice, and a second look the other way round."""
    number = bench.store.value("select count(*) from comparisons")
    whole = bench.compare(f"question {number}")
    order = [left_at_first, 1 - left_at_first]
    vote = say(bench, whole, person, first, shown_order=order)
    look = Look(f"look-{number}", vote.id, whole.comparison.id, bench.study.id, person, second, None, None,
                json.dumps(order[::-1]), int(first == second), 3.0, 5.0)  # fmt: skip
    add(bench.store, look)


def test_one_vote_that_is_left_out_is_told_as_one(bench: Bench) -> None:
    whole = bench.compare("known")
    set_gold(bench.store, bench.study, whole.comparison.id, {"choice": "b"}, None, Actor("cu", "curator"))
    bench.vote(whole, "b", "ann")

    assert leaderboard(bench.store, STUDY).notes[-1] == "1 vote on 1 comparison with a known answer is left out."
    assert [
        notes([{"votes": votes, "kind": "day", "value": "1970-01-03", "counted": counts, "reason": "a bad day"}])
        for votes in (1, 1200) for counts in (False, True)
    ] == [
        ['1 vote of the day "1970-01-03" is left out: a bad day'],
        ['1 vote of the day "1970-01-03" counts here, though it is excluded: a bad day'],
        ['1,200 votes of the day "1970-01-03" are left out: a bad day'],
        ['1,200 votes of the day "1970-01-03" count here, though they are excluded: a bad day'],
    ]  # fmt: skip


def test_gold_counts_for_the_accuracy_of_people_and_for_nothing_else(bench: Bench) -> None:
    bench.vote(bench.compare("plain"), "a", "ann")
    known = [bench.compare(f"known {number}") for number in range(4)]
    for whole in known:
        set_gold(bench.store, bench.study, whole.comparison.id, {"choice": "b"}, None, Actor("cu", "curator"))
        bench.vote(whole, "b", "ann")
        bench.vote(whole, "a" if whole in known[:3] else "b", "bob")

    board, agreed = leaderboard(bench.store, STUDY), agreement(bench.store, STUDY)

    (duel,) = board.duels
    assert (duel.wins_a, duel.wins_b) == (1, 0)
    assert board.gold == {"comparisons": 4, "votes": 8}
    assert board.notes[-1] == "8 votes on 4 comparisons with a known answer are left out."
    assert (agreed.items, agreed.disputed_count, agreed.labels) == (1, 0, 1)
    low, high = wilson(5 / 8, 8)
    assert agreed.gold == {"rate": 5 / 8, "low": low, "high": high, "n": 8}
    people = {one.name: one for one in annotators(bench.store, STUDY)}
    assert {name: (one.votes, one.gold.rate, one.gold.n) for name, one in people.items()} == {
        "ann": (5, 1.0, 4),
        "bob": (4, 0.25, 4),
    }

    for whole in known:
        lift_gold(bench.store, bench.study, whole.comparison.id, Actor("cora", "curator"))
    board = leaderboard(bench.store, STUDY)
    assert (board.duels[0].wins_a, board.duels[0].wins_b, board.gold) == (4, 5, {"comparisons": 0, "votes": 0})


def test_a_known_ranking_and_a_known_rating_are_met_exactly(bench: Bench) -> None:
    ranked, rated = many(bench, "x", "y", "z"), many(bench, "x")
    set_gold(bench.store, bench.study, ranked.comparison.id, {"ranking": [2, [0, 1]]}, None, Actor("cu", "curator"))
    set_gold(bench.store, bench.study, rated.comparison.id, {"rating": 4}, None, Actor("cu", "curator"))
    for person, ranking, rating in (("ann", [2, [1, 0]], 4.0), ("bob", [2, 0, 1], 5.0)):
        say(bench, ranked, person, "ranking", ranking=ranking)
        say(bench, rated, person, "rating", rating=rating)

    people = {one.name: one.gold for one in annotators(bench.store, STUDY)}

    assert {name: (one.rate, one.n) for name, one in people.items()} == {"ann": (1.0, 2), "bob": (0.0, 2)}


def test_second_looks_say_how_people_agree_with_themselves_and_which_side_tempts(bench: Bench) -> None:
    for first, second in (("a", "a"), ("b", "b"), ("tie", "tie"), ("a", "b"), ("b", "b"), ("a", "a")):
        _again(bench, "ann", first, second)
    for _ in range(3):
        _again(bench, "lefty", "b", "a", left_at_first=1)

    oneself = agreement(bench.store, STUDY).oneself
    people = {one.name: one.oneself for one in annotators(bench.store, STUDY)}

    assert (oneself["n"], oneself["rate"]) == (9, 5 / 9)
    assert (oneself["left_both"], oneself["right_both"]) == (4, 0)
    assert (people["ann"].agreed.rate, people["ann"].left, people["lefty"].agreed.rate) == (5 / 6, 1, 0.0)
    # Cohen's kappa by hand: first looks a 3, b 2, tie 1; second looks a 2, b 3, tie 1.
    chance = (3 * 2 + 2 * 3 + 1 * 1) / 36
    assert people["ann"].kappa == pytest.approx((5 / 6 - chance) / (1 - chance))
    assert leaderboard(bench.store, STUDY).duels[0].votes == 9


def test_an_excluded_persons_second_looks_do_not_count(bench: Bench) -> None:
    _again(bench, "ann", "a", "a")
    _again(bench, "lefty", "b", "a", left_at_first=1)
    exclude(bench.store, STUDY, "annotator", "lefty", "always left", Actor("me", "curator"))

    assert agreement(bench.store, STUDY).oneself["n"] == 1
    assert agreement(bench.store, STUDY, with_excluded=True).oneself["n"] == 2


def test_whoever_is_surely_less_right_than_the_others_is_flagged_with_the_numbers(bench: Bench) -> None:
    for number in range(20):
        whole = bench.compare(f"known {number}")
        set_gold(
            bench.store, bench.study, whole.comparison.id, {"choice": "ab"[number % 2]}, None, Actor("cu", "curator")
        )
        for person in ("ann", "bob"):
            bench.vote(whole, "ab"[number % 2], person)
        bench.vote(whole, "tie" if number % 4 else "both_bad", "dreamer")

    people = {one.name: one for one in annotators(bench.store, STUDY)}

    assert people["dreamer"].flags == [
        {"kind": "gold",
         "evidence": "Was right in 0% of 20 comparisons with a known answer; the others in 100%."}
    ]  # fmt: skip
    assert people["ann"].flags == []


def test_skips_stand_by_reason_and_pauses_are_no_work(bench: Bench, store: Store) -> None:
    say(bench, bench.compare("one"), "ann", "skip", reason="Not my subject")
    say(bench, bench.compare("two"), "ann", "skip", reason="Not my subject")
    say(bench, bench.compare("three"), "ann", "skip")
    say(bench, bench.compare("four"), "ann", "a", seconds=20.0)
    say(bench, bench.compare("five"), "ann", "a", seconds=4000.0)
    say(bench, bench.compare("six"), "shy", "skip")

    people = {one.name: one for one in annotators(store, STUDY)}

    assert people["ann"].skips == {"Not my subject": 2, NO_REASON: 1}
    assert people["ann"].working_seconds == 320.0
    assert (people["shy"].votes, people["shy"].skips) == (0, {NO_REASON: 1})
