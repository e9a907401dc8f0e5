"""A study of any size, written row by row without the roads that people take: for what is measured at a million votes.

Half of its comparisons have been judged (by one person or by three, of ten), the others wait to be. Votes are drawn
from a Davidson model with known strengths, so that what is estimated can be held against what is true.
"""

import itertools
import json
import sqlite3
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from storage.store import Store

MODELS = 20
TIE = -0.5  # Davidson's tau: about a quarter of ties between equals
STUDY = "bench"
_CHUNK = 20_000
_ORDERS = ("[0, 1]", "[1, 0]")
_TABLES = {
    "comparisons": "id study_id number prompt prompt_sha256 split source state created_at ready_at given",
    "answers": "id comparison_id position model_name text sha256 created_at",
    "votes": "id comparison_id study_id annotator choice shown_order shown_sha256 seconds source created_at",
}

Rows = dict[str, list[tuple[Any, ...]]]


class Filled(NamedTuple):
    """What lies in a study now, and the strengths that its votes were drawn from."""

    comparisons: int
    votes: int
    strengths: dict[str, float]


def fill(store: Store, votes: int, waiting: int) -> Filled:
    """Make the study with so many votes and so many comparisons that wait."""
    from storage.comparisons import create_study

    study = create_study(store, STUDY, [], None)
    maker = _Maker(study.id)
    made = judged = 0
    while judged < votes or made < waiting:
        rows: Rows = {table: [] for table in _TABLES}
        for _ in range(_CHUNK):
            if judged < votes:
                judged += maker.judged(rows, votes - judged)
            elif made < waiting:
                made += 1
                maker.comparison(rows, 0)
        with store.write() as db:
            for table, columns in _TABLES.items():
                _put(db.conn, table, columns.split(), rows[table])
    return Filled(maker.number, votes, {f"model-{model:02}": float(maker.strength[model]) for model in range(MODELS)})


class _Maker:
    """Makes comparisons one after the other."""

    def __init__(self, study_id: str) -> None:
        self.study_id = study_id
        self.number = 0
        self.voted = 0
        self.strength = np.linspace(-0.8, 0.8, MODELS)
        self.random = np.random.default_rng(11)
        self.pairs = list(itertools.combinations(range(MODELS), 2))
        half = {pair: (self.strength[pair[0]] - self.strength[pair[1]]) / 2 for pair in self.pairs}
        weights = {pair: np.exp([of, -of, TIE]) for pair, of in half.items()}
        self.bounds = {pair: tuple(np.cumsum(of / of.sum())[:2]) for pair, of in weights.items()}

    def comparison(self, rows: Rows, given: int) -> tuple[str, str]:
        """One comparison with its two answers; its id, and the hashes of the texts as a vote holds them."""
        number = self.number = self.number + 1
        identity = f"c{number:07}"
        prompt = json.dumps([{"role": "user", "content": f"Question {number}?"}])
        digest = sha256(prompt.encode()).hexdigest()
        texts = (f"{number}. Yes, for the first reason.", f"{number}. No, for the second reason.")
        digests = [sha256(text.encode()).hexdigest() for text in texts]
        rows["comparisons"].append(
            (identity, self.study_id, number, prompt, digest, "train", "import", "ready", 0.0, float(number), given)
        )
        for position, model in enumerate(self.pairs[number % len(self.pairs)]):
            answer = (f"{identity}-{position}", identity, position, f"model-{model:02}", texts[position])
            rows["answers"].append((*answer, digests[position], 0.0))
        return identity, json.dumps(digests)

    def judged(self, rows: Rows, most: int) -> int:
        """One comparison with its votes; how many those are."""
        people = min(1 if self.number % 2 else 3, most)
        identity, digests = self.comparison(rows, people)
        first, second = self.bounds[self.pairs[self.number % len(self.pairs)]]
        for person, (drawn, side) in enumerate(self.random.random((people, 2))):
            choice = "a" if drawn < first else "b" if drawn < second else "tie"
            self.voted += 1
            rows["votes"].append((
                f"v{self.voted:07}", identity, self.study_id, f"person-{(self.number + person) % 10}", choice,
                _ORDERS[int(side < 0.5)], digests, 4.0, "studio", float(self.voted),
            ))  # fmt: skip
        return people


def _put(conn: sqlite3.Connection, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    conn.executemany(f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' for _ in columns)})", rows)
