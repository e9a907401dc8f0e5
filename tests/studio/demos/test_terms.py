"""What the maker of a demo allows: what is not told is as usual, and what cannot be is refused in a sentence."""

from typing import Any

import pytest

from storage.errors import BadInput
from studio.demos.terms import Terms


def test_terms_come_back_as_they_were_kept() -> None:
    terms = Terms(title="Try it", examples=("What is rain?",), system=True, rate=3, temperature=0.5)

    assert Terms.from_json(terms.to_json()) == terms


def test_what_is_not_told_is_as_usual() -> None:
    assert Terms.from_json({"title": None, "rate": 3}) == Terms(rate=3)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"titel": "x"}, 'A demo has no "titel"'),
        ({"title": " "}, "A demo has a title"),
        ({"title": "x" * 81}, "at most 80 characters"),
        ({"title": "a\nb"}, "The title of a demo is a line"),
        ({"lead": 7}, "The lead of a demo"),
        ({"comparing": "always"}, '"comparing" is one of never, wish, sometimes'),
        ({"system": "yes"}, '"system" is yes or no'),
        ({"rate": 0}, '"rate" is a whole number from 1 to 600'),
        ({"rate": True}, '"rate" is a whole number'),
        ({"max_tokens": 1.5}, '"max_tokens" is a whole number from 16'),
        ({"temperature": 9}, "lies between 0 and 2, not at 9"),
        ({"temperature": "hot"}, "The temperature is a number"),
        ({"examples": ["x"] * 13}, "at most 12 questions"),
        ({"examples": [""]}, "at most 12 questions"),
        ({"examples": "x"}, "at most 12 questions"),
    ],
)
def test_what_no_demo_can_be_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        Terms.from_json(values)
