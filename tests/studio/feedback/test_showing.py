"""What is told before a vote when a model fails: the failure, and nothing that says whose it is."""

import pytest

from studio.feedback.showing import without_names

NAMES = ("grand-walrus", "nimble-otter", "a1")


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ('"grand-walrus" answered: out of order', "A model answered: out of order"),
        (
            '"grand-walrus" answered: grand-walrus is overloaded, use nimble-otter',
            "A model answered: a model is overloaded, use a model",
        ),
        (
            '"a1" answered: The model `walrus-70b` does not exist; see https://walrus.example/keys.',
            "A model answered: The model does not exist; see (an address)",
        ),
        (
            '"a1" answered: model "llama3.2" not found, try pulling it first',
            "A model answered: model not found, try pulling it first",
        ),
        (
            '"a1" answered: Incorrect key for OpenAI; GPT-4o needs one',
            "A model answered: Incorrect key for a model; a model needs one",
        ),
        (
            'The weights in /home/ann/models/walrus are no longer those that were added as "a1".',
            "The weights in (an address) are no longer those that were added as a model.",
        ),
        ("The endpoint has not answered in time (24/7 and/or later); a1c was asked.", None),
    ],
)
def test_a_failure_does_not_say_who_failed(sentence: str, told: str | None) -> None:
    assert without_names(sentence, NAMES) == (told or sentence)
