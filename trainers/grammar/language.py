"""Skills with words: opposites, plurals, past tenses, rhymes, spelling, counting letters, sorting, repeating."""

from __future__ import annotations

from random import Random

from trainers.grammar.arithmetic import one_in
from trainers.grammar.question import Answer, Skill, Slots
from trainers.grammar.words import (
    COMMON,
    FIRST_NAMES,
    OPPOSITE_PAIRS,
    OTHER_OPPOSITES,
    PASTS,
    PLURALS,
    RHYMES,
    SPELLABLE,
    listed,
)

OPPOSITES = {**dict(OPPOSITE_PAIRS), **{b: a for a, b in OPPOSITE_PAIRS}}

_ONSETS = listed(
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sc sh sk sl sm sn sp st str t th tr v w y z"
)
_VOWELS = listed("a e i o u ai ea ee ie oa oo ou")
_CODAS = ("", "", "", *listed("b ck d f g ll lt m mp n nd ng nk nt p r rk rn rt s sh sk st t th x"))


def invented(rng: Random) -> str:
    """A word that means nothing, of one to three syllables, for the copying skills and for what nobody knows."""
    count = rng.choice((1, 2, 2, 3))
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + (rng.choice(_CODAS) if i == count - 1 or rng.random() < 0.3 else "")
        for i in range(count)
    )


def any_word(rng: Random) -> str:
    """A word from every corner of the vocabulary, so that each token is written at times."""
    kind = rng.random()
    if kind < 0.45:
        return invented(rng)
    return rng.choice(COMMON if kind < 0.8 else SPELLABLE if kind < 0.92 else FIRST_NAMES)


def draw_opposite(rng: Random) -> Slots:
    """A word that has an opposite."""
    return {"word": rng.choice(list(OPPOSITES))}


def solve_opposite(slots: Slots) -> Answer | None:
    """The opposite of a word of the table."""
    word = slots["word"]
    if word not in OPPOSITES:
        return None
    right = OPPOSITES[word]
    accept = (right, *OTHER_OPPOSITES.get(word, ()))
    return Answer(right, f"the opposite of {word} is {right}", f"the opposite of {word}", accept)


def draw_plural(rng: Random) -> Slots:
    """A noun with a known plural."""
    return {"word": rng.choice(list(PLURALS))}


def solve_plural(slots: Slots) -> Answer | None:
    """The plural of a noun of the table."""
    word = slots["word"]
    if word not in PLURALS:
        return None
    right = PLURALS[word]
    reject = (word + "s",) if right != word + "s" else ()
    return Answer(right, f"the plural of {word} is {right}", f"the plural of {word}", (right,), reject)


def draw_past(rng: Random) -> Slots:
    """A verb with a known past tense."""
    return {"word": rng.choice(list(PASTS))}


def solve_past(slots: Slots) -> Answer | None:
    """The simple past of a verb of the table."""
    word = slots["word"]
    if word not in PASTS:
        return None
    return Answer(PASTS[word], f"the past tense of {word} is {PASTS[word]}", f"the past of {word}", (PASTS[word],))


def draw_rhyme(rng: Random) -> Slots:
    """A word with known rhymes."""
    return {"word": rng.choice(rng.choice(RHYMES))}


def solve_rhyme(slots: Slots) -> Answer | None:
    """A word of the same rhyme family: always the next one, and every member is accepted."""
    word = slots["word"]
    for family in RHYMES:
        if word in family:
            right = family[(family.index(word) + 1) % len(family)]
            accept = tuple(other for other in family if other != word)
            return Answer(right, f"{right} rhymes with {word}", f"rhymes for {word}", accept)
    return None


def draw_spellable(rng: Random) -> Slots:
    """A short common word."""
    return {"word": rng.choice(SPELLABLE)}


def solve_count(slots: Slots) -> Answer | None:
    """The number of letters in a word of the table."""
    word = slots["word"]
    if word not in SPELLABLE:
        return None
    count = str(len(word))
    return Answer(
        count, f"the number of letters in {word} is {count}", f"the letters of {word}", (count,), numeric=True
    )


def solve_spelling(slots: Slots) -> Answer | None:
    """A word of the table, letter by letter."""
    word = slots["word"]
    if word not in SPELLABLE:
        return None
    letters = "-".join(word.upper())
    return Answer(letters, f"{word} is spelled {letters}", f"how to spell {word}", (letters.lower(),))


def draw_words(rng: Random) -> Slots:
    """Three different short words, in any order."""
    return {"list": ", ".join(rng.sample(SPELLABLE, 3))}


