"""The queue: two people never hold the same slot, every slot is filled, leases come back, nothing said is lost."""

import random
import threading
from collections import Counter
from typing import Any

import pytest

from storage import workdays
from storage.clock import now
from storage.comparisons import NewComparison, add_comparison, create_study, get_comparison, mark
from storage.errors import Forbidden
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Study
from storage.standings import standing
from storage.store import Store
from storage.votes import current_votes
from studio.feedback import casting
from studio.feedback.ballots import Ballot
from studio.feedback.queue import AHEAD, ask, available, deal, find, try_again, upcoming
from studio.feedback.sittings import sit
from studio.feedback.study_settings import change_settings
from tests.studio.feedback.conftest import Bench


def _set(bench: Bench, **settings: Any) -> Study:
    return change_settings(bench.store, bench.study, settings)


def _fill(bench: Bench, count: int) -> list[str]:
    return [bench.compare(prompt=f"question {number}").comparison.id for number in range(count)]


def _judge(store: Store, study: Study, annotator: str, shown_id: str, choice: str = "left") -> casting.Given:
    """Vote on what a person was given, as their browser does."""
    shown = find(store, study, annotator, shown_id)
    ballot = Ballot(f"{shown_id}-{annotator}", shown_id, choice, [answer.sha256 or "" for answer in shown.answers])
    return casting.cast(store, study, annotator, ballot)


def _run_out(store: Store, annotator: str) -> None:
    """Let the leases of a person run out."""
    store.execute("update leases set expires_at = ? where annotator = ?", [now() - 1, annotator])


def _ids(store: Store, study: Study, annotator: str, limit: int = AHEAD) -> list[str]:
    return [lease.comparison_id for lease in deal(store, study, annotator, limit)]


def test_two_people_are_given_different_comparisons_where_each_is_judged_once(bench: Bench) -> None:
    ids = _fill(bench, 6)

    assert (_ids(bench.store, bench.study, "ann"), _ids(bench.store, bench.study, "bob")) == (ids[:4], ids[4:])


def test_what_a_person_holds_stays_theirs_and_in_its_order(bench: Bench) -> None:
    _fill(bench, 9)

    first = _ids(bench.store, bench.study, "ann")
    _ids(bench.store, bench.study, "bob")

    assert _ids(bench.store, bench.study, "ann") == first


def test_with_overlap_two_the_third_person_gets_what_is_left(bench: Bench) -> None:
    ids = _fill(bench, 5)
    study = _set(bench, overlap=2)

    given = {name: _ids(bench.store, study, name) for name in ("ann", "bob", "cem", "dan")}

    assert given == {"ann": ids[:4], "bob": ids[:4], "cem": ids[4:], "dan": ids[4:]}


def test_those_with_the_fewest_votes_come_first(bench: Bench) -> None:
    ids = _fill(bench, 3)
    study = _set(bench, overlap=2)
    _judge(bench.store, study, "ann", ids[0])

    assert _ids(bench.store, study, "bob") == [ids[1], ids[2], ids[0]]


def test_among_equals_the_one_with_the_greater_priority_comes_first(bench: Bench) -> None:
    ids = _fill(bench, 3)
    bench.store.execute("update comparisons set priority = 2.5 where id = ?", [ids[2]])

    assert _ids(bench.store, bench.study, "ann") == [ids[2], ids[0], ids[1]]


def test_a_lease_that_ran_out_comes_back_to_others(bench: Bench) -> None:
    ids = _fill(bench, 2)
    _ids(bench.store, bench.study, "ann")
    assert _ids(bench.store, bench.study, "bob") == []

    _run_out(bench.store, "ann")

    assert _ids(bench.store, bench.study, "bob") == ids
    assert _ids(bench.store, bench.study, "ann") == []


def test_a_lease_that_ran_out_stays_with_its_person_where_nobody_else_took_it(bench: Bench) -> None:
    ids = _fill(bench, 6)
    assert _ids(bench.store, bench.study, "ann") == ids[:4]
    _run_out(bench.store, "ann")

    again = deal(bench.store, bench.study, "ann")

    assert [lease.comparison_id for lease in again] == ids[:4]
    assert all(lease.expires_at > now() + 500 for lease in again)


def test_looking_again_renews_what_the_browser_holds(bench: Bench) -> None:
    _fill(bench, 1)
    study = _set(bench, lease_minutes=10)
    (first,) = deal(bench.store, study, "ann")
    bench.store.execute("update leases set expires_at = expires_at - 300")

    (second,) = deal(bench.store, study, "ann")

    assert second.expires_at >= first.expires_at


