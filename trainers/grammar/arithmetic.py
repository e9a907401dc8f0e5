"""Skills with numbers: sums, differences, products, halves, comparing, counting on, sorting."""

from __future__ import annotations

import zlib
from random import Random

from trainers.grammar.question import Answer, Skill, Slots, yes_or_no
from trainers.grammar.words import NUMBER_WORDS

LARGEST_TERM = 20
LARGEST_FACTOR = 10
LARGEST_NUMBER = 99


def number(text: str) -> int | None:
    """The number that a numeral or a number word up to twenty stands for, else None."""
    if text.isascii() and text.isdigit() and len(text) < 5:
        return int(text)
    return NUMBER_WORDS.index(text) if text in NUMBER_WORDS else None


def one_in(n: int, *parts: object) -> bool:
    """Whether a combination is among the one in n that are kept out of training: fixed, and spread evenly."""
    return zlib.crc32(repr(parts).encode()) % n == 0


def written(value: int, rng: Random) -> str:
    """The number as a numeral, or sometimes as a word."""
    return NUMBER_WORDS[value] if value <= 20 and rng.random() < 0.1 else str(value)


def _two(slots: Slots, largest: int) -> tuple[int, int] | None:
    a, b = number(slots["a"]), number(slots["b"])
    return None if a is None or b is None or a > largest or b > largest else (a, b)


def _numeric(value: int, clause: str, topic: str) -> Answer:
    return Answer(str(value), clause, topic, accept=(str(value),), numeric=True)


def draw_terms(rng: Random) -> Slots:
    """Two terms up to 20; small ones more often, because people ask those first."""
    largest = rng.choice((9, LARGEST_TERM, LARGEST_TERM))
    return {"a": written(rng.randint(0, largest), rng), "b": written(rng.randint(0, largest), rng)}


def solve_sum(slots: Slots) -> Answer | None:
    """a plus b, for terms up to 20."""
    pair = _two(slots, LARGEST_TERM)
    if pair is None:
        return None
    a, b = pair
    return _numeric(a + b, f"{a} plus {b} is {a + b}", f"adding {a} and {b}")


def reserve_sum(slots: Slots) -> bool:
    """One in 16 of the sums with a term above 10 is kept out of training, whatever the order of the terms."""
    pair = _two(slots, LARGEST_TERM)
    return pair is not None and max(pair) > 10 and one_in(16, "sum", *sorted(pair))


def draw_difference(rng: Random) -> Slots:
    """A number up to 20 and one that is not larger."""
    a = rng.randint(0, rng.choice((10, LARGEST_TERM)))
    return {"a": written(a, rng), "b": written(rng.randint(0, a), rng)}


def solve_difference(slots: Slots) -> Answer | None:
    """a minus b, for numbers up to 20 and no negative results."""
    pair = _two(slots, LARGEST_TERM)
    if pair is None or pair[0] < pair[1]:
        return None
    a, b = pair
    return _numeric(a - b, f"{a} minus {b} is {a - b}", f"taking {b} from {a}")


def reserve_difference(slots: Slots) -> bool:
    """One in 16 of the differences from numbers above 10 is kept out of training."""
    pair = _two(slots, LARGEST_TERM)
    return pair is not None and pair[0] > 10 and one_in(16, "difference", *pair)


def draw_factors(rng: Random) -> Slots:
    """Two factors of the times tables up to 10."""
    return {name: written(rng.randint(0, LARGEST_FACTOR), rng) for name in ("a", "b")}


def solve_product(slots: Slots) -> Answer | None:
    """a times b, for factors up to 10."""
    pair = _two(slots, LARGEST_FACTOR)
    if pair is None:
        return None
    a, b = pair
    return _numeric(a * b, f"{a} times {b} is {a * b}", f"multiplying {a} by {b}")


def draw_apart(rng: Random) -> Slots:
    """Two different numbers up to 99."""
    largest = rng.choice((20, LARGEST_NUMBER))
    a, b = rng.sample(range(largest + 1), 2)
    return {"a": str(a), "b": str(b)}


