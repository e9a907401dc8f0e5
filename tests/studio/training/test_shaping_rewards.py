import json
from typing import Any

import pytest

from storage.errors import BadInput
from storage.prompts import content_sha256
from storage.rows import Dataset
from studio.training.shaping import SHAPES

PROMPT = [{"role": "user", "content": "What is 2 plus 2?"}]


def dataset(kind: str) -> Dataset:
    return Dataset(**dict.fromkeys(Dataset.__dataclass_fields__) | {"name": "mine", "kind": kind})


def answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_judged_rows_are_pairs_that_differ_and_answers_with_a_score() -> None:
    pair = {"prompt": PROMPT, "chosen": answer("4."), "rejected": answer("5."), "margin": 2}
    scored = {"prompt": PROMPT, "completion": answer("Four."), "score": 7}
    same = {"prompt": PROMPT, "chosen": answer("4."), "rejected": answer("4.")}
    thumb = {"prompt": PROMPT, "completion": answer("4."), "label": True}
    examples: list[tuple[str, Any]] = [("a", pair), ("b", scored), ("c", same), ("d", thumb), ("e", pair), ("f", pair)]

    shaped = SHAPES["judged"](dataset("preference"), examples)

    assert [row["id"] for row in shaped.rows] == ["a", "b", "e", "f"]
    assert shaped.rows[0] == {
        "id": "a", "prompt": json.dumps(PROMPT), "chosen": json.dumps(answer("4.")),
        "rejected": json.dumps(answer("5.")), "margin": 2.0, "completion": None, "score": None,
    }  # fmt: skip
    assert shaped.rows[1] == {
        "id": "b", "prompt": json.dumps(PROMPT), "chosen": None, "rejected": None, "margin": None,
        "completion": json.dumps(answer("Four.")), "score": 7.0,
    }  # fmt: skip
    assert shaped.prompts == {content_sha256(PROMPT)}


def test_too_few_judgements_are_refused_with_their_number() -> None:
    pair = {"prompt": PROMPT, "chosen": answer("4."), "rejected": answer("5.")}

    with pytest.raises(BadInput, match=r'Dataset "mine" holds 1 judgement .*at least 4'):
        SHAPES["judged"](dataset("preference"), [("a", pair)])


@pytest.mark.parametrize(
    ("content", "reference"),
    [
        ({"prompt": PROMPT}, None),
        ({"messages": [*PROMPT, *answer("4.")]}, "4."),
        ({"messages": PROMPT}, None),
        ({"prompt": PROMPT, "chosen": answer("4."), "rejected": answer("5.")}, "4."),
        ({"prompt": PROMPT, "answers": [{"messages": answer("5."), "score": 1},
                                        {"messages": answer("4."), "score": 9}]}, "4."),
        ({"prompt": PROMPT, "answers": [{"messages": answer("5.")}]}, None),
    ],
)  # fmt: skip
def test_a_question_comes_with_the_best_answer_that_its_row_holds(content: Any, reference: str | None) -> None:
    shaped = SHAPES["questions"](dataset("prompts"), [("a", content)])

    assert shaped.rows == [{"id": "a", "prompt": json.dumps(PROMPT), "reference": reference}]
    assert shaped.prompts == {content_sha256(PROMPT)}
