"""What votes amount to is exact after each of them; only where counting takes long it is told as of a moment ago."""

import json
from typing import Any

from storage.clock import now
from storage.comparisons import get_study
from storage.judgements import counting_mark
from storage.store import Store
from studio.feedback.amounts import Amount, amount
from tests.studio.feedback.conftest import TRAINING, Bench

KEPT = {"votes": 70_000, "pairs": 60_000, "dropped": {"tie": 10_000}}


def _keep(store: Store, mark: list[Any], until: float) -> None:
    """As a count that took long leaves it."""
    key = f"amount:{get_study(store, 'first-look').id}"
    text = json.dumps({"mark": mark, "until": until, "amount": KEPT})
    store.execute("insert or replace into meta (key, value) values (?, ?)", [key, text])


def _amount(bench: Bench) -> Amount:
    return amount(bench.store, get_study(bench.store, "first-look"))


def test_a_small_study_is_counted_after_each_vote_and_nothing_is_written(bench: Bench) -> None:
    seen = [_amount(bench)]
    for number, choice in enumerate(("a", "tie", "skip")):
        bench.vote(bench.compare(f"{TRAINING} {number}"), choice)
        seen.append(_amount(bench))

    assert [one.votes for one in seen] == [0, 1, 2, 2]
    assert [one.pairs + sum(one.dropped.values()) for one in seen] == [0, 1, 2, 3]
    assert bench.store.value("select count(*) from meta where key like 'amount:%'") == 0


def test_what_took_long_is_told_until_its_time_is_over(bench: Bench) -> None:
    _keep(bench.store, [1, None, "of earlier votes"], now() + 60)
    assert _amount(bench) == Amount(**KEPT)

    _keep(bench.store, [1, None, "of earlier votes"], now() - 1)
    assert _amount(bench).votes == 0


def test_what_took_long_is_told_for_ever_where_nothing_has_changed(bench: Bench) -> None:
    study = get_study(bench.store, "first-look")
    mark = [1, study.settings.get("scale"), counting_mark(bench.store, study.id)]
    _keep(bench.store, mark, now() - 1)
    assert _amount(bench) == Amount(**KEPT)

    bench.vote(bench.compare(TRAINING), "a")
    assert _amount(bench).votes == 1


def test_what_an_earlier_form_of_counting_kept_is_counted_again(bench: Bench) -> None:
    _keep(bench.store, [0, None, "of earlier votes"], now() + 60)

    assert _amount(bench).votes == 0