def _compared(slots: Slots, larger: bool) -> Answer | None:
    pair = _two(slots, LARGEST_NUMBER)
    if pair is None or pair[0] == pair[1]:
        return None
    right, wrong = sorted(pair, reverse=larger)
    word = "larger" if larger else "smaller"
    return Answer(str(right), f"{right} is {word}", "comparing numbers", accept=(str(right),), reject=(str(wrong),))


def solve_larger(slots: Slots) -> Answer | None:
    """The larger of two numbers up to 99."""
    return _compared(slots, larger=True)


def solve_smaller(slots: Slots) -> Answer | None:
    """The smaller of two numbers up to 99."""
    return _compared(slots, larger=False)


def reserve_pair(slots: Slots) -> bool:
    """One in 10 of the comparisons is kept out of training, whatever the order."""
    pair = _two(slots, LARGEST_NUMBER)
    return pair is not None and one_in(10, "pair", *sorted(pair))


def draw_number(rng: Random) -> Slots:
    """One number from 1 to 50."""
    return {"a": written(rng.randint(1, rng.choice((20, 50))), rng)}


def solve_next(slots: Slots) -> Answer | None:
    """The number that comes after a, up to 50."""
    a = number(slots["a"])
    return None if a is None or a > 50 else _numeric(a + 1, f"the number after {a} is {a + 1}", "counting on")


def solve_previous(slots: Slots) -> Answer | None:
    """The number that comes before a, up to 50."""
    a = number(slots["a"])
    if a is None or not 1 <= a <= 50:
        return None
    return _numeric(a - 1, f"the number before {a} is {a - 1}", "counting back")


def draw_small(rng: Random) -> Slots:
    """A number up to 20."""
    return {"a": written(rng.randint(1, 20), rng)}


def solve_double(slots: Slots) -> Answer | None:
    """Twice a number up to 20."""
    a = number(slots["a"])
    return None if a is None or a > 20 else _numeric(a * 2, f"twice {a} is {a * 2}", f"doubling {a}")


def solve_even(slots: Slots) -> Answer | None:
    """Whether a is even, up to 50."""
    a = number(slots["a"])
    if a is None or a > 50:
        return None
    return yes_or_no(a % 2 == 0, f"{a} is an {'odd' if a % 2 else 'even'} number", "odd and even numbers")


def draw_list(rng: Random) -> Slots:
    """Three or four different numbers up to 20, in any order."""
    picked = rng.sample(range(1, rng.choice((10, 21))), rng.choice((3, 3, 3, 4)))
    return {"list": ", ".join(map(str, picked))}


def solve_rising(slots: Slots) -> Answer | None:
    """The numbers from small to large."""
    values = [number(word) for word in slots["list"].replace(",", " ").split() if word != "and"]
    known = [value for value in values if value is not None and value <= LARGEST_NUMBER]
    if len(known) != len(values) or not 2 <= len(known) <= 5:
        return None
    text = ", ".join(map(str, sorted(known)))
    return Answer(text, f"the order is {text}", "putting numbers in order", accept=(text.replace(",", ""),))


def reserve_list(slots: Slots) -> bool:
    """One in 10 lists is kept out of training."""
    return one_in(10, "list", *slots["list"].replace(",", " ").split())