def test_a_vote_ends_the_lease_and_fills_the_slot(bench: Bench) -> None:
    (comparison,) = _fill(bench, 1)
    _ids(bench.store, bench.study, "ann")

    _judge(bench.store, bench.study, "ann", comparison)

    assert get_comparison(bench.store, comparison).comparison.given == 1
    assert bench.store.value("select count(*) from leases") == 0
    assert _ids(bench.store, bench.study, "bob") == []


def test_a_late_vote_is_kept_although_somebody_else_has_filled_the_slot(bench: Bench) -> None:
    (comparison,) = _fill(bench, 1)
    _ids(bench.store, bench.study, "ann")
    _run_out(bench.store, "ann")
    _ids(bench.store, bench.study, "bob")
    _judge(bench.store, bench.study, "bob", comparison)

    late = _judge(bench.store, bench.study, "ann", comparison)

    assert late.new
    assert {vote.annotator for vote in current_votes(bench.store, bench.study.id)} == {"ann", "bob"}
    assert get_comparison(bench.store, comparison).comparison.given == 2
    assert _ids(bench.store, bench.study, "cem") == []


def test_a_skip_fills_no_slot_and_does_not_come_again_to_who_skipped(bench: Bench) -> None:
    (comparison,) = _fill(bench, 1)
    _ids(bench.store, bench.study, "ann")

    _judge(bench.store, bench.study, "ann", comparison, "skip")

    assert get_comparison(bench.store, comparison).comparison.given == 0
    assert _ids(bench.store, bench.study, "ann") == []
    assert _ids(bench.store, bench.study, "bob") == [comparison]


def test_an_undo_opens_the_slot_and_keeps_it_for_who_took_back(bench: Bench) -> None:
    ids = _fill(bench, 2)
    _ids(bench.store, bench.study, "ann")
    for comparison in ids:
        _judge(bench.store, bench.study, "ann", comparison)

    taken = casting.take_back(bench.store, bench.study, "ann", "undo-0001", ids[0])

    assert (taken.id, taken.pair and taken.pair.id) == (f"{ids[0]}-ann", ids[0])
    assert get_comparison(bench.store, ids[0]).comparison.given == 0
    assert _ids(bench.store, bench.study, "bob") == []
    assert _ids(bench.store, bench.study, "ann") == [ids[0]]


def test_a_changed_vote_fills_no_second_slot(bench: Bench) -> None:
    (comparison,) = _fill(bench, 1)
    bench.vote(get_comparison(bench.store, comparison), "a", vote_id="vote-0001")
    bench.vote(get_comparison(bench.store, comparison), "b", vote_id="vote-0002")

    assert get_comparison(bench.store, comparison).comparison.given == 1
    assert workdays.work(bench.store, bench.study.id, "ann").mine == 1


def test_a_typed_question_is_for_who_typed_it(bench: Bench) -> None:
    ids = _fill(bench, 1)

    lease = ask(bench.store, bench.study, "ann", "My own question")

    assert _ids(bench.store, bench.study, "bob") == ids
    assert _ids(bench.store, bench.study, "ann") == [lease.comparison_id]


def test_only_the_people_of_a_study_are_given_its_comparisons(bench: Bench) -> None:
    (comparison,) = _fill(bench, 1)
    study = _set(bench, people=["ann"])

    assert sit(bench.store, study, "bob").to_json()["closed_to_me"] == (
        "bob does not take part in this study; whoever runs it can add the name to its people."
    )
    assert upcoming(bench.store, study, "bob") == []
    with pytest.raises(Forbidden, match="bob does not take part"):
        _judge(bench.store, study, "bob", comparison)
    with pytest.raises(Forbidden, match="bob does not take part"):
        ask(bench.store, study, "bob", "May I?")
    assert sit(bench.store, study, "ann").to_json()["closed_to_me"] is None
    assert _judge(bench.store, study, "ann", comparison).new


def test_who_takes_no_part_asks_for_nothing_again(bench: Bench) -> None:
    whole = bench.compare()
    mark(bench.store, whole.comparison.id, "failed", "out of order")
    study = change_settings(bench.store, bench.study, {"people": ["ann"]})

    with pytest.raises(Forbidden, match="bob does not take part in this study"):
        try_again(bench.store, study, "bob")

    assert get_comparison(bench.store, whole.comparison.id).comparison.state == "failed"
    assert try_again(bench.store, study, "ann") == 1


def test_who_was_taken_out_of_a_study_may_still_save_what_they_were_given(bench: Bench) -> None:
    (comparison,) = _fill(bench, 1)
    _ids(bench.store, bench.study, "bob")
    study = _set(bench, people=["ann"])

    assert _judge(bench.store, study, "bob", comparison).new


