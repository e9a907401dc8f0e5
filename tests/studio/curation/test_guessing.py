"""Where no shape fits, a proposal is made from the columns' names in many languages, or from what is in them."""

from typing import Any

import pytest

from studio.curation.guessing import Guess, guess
from studio.curation.mapping import mapped_shape

LONG = "This is a longer text of many words"


@pytest.mark.parametrize(
    ("names", "roles", "confidence"),
    [
        (["frage", "antwort", "seite"], {"frage": "prompt", "antwort": "answer"}, 0.9),
        (["Вопрос", "Ответ"], {"Вопрос": "prompt", "Ответ": "answer"}, 0.9),
        (["部门", "问题", "回答"], {"问题": "prompt", "回答": "answer"}, 0.9),
        (["customerQuestion", "agent_reply"], {"customerQuestion": "prompt", "agent_reply": "answer"}, 0.9),
        (["pregunta", "mejor", "good one", "bad one"],
         {"pregunta": "prompt", "good one": "chosen", "bad one": "rejected"}, 0.9),
        (["question", "what Ann said"], {"question": "prompt", "what Ann said": "answer"}, 0.6),
        (["n", "article"], {"article": "text"}, 0.6),
    ],
)  # fmt: skip
def test_names_tell_roles(names: list[str], roles: dict[str, str], confidence: float) -> None:
    found = guess(names, [dict.fromkeys(names, LONG)] * 3)

    assert found == Guess(roles, confidence)
    assert mapped_shape(found.mapping).make(dict.fromkeys(names, LONG))


@pytest.mark.parametrize(
    ("row", "roles", "confidence"),
    [
        ({"x": LONG, "y": f"{LONG}?", "z": "2024-01-01"}, {"y": "prompt", "x": "answer"}, 0.4),
        ({"id": "7", "memo": LONG, "price": "3.50"}, {"memo": "text"}, 0.4),
        ({"memo": "今天天气很好，我们去公园散步吧"}, {"memo": "text"}, 0.4),
        ({"talk": [{"role": "user", "content": "Hi"}]}, {"talk": "messages"}, 0.9),
        ({"year": "1986", "dwellings": "44000"}, {}, 0.0),
        ({}, {}, 0.0),
    ],
)
def test_cells_tell_roles_where_names_do_not(row: dict[str, Any], roles: dict[str, str], confidence: float) -> None:
    assert guess(list(row), [row] * 3) == Guess(roles, confidence)