SKILLS = (
    Skill(
        "sums",
        (
            "What is {a} plus {b}?",
            "What is {a} + {b}?",
            "{a} + {b} = ?",
            "{a}+{b}",
            "{a} plus {b}?",
            "How much is {a} plus {b}?",
            "How much is {a} and {b}?",
            "Add {a} and {b}.",
            "What is the sum of {a} and {b}?",
            "Tell me what {a} plus {b} is.",
            "What do you get when you add {a} and {b}?",
            "Calculate {a} plus {b}.",
            "What does {a} plus {b} make?",
        ),
        draw_terms,
        solve_sum,
        unseen=("What do {a} and {b} make together?", "Can you add {a} and {b}?"),
        follow_ups=("And {a} plus {b}?", "What about {a} plus {b}?"),
        reserved=reserve_sum,
        weight=4.5,
    ),
    Skill(
        "differences",
        (
            "What is {a} minus {b}?",
            "What is {a} - {b}?",
            "{a} - {b} = ?",
            "{a} minus {b}?",
            "How much is {a} minus {b}?",
            "Take {b} away from {a}.",
            "Subtract {b} from {a}.",
            "Tell me what {a} minus {b} is.",
            "What is {a} take away {b}?",
            "Calculate {a} minus {b}.",
        ),
        draw_difference,
        solve_difference,
        unseen=("What is left when you take {b} from {a}?",),
        follow_ups=("And {a} minus {b}?",),
        reserved=reserve_difference,
        weight=3.5,
    ),
    Skill(
        "products",
        (
            "What is {a} times {b}?",
            "What is {a} x {b}?",
            "What is {a} * {b}?",
            "{a} x {b} = ?",
            "{a} times {b}?",
            "How much is {a} times {b}?",
            "Multiply {a} by {b}.",
            "What is {a} multiplied by {b}?",
            "Calculate {a} times {b}.",
        ),
        draw_factors,
        solve_product,
        unseen=("Tell me what {a} times {b} is.",),
        follow_ups=("And {a} times {b}?",),
        weight=2,
    ),
    Skill(
        "larger number",
        (
            "Which is larger, {a} or {b}?",
            "Which is bigger, {a} or {b}?",
            "Which number is larger, {a} or {b}?",
            "What is larger, {a} or {b}?",
            "Is {a} or {b} larger?",
            "Tell me the larger number: {a} or {b}.",
            "Which is more, {a} or {b}?",
            "Which number is greater, {a} or {b}?",
        ),
        draw_apart,
        solve_larger,
        unseen=("Which number is bigger, {a} or {b}?",),
        reserved=reserve_pair,
        weight=2,
    ),
    Skill(
        "smaller number",
        (
            "Which is smaller, {a} or {b}?",
            "Which number is smaller, {a} or {b}?",
            "What is smaller, {a} or {b}?",
            "Is {a} or {b} smaller?",
            "Tell me the smaller number: {a} or {b}.",
            "Which is less, {a} or {b}?",
        ),
        draw_apart,
        solve_smaller,
        unseen=("Which number is less, {a} or {b}?",),
        reserved=reserve_pair,
        weight=2,
    ),
    Skill(
        "next number",
        (
            "What number comes after {a}?",
            "Which number comes after {a}?",
            "What comes after {a}?",
            "What is the number after {a}?",
            "What is the next number after {a}?",
        ),
        draw_number,
        solve_next,
        unseen=("Tell me the number after {a}.",),
    ),
    Skill(
        "previous number",
        (
            "What number comes before {a}?",
            "Which number comes before {a}?",
            "What comes before {a}?",
            "What is the number before {a}?",
        ),
        draw_number,
        solve_previous,
        unseen=("Tell me the number before {a}.",),
    ),
    Skill(
        "doubles",
        ("What is twice {a}?", "What is double {a}?", "Double {a}.", "How much is twice {a}?"),
        draw_small,
        solve_double,
        weight=0.6,
    ),
    Skill(
        "even numbers",
        ("Is {a} even?", "Is {a} an even number?", "Tell me if {a} is even.", "Is the number {a} even?"),
        draw_number,
        solve_even,
        weight=0.8,
    ),
    Skill(
        "sorting numbers",
        (
            "Sort these numbers: {list}.",
            "Sort {list}.",
            "Put these numbers in order: {list}.",
            "Sort the numbers {list}.",
            "Arrange {list} from small to large.",
            "Sort from smallest to largest: {list}.",
            "Can you sort {list}?",
        ),
        draw_list,
        solve_rising,
        unseen=("Put {list} in order.",),
        reserved=reserve_list,
        weight=3.5,
    ),
)
