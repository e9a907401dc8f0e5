"""What active choice saves is measured on the same votes, and is found where it is there and not where it is not."""

import random
from collections import Counter
from itertools import combinations

from studio.feedback.replaying import SHUFFLES, Atom, active_order, replay
from studio.feedback.uncertainty import Known, likeness, pair_of, worth_of


def _simulated(strengths: dict[str, float], prompts: int, seed: int, ties: float = 0.2) -> list[Atom]:
    """Votes whose truth is known: every pair on every prompt, a wins with s(a) / (s(a) + s(b)), some ties."""
    chance = random.Random(seed)
    atoms = []
    for _ in range(prompts):
        for first, second in combinations(sorted(strengths), 2):
            wins = chance.random() < strengths[first] / (strengths[first] + strengths[second])
            value = 0.5 if chance.random() < ties else float(wins)
            atoms.append(Atom((first, second), {pair_of(first, second): value}, 1, alike=False))
    return atoms


def test_it_saves_votes_where_some_pairs_are_told_early() -> None:
    atoms = _simulated({"a": 1.0, "b": 1.9, "c": 9.0, "d": 40.0}, prompts=150, seed=1)

    found = replay(atoms, "simulated", "active")

    assert found.verdicts == ["a and b", "a and c", "a and d", "b and c", "b and d", "c and d"]
    assert found.until_verdicts is not None
    assert found.until_verdicts.saved is not None
    assert found.until_verdicts.saved > 0.15
    assert "fewer" in found.sentence
    assert (found.votes, found.replayed, found.shuffles) == (900, 900, SHUFFLES)


def test_with_one_pair_there_is_nothing_to_choose_and_it_says_so() -> None:
    found = replay(_simulated({"a": 1.0, "b": 4.0}, prompts=200, seed=2), "simulated", "random")

    assert found.until_verdicts is not None
    assert found.until_verdicts.active == found.until_verdicts.random
    assert (found.until_verdicts.saved, found.until_width and found.until_width.saved) == (None, None)
    assert "no saving can be told" in found.sentence


def test_equal_contestants_have_no_verdict_to_reach_sooner() -> None:
    found = replay(_simulated({"a": 1.0, "b": 1.0, "c": 1.0}, prompts=100, seed=3), "simulated", "active")

    assert (found.verdicts, found.until_verdicts) == ([], None)
    assert found.sentence.startswith("No verdict stands with all votes")


def test_active_order_names_no_other_winner_than_all_votes_do() -> None:
    truth = {"a": 1.0, "b": 1.0, "c": 3.0}
    for seed in range(40):
        told = replay(_simulated(truth, prompts=60, seed=seed), "simulated", "active", shuffles=1).verdicts
        assert "a and b" not in told


def test_the_same_seed_gives_the_same_numbers() -> None:
    atoms = _simulated({"a": 1.0, "b": 2.0, "c": 8.0}, prompts=40, seed=4)

    assert replay(atoms, "s", "active", 5, seed=7).to_json() == replay(atoms, "s", "active", 5, seed=7).to_json()


def test_both_orders_hand_out_every_comparison_once() -> None:
    atoms = _simulated({"a": 1.0, "b": 2.0, "c": 8.0}, prompts=30, seed=5)

    assert sorted(map(id, active_order(atoms))) == sorted(map(id, atoms))


def test_open_pairs_come_before_told_ones() -> None:
    atoms = _simulated({"a": 1.0, "b": 1.0, "c": 60.0}, prompts=100, seed=6, ties=0.0)

    first = Counter(atom.names for atom in list(active_order(atoms))[:120])

    assert first["a", "b"] > 2 * max(first["a", "c"], first["b", "c"])


def test_near_identical_answers_come_last() -> None:
    pair = pair_of("a", "b")
    alike = [Atom(pair, {pair: 0.5}, 1, alike=True) for _ in range(3)]
    other = [Atom(pair, {pair: 1.0}, 1, alike=False) for _ in range(3)]

    assert list(active_order([*alike, *other])) == [*other, *alike]


def test_the_curve_narrows_and_has_a_spread() -> None:
    curve = replay(_simulated({"a": 1.0, "b": 2.0, "c": 4.0}, prompts=60, seed=8), "s", "active").curve

    assert curve["votes"][0] == 1
    assert curve["votes"][-1] == 180
    for name in ("random", "active"):
        assert len(curve[name]) == len(curve["votes"])
        assert curve[name][0]["median"] > curve[name][-1]["median"]
        assert all(one["low"] <= one["median"] <= one["high"] for one in curve[name])
    assert curve["random"][-1] == curve["active"][-1]


def test_no_votes_are_no_numbers() -> None:
    found = replay([], "empty", "random")

    assert (found.votes, found.until_verdicts, found.until_width, found.curve["votes"]) == (0, None, None, [])
    assert "nothing to compare" in found.sentence


def test_a_ranking_of_four_is_one_atom_of_six_pairs() -> None:
    names = ("a", "b", "c", "d")
    results = dict.fromkeys(combinations(names, 2), 1.0)
    atoms = [Atom(names, results, 1, alike=False) for _ in range(20)]

    found = replay(atoms, "ranked", "active", 3)

    assert (found.votes, len(found.verdicts)) == (20, 6)


def test_a_pair_is_worth_less_the_more_is_known_and_least_when_it_is_told() -> None:
    new, open_, told = Known(), Known(), Known()
    for number in range(20):
        open_.add(float(number % 2))
        told.add(1.0)

    assert new.worth() > open_.worth() > told.worth()
    assert new.worth() > new.worth(pending=5)
    known = {("a", "b"): told, ("a", "c"): open_}
    assert worth_of(("a", "b", "c"), known) > worth_of(("a", "b"), known)
    assert worth_of(("a", "a"), known) == 0


def test_texts_are_alike_by_their_words_in_order() -> None:
    assert likeness(["The shop is open.", "the shop is open"]) == 1
    assert likeness(["one two three", "three two one"]) < 0.2
    assert likeness(["yes", "no"]) == 0
    assert likeness(["alone"]) == 0
    assert likeness(["", ""]) == 1