def test_a_closed_study_gives_nothing_more(bench: Bench) -> None:
    _fill(bench, 1)
    bench.store.execute("update studies set state = 'closed'")
    (row,) = bench.store.rows("select * from studies")

    assert _ids(bench.store, Study.from_row(row), "ann") == []


def test_the_sitting_tells_how_far_the_round_and_the_person_are(bench: Bench) -> None:
    ids = _fill(bench, 3)
    study = _set(bench, overlap=2, target=7)
    left = find(bench.store, study, "ann", ids[0])
    _judge(bench.store, study, "ann", left.id, "left")
    _judge(bench.store, study, "ann", ids[1], "tie")
    _judge(bench.store, study, "bob", ids[0], "right")
    bench.store.execute("update workdays set seconds = 12.5 where annotator = 'ann'")

    assert sit(bench.store, study, "ann").to_json()["tally"] == {
        "mine": 2, "today": 2, "target": 7, "seconds_today": 12.5, "left_chosen": 1, "left_of": 1,
        "round_done": 3, "round_total": 6,
    }  # fmt: skip


def test_a_pause_is_no_work(bench: Bench) -> None:
    ids = _fill(bench, 2)
    for number, (comparison, seconds) in enumerate(zip(ids, (4.0, 3600.0), strict=True)):
        shown = find(bench.store, bench.study, "ann", comparison)
        hashes = [answer.sha256 or "" for answer in shown.answers]
        casting.cast(bench.store, bench.study, "ann", Ballot(f"vote-{number:04}", comparison, "tie", hashes, seconds))

    assert workdays.work(bench.store, bench.study.id, "ann").seconds_today == 304.0


def test_the_browser_learns_of_the_settings_only_what_it_needs(bench: Bench) -> None:
    study = _set(bench, people=["ann"], gold_every=3, second_every=4, chips=["shorter"], overlap=2)

    assert sit(bench.store, study, "ann").to_json()["settings"] == {
        "layout": "pair", "sides": 2, "scale": 5, "continues": "both", "strength": "off", "rationale": "off",
        "pace": "stream", "overlap": 2, "criteria": [], "chips": ["shorter"],
        "skip_reasons": ["I cannot tell", "Not my subject", "Broken or cut off", "Harmful or private"],
    }  # fmt: skip


def test_what_is_available_is_counted_as_it_would_be_given(bench: Bench) -> None:
    _fill(bench, 5)
    _ids(bench.store, bench.study, "ann")

    assert [available(bench.store, bench.study, name) for name in ("ann", "bob")] == [4, 1]
    _ids(bench.store, bench.study, "bob")
    assert [available(bench.store, bench.study, name) for name in ("ann", "bob", "cem")] == [4, 1, 0]


def test_the_numbers_of_a_study_are_those_that_counting_anew_gives(bench: Bench) -> None:
    ids = _fill(bench, 8)
    study = _set(bench, overlap=2)
    chance = random.Random(5)
    for step in range(60):
        name, comparison = chance.choice(["ann", "bob", "cem"]), chance.choice(ids)
        if chance.random() < 0.3:
            casting.take_back(bench.store, study, name, f"undo-{step:04}", comparison)
        else:
            shown = find(bench.store, study, name, comparison)
            hashes = [answer.sha256 or "" for answer in shown.answers]
            choice = chance.choice(["left", "right", "tie", "skip"])
            casting.cast(bench.store, study, name, Ballot(f"vote-{step:04}", comparison, choice, hashes))
    bench.store.execute("update comparisons set state = 'retired' where id = ?", [ids[0]])

    counted = Counter(vote.comparison_id for vote in current_votes(bench.store, study.id) if vote.choice != "skip")
    assert {row["id"]: row["given"] for row in bench.store.rows("select id, given from comparisons")} == {
        comparison: counted[comparison] for comparison in ids
    }
    told = standing(bench.store, study.id, 2)
    assert (told.done, told.total) == (sum(min(counted[one], 2) for one in ids[1:]), 14)
    for name in ("ann", "bob", "cem"):
        mine = current_votes(bench.store, study.id, name)
        work = workdays.work(bench.store, study.id, name)
        assert work.mine == sum(vote.choice != "skip" for vote in mine)
        assert work.skips == sum(vote.choice == "skip" for vote in mine)
        assert work.left_of == sum(vote.choice in ("a", "b") for vote in mine)


def _many(store: Store, count: int, overlap: int) -> Study:
    """A study of so many comparisons, ready."""
    models = [
        add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name) for name in ("a1", "b1")
    ]
    study = create_study(store, "crowd", models, None, settings={"overlap": overlap}, seed=1)
    contestants = [(model.id, model.name) for model in models]
    for number in range(count):
        texts = [f"one {number}", f"two {number}"]
        add_comparison(store, study, NewComparison(as_messages(f"question {number}?"), contestants, texts=texts))
    return study