def solve_words(slots: Slots) -> Answer | None:
    """The words in the order of the alphabet."""
    words = [word for word in slots["list"].replace(",", " ").split() if word != "and"]
    if not 2 <= len(words) <= 4 or any(word not in SPELLABLE for word in words):
        return None
    text = ", ".join(sorted(words))
    return Answer(text, f"the order is {text}", "putting words in order", (text.replace(",", ""),))


def reserve_words(slots: Slots) -> bool:
    """One in 10 lists is kept out of training."""
    return one_in(10, "words", *slots["list"].replace(",", " ").split())


def draw_copy(rng: Random) -> Slots:
    """One or two words of any kind."""
    return {"copied": " ".join(any_word(rng) for _ in range(rng.choice((1, 1, 2))))}


def solve_copy(slots: Slots) -> Answer | None:
    """The same words again."""
    copied = slots["copied"]
    return Answer(
        copied, f"you asked me to say {copied}", "saying things after people", (copied.lower(),), verbatim=True
    )


def reserve_copy(slots: Slots) -> bool:
    """One in 10 texts is kept out of training."""
    return one_in(10, "copy", slots["copied"].lower())


SKILLS = (
    Skill(
        "opposites",
        (
            "What is the opposite of {word}?",
            "The opposite of {word}?",
            "Tell me the opposite of {word}.",
            "Give me the opposite of {word}.",
            "Which word is the opposite of {word}?",
            "What is the opposite of the word {word}?",
            "What word means the opposite of {word}?",
            "Name the opposite of {word}.",
            "{word} is the opposite of what?",
            "Opposite of {word}?",
        ),
        draw_opposite,
        solve_opposite,
        unseen=("Can you give me the opposite of {word}?",),
        follow_ups=("And of {word}?", "What about {word}?", "And the opposite of {word}?"),
        weight=3,
    ),
    Skill(
        "plurals",
        (
            "What is the plural of {word}?",
            "Tell me the plural of {word}.",
            "Give me the plural of {word}.",
            "The plural of {word}?",
            "What is the plural of the word {word}?",
            "One {word}, two what?",
            "What do you call more than one {word}?",
            "How do you write the plural of {word}?",
        ),
        draw_plural,
        solve_plural,
        unseen=("Which word is the plural of {word}?",),
        follow_ups=("And of {word}?", "What about {word}?"),
        weight=1.5,
    ),
    Skill(
        "past tense",
        (
            "What is the past tense of {word}?",
            "What is the past of {word}?",
            "Tell me the past tense of {word}.",
            "Give me the past tense of {word}.",
            "The past tense of {word}?",
            "What is the past tense of the verb {word}?",
            "What is the simple past of {word}?",
        ),
        draw_past,
        solve_past,
        unseen=("Which word is the past tense of {word}?",),
        follow_ups=("And of {word}?", "What about {word}?"),
        weight=1.5,
    ),
    Skill(
        "rhymes",
        (
            "What rhymes with {word}?",
            "Which word rhymes with {word}?",
            "Tell me a word that rhymes with {word}.",
            "Give me a rhyme for {word}.",
            "Find a rhyme for {word}.",
            "What is a word that rhymes with {word}?",
            "Name a word that rhymes with {word}.",
        ),
        draw_rhyme,
        solve_rhyme,
        unseen=("Can you find a rhyme for {word}?",),
        weight=1.5,
    ),
    Skill(
        "counting letters",
        (
            "How many letters are in the word {word}?",
            "How many letters does {word} have?",
            "How many letters are in {word}?",
            "Count the letters in {word}.",
            "How long is the word {word}?",
            "How many letters are there in {word}?",
        ),
        draw_spellable,
        solve_count,
        unseen=("Tell me how many letters {word} has.",),
        weight=2,
    ),
    Skill(
        "spelling",
        (
            "How do you spell {word}?",
            "Spell {word}.",
            "Spell the word {word}.",
            "Can you spell {word}?",
            "How is {word} spelled?",
        ),
        draw_spellable,
        solve_spelling,
        unseen=("Please spell the word {word}.",),
        weight=2,
    ),
    Skill(
        "sorting words",
        (
            "Sort these words: {list}.",
            "Put these words in alphabetical order: {list}.",
            "Sort the words {list}.",
            "Sort {list}.",
            "Sort alphabetically: {list}.",
            "Put {list} in alphabetical order.",
        ),
        draw_words,
        solve_words,
        unseen=("Can you sort these words: {list}?",),
        reserved=reserve_words,
        weight=3.5,
    ),
    Skill(
        "repeating",
        (
            "Repeat after me: {copied}",
            "Say {copied}.",
            "Please say {copied}.",
            "Repeat: {copied}",
            "Write {copied}.",
            "Say this: {copied}",
            "Can you say {copied}?",
        ),
        draw_copy,
        solve_copy,
        unseen=("Please repeat: {copied}",),
        reserved=reserve_copy,
        weight=4,
    ),
)
