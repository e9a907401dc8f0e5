"""Under ten chat templates exactly the assistant's words are learnt, with the token that ends them and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.chat_templates import TEMPLATES, Known
from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

ANSWERS = ["Paris, the capital.", "About two million, 東京 has more.", "Yes: naïve?\nMaybe 😀"]
TALK = [
    {"role": "system", "content": "Be brief and kind."},
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": ANSWERS[0]},
    {"role": "user", "content": "And how many people live there?"},
    {"role": "assistant", "content": ANSWERS[1]},
    {"role": "user", "content": "Really? Paris, the capital."},
    {"role": "assistant", "content": ANSWERS[2]},
]


@pytest.fixture(scope="module", params=TEMPLATES)
def known(request: pytest.FixtureRequest) -> Known:
    """Each of the templates in turn."""
    return TEMPLATES[request.param]


@pytest.fixture(scope="module")
def tokenizer(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tokenizer with that template and its special tokens."""
    made = tiny.save_tokenizer(tmp_path_factory.mktemp("tokenizer"), known.text)
    made.add_special_tokens({"additional_special_tokens": list(known.special)})
    return made


def _learnt(tokenizer: Any, known: Known, loss_on: str) -> list[str]:
    """The learnt stretches of the talk as texts, in order; where every turn is a row of its own, over all rows."""
    from trainers.data import IGNORED, prepare_conversations, read_conversations

    talk = TALK if known.system else TALK[1:]
    rows = read_conversations([{"id": "talk", "messages": json.dumps(talk)}])
    stretches: list[list[int]] = []
    for row in prepare_conversations(tokenizer, rows, loss_on, 4096).rows:
        before = IGNORED
        for token, label in zip(row["input_ids"], row["labels"], strict=True):
            if label != IGNORED:
                assert label == token
                if before == IGNORED:
                    stretches.append([])
                stretches[-1].append(token)
            before = label
    return [tokenizer.decode(stretch) for stretch in stretches]


def test_all_answers_are_learnt_and_nothing_else(known: Known, tokenizer: Any) -> None:
    said = _learnt(tokenizer, known, "assistant")

    assert len(said) == len(ANSWERS)
    for text, answer in zip(said, ANSWERS, strict=True):
        # Some templates write a space before or after an answer, which the model has to write as well.
        assert text.endswith(known.end)
        assert text.removesuffix(known.end).strip() == answer


def test_the_last_answer_alone_is_learnt_where_it_is_asked_for(known: Known, tokenizer: Any) -> None:
    (text,) = _learnt(tokenizer, known, "completion")

    assert text.removesuffix(known.end).strip() == ANSWERS[-1]


def test_where_answers_begin_is_where_the_model_will_begin(known: Known, tokenizer: Any) -> None:
    """What is read before the first learnt token is what the model reads when it is asked."""
    from trainers.data import IGNORED, Conversation, encode_prompt, prepare_conversations, read_conversations

    talk = TALK[:3] if known.system else TALK[1:3]
    (row,) = prepare_conversations(
        tokenizer, read_conversations([{"id": "talk", "messages": json.dumps(talk)}]), "assistant", 4096
    ).rows
    first = next(at for at, label in enumerate(row["labels"]) if label != IGNORED)

    assert row["input_ids"][:first] == encode_prompt(tokenizer, Conversation("talk", talk[:-1], None))


def test_every_token_is_learnt_where_that_is_asked_for(known: Known, tokenizer: Any) -> None:
    (text,) = _learnt(tokenizer, known, "all")

    assert all(message["content"] in text for message in TALK[1:])


def test_templates_are_ten_and_differ(tmp_path: Path) -> None:
    assert len({known.text for known in TEMPLATES.values()}) == 10
    assert [name for name, known in TEMPLATES.items() if ("{% generation %}" in known.text) != known.marked] == []