class Crowd:
    """People who judge at the same time, each in a thread of their own, with pauses and skips drawn from a seed."""

    def __init__(self, store: Store, study: Study, seed: int, people: int, idle: float = 0.0) -> None:
        self.store, self.study, self.seed, self.idle = store, study, seed, idle
        self.names = [f"p{number}" for number in range(people)]
        self.too_many: list[str] = []
        self.failures: list[BaseException] = []

    def work(self) -> None:
        threads = [threading.Thread(target=self._guarded, args=(name,)) for name in self.names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)

    def _guarded(self, name: str) -> None:
        try:
            self._judge_all(name)
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            self.failures.append(error)
        finally:
            self.store.close()

    def _judge_all(self, name: str) -> None:
        chance = random.Random(f"{self.seed}-{name}")
        while True:
            given = deal(self.store, self.study, name, chance.randint(1, AHEAD))
            if not given:
                return
            self._note_overbooked()
            if chance.random() < self.idle:
                _run_out(self.store, name)  # walks off; what is held comes back to others
            for lease in given[: chance.randint(1, len(given))]:
                _judge(self.store, self.study, name, lease.comparison_id, chance.choice(["left", "right", "tie"]))

    def _note_overbooked(self) -> None:
        """Slots filled and held beyond the overlap, at one moment."""
        rows = self.store.rows(
            "select c.id from comparisons c where c.given + (select count(*) from leases l "
            "where l.comparison_id = c.id and l.expires_at > ?) > ?",
            [now(), self.study.settings["overlap"]],
        )
        self.too_many += [row["id"] for row in rows]


@pytest.mark.parametrize(("seed", "overlap"), [(1, 1), (2, 2), (3, 3)])
def test_people_at_the_same_time_fill_every_slot_once(store: Store, seed: int, overlap: int) -> None:
    study = _many(store, 24, overlap)
    crowd = Crowd(store, study, seed, people=5)

    crowd.work()

    assert (crowd.failures, crowd.too_many) == ([], [])
    votes = Counter(vote.comparison_id for vote in current_votes(store, study.id))
    assert (len(votes), set(votes.values())) == (24, {overlap})
    assert store.value("select count(*) from leases") == 0
    told = standing(store, study.id, overlap)
    assert (told.done, told.total) == (24 * overlap, 24 * overlap)


def test_people_who_walk_off_leave_no_slot_empty(store: Store) -> None:
    """Leases run out before the vote comes: nothing is lost, every slot is filled, some once too often."""
    study = _many(store, 20, 2)
    crowd = Crowd(store, study, 7, people=4, idle=0.3)

    crowd.work()

    assert crowd.failures == []
    votes = Counter(vote.comparison_id for vote in current_votes(store, study.id))
    assert len(votes) == 20
    assert set(votes.values()) <= {2, 3, 4}
    assert store.value("select count(*) from votes") == sum(votes.values())


def test_a_vote_and_what_comes_next_scan_no_table_whatever_its_size(store: Store) -> None:
    """The plan of every statement of a vote: indexes all the way, nothing sorted but the person's own few leases."""
    study = change_settings(store, _many(store, 12, 2), {"gold_every": 50, "second_every": 50})
    _ids(store, study, "ann")
    statements: list[str] = []
    store.db.conn.set_trace_callback(statements.append)
    given = deal(store, study, "ann")
    _judge(store, study, "ann", given[0].comparison_id)
    sit(store, study, "ann").to_json()
    store.db.conn.set_trace_callback(None)

    asked = {text for text in statements if text.split()[0] in ("select", "insert", "update", "delete")}
    plans = {text: [row["detail"] for row in store.rows(f"explain query plan {text}")] for text in asked}

    assert len(asked) > 12
    assert {text: plan for text, plan in plans.items() if any("SCAN" in step for step in plan)} == {}
    sorted_ones = [text for text, plan in plans.items() if any("TEMP B-TREE" in step for step in plan)]
    assert all("from leases l join comparisons c" in text for text in sorted_ones)


def test_after_a_long_search_that_found_nothing_there_is_a_lull(store: Store) -> None:
    study = _many(store, 2, 2)
    assert len(_ids(store, study, "ann")) == 2
    store.execute("insert into lulls values (?, 'bob', ?)", [study.id, now() + 60])

    assert (_ids(store, study, "bob"), available(store, study, "bob")) == ([], AHEAD)

    store.execute("update lulls set until = ?", [now() - 1])
    assert len(_ids(store, study, "bob")) == 2
