"""kill -9 of the web process while eight people vote without a pause: every acknowledged vote is there, once."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from storage import comparisons, models
from storage.home import Home
from storage.store import Store
from studio.people import accounts, sessions
from studio.people.roles import Actor
from tests.faults.insisting import UNDO_EVERY, Judge, Ledger
from tests.faults.served_web import Web
from tests.studio.training import project

pytestmark = pytest.mark.heavy

PEOPLE = 8
OWNER = Actor("owner", "admin")
RECOUNT = """
select count(*) from comparisons c where c.given != (
    select count(*) from votes v where v.comparison_id = c.id and v.choice not in ('undo', 'skip')
      and v.rowid = (select max(w.rowid) from votes w
                     where w.comparison_id = v.comparison_id and w.annotator = v.annotator))
"""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A web process, ended with the test."""
    process = Web(tmp_path / "home", tmp_path / "web.log")
    yield process
    if process.process is not None and process.process.poll() is None:
        process.kill()


@pytest.mark.parametrize(
    ("votes", "kills"), [(1500, 2), pytest.param(10_000, 6, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_every_acknowledged_vote_is_there_once(web: Web, votes: int, kills: int) -> None:
    store = Store.open(Home(web.home))
    tokens = furnish(store, votes + 40 * PEOPLE)
    ledger = Ledger()
    web.start()
    cookie = f"ratchet_session_{web.port}"
    judges = [Judge(web.url, name, {cookie: token}, "first-look", ledger) for name, token in tokens.items()]

    with ThreadPoolExecutor(PEOPLE) as threads:
        working = [threads.submit(judge.judge, votes // PEOPLE) for judge in judges]
        try:
            seed = kill_in_between(web, ledger, working, votes, kills)
            for one in working:
                one.result()
        finally:
            ledger.over.set()

    assert web.starts == kills + 1
    assert ledger.unanswered >= kills, "somebody was waiting for an answer at each kill"
    rows = store.rows("select id, comparison_id, annotator, choice = 'undo' as withdrawal from votes")
    stored = sorted((row["id"], row["comparison_id"], row["annotator"], bool(row["withdrawal"])) for row in rows)
    assert stored == sorted(tuple(saved) for saved in ledger.saved), (seed, "rows are what was acknowledged")
    taken_back = PEOPLE * (votes // PEOPLE // UNDO_EVERY)
    assert len(stored) == PEOPLE * (votes // PEOPLE) + 2 * taken_back
    counting = store.value("select sum(given) from comparisons")
    assert (store.value(RECOUNT), counting) == (0, PEOPLE * (votes // PEOPLE)), seed
    assert store.value("select max(given) from comparisons") == 1, "no slot was filled twice"
    assert (store.value("pragma integrity_check"), store.rows("pragma foreign_key_check")) == ("ok", [])
    store.close()


def furnish(store: Store, count: int) -> dict[str, str]:
    """A study with answers, and eight people with a session each: name to token."""
    made = [models.add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name=name) for name in "ow"]
    study = comparisons.create_study(store, "first-look", made, None, seed=5)
    contestants = [(model.id, model.name) for model in made]
    with store.write():
        for number in range(count):
            new = comparisons.NewComparison(project.prompt(f"question {number}"), contestants, texts=["yes", "no"])
            comparisons.add_comparison(store, study, new)
    tokens = {}
    for name in [f"ann {letter}" for letter in "abcdefgh"]:
        person = accounts.add(store, OWNER, name, "annotator", "correct horse")
        tokens[name] = sessions.begin(store, person).token
    return tokens


def kill_in_between(web: Web, ledger: Ledger, working: list[Future[None]], votes: int, kills: int) -> int:
    """Kill the web process and start it again, so many times, at a random moment of each share of the votes."""
    seed = Random().randrange(1 << 30)
    chance = Random(seed)
    for number in range(kills):
        point = votes / (kills + 1) * (number + chance.uniform(0.3, 1))
        while len(ledger.saved) < point:
            for one in working:
                assert not one.done() or one.exception() is None, one.exception()
            time.sleep(0.003)
        web.kill()
        web.start()
    return seed
