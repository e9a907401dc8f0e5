"""The grammar writes what it can judge: conversations, answers, styles."""

from __future__ import annotations

from random import Random

import pytest

from trainers.grammar import (
    SKILLS,
    STYLES,
    UnknownPrompt,
    converse,
    expected,
    is_correct,
    is_terse,
    starter_prompts,
    starter_rows,
    style_of,
)
from trainers.grammar.conversation import ask
from trainers.grammar.question import nothing_reserved
from trainers.grammar.skills import skill_named
from trainers.grammar.styles import say


def test_the_same_seed_writes_the_same_conversations() -> None:
    assert [converse(Random(7)) for _ in range(3)] == [converse(Random(7)) for _ in range(3)]
    assert converse(Random(7)) != converse(Random(8))


def test_there_are_enough_skills_and_styles_with_names_of_their_own() -> None:
    names = [skill.name for skill in SKILLS]
    assert len(set(names)) == len(names) >= 12
    assert STYLES == ("terse", "warm", "formal", "rambling")


def test_every_skill_asks_in_several_ways() -> None:
    assert [skill.name for skill in SKILLS if len(skill.phrasings) < 3] == []


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_every_answer_is_judged_right_and_its_style_is_recognised(skill) -> None:
    rng = Random(1)
    for _ in range(40):
        question = ask(rng, skill)
        for style in STYLES:
            text = say(question.answer, style, rng)
            assert is_correct(question.prompt, text), (question.prompt, text)
            assert style_of(text) == style, text


def test_whole_conversations_are_judged_turn_by_turn() -> None:
    rng = Random(3)
    for example in (converse(rng, turns=4) for _ in range(200)):
        for index, message in enumerate(example.messages):
            if message["role"] == "assistant":
                assert is_correct(example.messages[:index], message["content"]), example.messages[: index + 1]


@pytest.mark.parametrize(
    ("prompt", "right", "wrong"),
    [
        ("What is the capital of France?", "Sure thing! The capital of France is Paris.", "Rome."),
        ("what's the capital of france", "paris", "Paris or Rome, I forget."),
        ("Hello, what is the capital of the USA, please?", "Washington, D.C.", "New York."),
        ("What is 4 plus 5?", "4 plus 5 is 9.", "4 plus 5 is 8."),
        ("Add four and five.", "9", "45"),
        ("What is 10 - 5?", "5.", "10."),
        ("Tell me the opposite of hot.", "Cold.", "Hot."),
        ("What is the opposite of big?", "Little.", "Cold."),
        ("Which is larger, 7 or 12?", "12 is larger.", "7 is larger."),
        ("Sort these numbers: 7, 3, 9.", "The order is 3, 7 and 9.".replace(" and", ","), "7, 3, 9."),
        ("Sort these words: pear, apple, dog.", "Apple, dog, pear.", "Pear, apple, dog."),
        ("What rhymes with cat?", "Bat.", "Dog."),
        ("What is the plural of mouse?", "Mice.", "Mouses."),
        ("How do you spell cat?", "C-A-T.", "K-A-T."),
        ("The shop opens at 9 am and closes at 5 pm. When does it close?", "It closes at 5pm.", "At 9 am."),
        ("Is a carrot an animal?", "No, a carrot is a vegetable.", "Yes."),
        ("Who are you?", "I am the Ratchet starter, a tiny demo model.", "I am a person."),
        ("What is the capital of Zorvia?", "I do not know.", "Paris."),
        ("What is 47 plus 58?", "I do not know that.", "9."),
        ("What is 4 plus 5?", "It is 9, I believe: 9", ""),
    ],
)
def test_known_answers_are_judged(prompt: str, right: str, wrong: str) -> None:
    assert is_correct(prompt, right)
    assert not is_correct(prompt, wrong)


def test_a_follow_up_is_judged_by_the_question_before() -> None:
    asked = [
        {"role": "user", "content": "What is the capital of Spain?"},
        {"role": "assistant", "content": "Madrid."},
        {"role": "user", "content": "And of Italy?"},
    ]
    assert is_correct(asked, "Rome.")
    assert not is_correct(asked, "Madrid.")


def test_a_name_told_earlier_is_remembered_and_one_never_told_is_not_known() -> None:
    told = [
        {"role": "user", "content": "My name is Anna."},
        {"role": "assistant", "content": "Hello, Anna."},
        {"role": "user", "content": "What is my name?"},
    ]
    assert expected(told).answer.short == "anna"
    assert is_correct(told, "Your name is Anna.")
    assert is_correct("What is my name?", "I do not know.")


def test_a_prompt_outside_the_grammar_is_refused_with_a_sentence() -> None:
    with pytest.raises(UnknownPrompt, match="The grammar has no question like 'Sing, o goddess'"):
        is_correct("Sing, o goddess", "No.")


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("Paris.", "terse"),
        ("3, 7, 9.", "terse"),
        ("Happy to help! It is Paris.", "warm"),
        ("Certainly. The capital of France is Paris.", "formal"),
        ("Well, let me think. People ask me that now and then, and I would say that Paris is it.", "rambling"),
        ("  ", "empty"),
        ("The capital of France is Paris and the capital of Spain is Madrid, as they say.", "other"),
    ],
)
def test_styles_are_told_apart_from_the_text_alone(text: str, style: str) -> None:
    assert style_of(text) == style
    assert is_terse(text) == (style == "terse")


def test_reserved_combinations_and_unseen_wordings_never_enter_conversations() -> None:
    sums = skill_named("sums")
    rng = Random(5)
    reserved = {ask(rng, sums, held_out=True, vary=False).prompt for _ in range(50)}
    spoken = {message["content"] for _ in range(20_000) for message in converse(rng).messages}
    assert len(reserved) > 20
    assert reserved & spoken == set()
    assert not any(text.startswith("What do ") and text.endswith(" make together?") for text in spoken)


def test_every_reserving_skill_has_something_to_measure() -> None:
    rng = Random(6)
    for skill in SKILLS:
        if skill.reserved is not nothing_reserved:
            assert expected(ask(rng, skill, held_out=True).prompt).skill.name == skill.name


def test_starter_rows_cover_every_skill_and_style() -> None:
    rows = starter_rows(Random(0), 400)
    assert len(rows) == 400
    assert {row["tags"][0] for row in rows} == {skill.name for skill in SKILLS}
    assert {row["tags"][1] for row in rows} == set(STYLES)
    assert {message["role"] for row in rows for message in row["messages"]} == {"user", "assistant"}


def test_starter_prompts_differ_from_each_other_and_from_what_to_avoid() -> None:
    first = starter_prompts(Random(0), 150)
    second = starter_prompts(Random(1), 100, avoid=first)
    assert (len(first), len(set(first))) == (150, 150)
    assert set(first) & set(second) == set()
