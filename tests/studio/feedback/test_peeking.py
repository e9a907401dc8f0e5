"""Looking after every vote through the real path, study to prompt averages to interval: seldom a false winner.

The thousands of streams of test_intervals.py are drawn as numbers; here votes are cast in a store and the leaderboard
is asked, to show that it says at every look what the numbers say.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pytest

from storage.comparisons import NewComparison, Whole, add_comparison, create_study, get_comparison
from storage.home import Home
from storage.models import add_model
from storage.prompts import as_messages
from storage.rows import Vote
from storage.store import Store
from storage.votes import cast
from studio.feedback.intervals import is_told, win_rate
from studio.feedback.leaderboard import leaderboard
from tests.studio.feedback.conftest import Bench

PEOPLE = 3
STUDIES = 100
CHOICES = {0.0: "b", 0.5: "tie", 1.0: "a"}


class Given(NamedTuple):
    """One vote of a stream: on which prompt, by whom, and what it is worth to the first model."""

    prompt: int
    person: int
    value: float


def _stream(seed: int, prompts: int, in_turn: bool) -> list[Given]:
    """Equal models, overlap 3, 40 % ties, three votes in four as the prompt makes everybody think."""
    random = np.random.default_rng(seed)
    common = random.choice([0.0, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=(prompts, 1))
    own = random.choice([0.0, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=(prompts, PEOPLE))
    values = np.where(random.random((prompts, PEOPLE)) < 0.75, common, own)
    given = [Given(prompt, person, float(values[prompt, person])) for prompt in range(prompts) for person in range(3)]
    return given if in_turn else sorted(given, key=lambda one: (one.person, one.prompt))


def _wholes(bench: Bench, prompts: int) -> list[Whole]:
    contestants = [(model.id, model.name) for model in bench.models]
    with bench.store.write():
        made = [
            add_comparison(
                bench.store,
                bench.study,
                NewComparison(as_messages(f"Question {number}?"), contestants, texts=["x", "y"]),
            )
            for number in range(prompts)
        ]
    return [get_comparison(bench.store, one.id) for one in made]


def _cast(bench: Bench, wholes: list[Whole], one: Given) -> None:
    plain = dict.fromkeys(("ranking", "strength", "criteria", "rationale", "edited", "seconds", "supersedes"))
    identity = wholes[one.prompt].comparison.id
    cast(bench.store, Vote(
        **plain, id=f"{identity}-{one.person}", comparison_id=identity, study_id=bench.study.id,
        annotator=f"p{one.person}", choice=CHOICES[one.value], shown_order=[0, 1], shown_sha256=[], source="studio",
        created_at=0.0,
    ))  # fmt: skip


def _told_after(given: list[Given], prompts: int) -> int | None:
    """After how many votes a winner was first named, looking after each."""
    sums, counts = np.zeros(prompts), np.zeros(prompts)
    for number, one in enumerate(given, start=1):
        sums[one.prompt] += one.value
        counts[one.prompt] += 1
        if is_told((sums / np.maximum(counts, 1))[counts > 0]):
            return number
    return None


def _averages(given: list[Given]) -> list[float]:
    by_prompt: dict[int, list[float]] = defaultdict(list)
    for one in given:
        by_prompt[one.prompt].append(one.value)
    return [sum(values) / len(values) for values in by_prompt.values()]


@pytest.mark.parametrize("in_turn", [True, False], ids=["prompt by prompt", "person by person"])
def test_the_leaderboard_says_at_every_look_what_the_prompt_averages_say(bench: Bench, in_turn: bool) -> None:
    given = _stream(30, 40, in_turn)
    wholes = _wholes(bench, 40)
    for number, one in enumerate(given, start=1):
        _cast(bench, wholes, one)
        if number % 8 == 0:
            (duel,) = leaderboard(bench.store, "first-look").duels
            averages = _averages(given[:number])
            assert duel.rate == win_rate(averages)
            assert (duel.rate.verdict != "not decided") == is_told(averages)


@pytest.mark.slow
@pytest.mark.parametrize("in_turn", [True, False], ids=["prompt by prompt", "person by person"])
def test_in_at_most_one_study_of_twenty_equal_models_get_a_winner(home: Home, in_turn: bool) -> None:
    """100 studies of 999 votes, cast in a store; each is looked at after every vote.

    The look is the leaderboard's verdict on the prompt averages; the leaderboard itself is asked wherever they name a
    winner for the first time, and after the last vote.
    """
    store = Store.open(home)
    models = tuple(add_model(store, name, "endpoint", url="http://127.0.0.1:9/v1", remote_name="m")
                   for name in ("one", "two"))  # fmt: skip
    named = 0
    for seed in range(STUDIES):
        bench = Bench(store, create_study(store, f"study-{seed}", models, None), (models[0], models[1]))
        given = _stream(1000 + seed, 333, in_turn)
        wholes = _wholes(bench, 333)
        told = _told_after(given, 333)
        cast_so_far = 0
        for number in sorted({told or len(given), len(given)}):
            with store.write():
                for one in given[cast_so_far:number]:
                    _cast(bench, wholes, one)
            cast_so_far = number
            (duel,) = leaderboard(store, bench.study.name).duels
            assert duel.rate == win_rate(_averages(given[:number]))
            assert number != told or duel.rate.verdict != "not decided"
        named += told is not None
    store.close()

    assert named / STUDIES <= 0.05
