"""What the model sees: the same ids and masks that training makes, with every token's text."""

from pathlib import Path
from typing import Any

import pytest

from storage.errors import BadInput
from tests.trainers import building
from tests.trainers.engine import tiny
from trainers.data import (
    IGNORED,
    Conversation,
    prepare_conversations,
    training_template,
)
from trainers.data_pairs import Preference, prepare_preferences
from trainers.engine import pictures
from trainers.engine.pictures import count_tokens, token_texts

TALK = building.turns("Hi", "Hello!", "What is 1 plus 1?", "2.")

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.save_tokenizer(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.save_tokenizer(tmp_path_factory.mktemp("unmarked"), tiny.UNMARKED)


def picture(tokenizer: Any, content: dict[str, Any]) -> pictures.Picture:
    return pictures.picture(tokenizer, content, training_template(tokenizer))


def trained(part: Any) -> str:
    return "".join(token.text for token in part.tokens if token.trained)


def test_a_marked_template_shows_one_part_with_the_masks_of_training(tokenizer: Any) -> None:
    seen = picture(tokenizer, {"messages": TALK})

    (row,) = prepare_conversations(tokenizer, [Conversation("a", TALK, None)], "assistant", 512).rows
    (part,) = seen.parts
    assert (seen.marked, part.name) == (True, "messages")
    assert [token.id for token in part.tokens] == row["input_ids"]
    assert [token.trained for token in part.tokens] == [label != IGNORED for label in row["labels"]]
    assert trained(part) == "Hello!<|im_end|>2.<|im_end|>"
    assert "".join(token.text for token in part.tokens) == tokenizer.decode(row["input_ids"])


def test_an_unknown_template_shows_a_part_for_each_answer(unmarked: Any) -> None:
    seen = picture(unmarked, {"messages": TALK})

    rows = prepare_conversations(unmarked, [Conversation("a", TALK, None)], "assistant", 512).rows
    assert (seen.marked, [part.name for part in seen.parts]) == (False, ["answer 1", "answer 2"])
    assert [[token.id for token in part.tokens] for part in seen.parts] == [row["input_ids"] for row in rows]
    assert [trained(part) for part in seen.parts] == ["Hello!<|im_end|>\n", "2.<|im_end|>\n"]


def test_a_pair_shows_both_answers(tokenizer: Any) -> None:
    prompt, chosen, rejected = TALK[:1], building.turns("", "Hello!")[1:], building.turns("", "Go away.")[1:]

    seen = picture(tokenizer, {"prompt": prompt, "chosen": chosen, "rejected": rejected})

    (row,) = prepare_preferences(tokenizer, [Preference("a", prompt, chosen, rejected, None)], 512).rows
    assert [part.name for part in seen.parts] == ["chosen", "rejected"]
    assert [[token.id for token in part.tokens if token.trained] for part in seen.parts] == [
        row["chosen_ids"], row["rejected_ids"],
    ]  # fmt: skip
    assert [token.id for token in seen.parts[0].tokens if not token.trained] == row["prompt_ids"]


def test_thumbs_prompts_texts_and_unanswered_rows_are_shown_too(tokenizer: Any) -> None:
    thumb = picture(tokenizer, {"prompt": TALK[:1], "completion": TALK[1:2], "label": True})
    prompt = picture(tokenizer, {"prompt": TALK[:1]})
    text = picture(tokenizer, {"text": "Hello"})
    unanswered = picture(tokenizer, {"messages": TALK[:1]})

    assert [(part.name, trained(part)) for part in thumb.parts] == [("completion", "Hello!<|im_end|>\n")]
    assert [(part.name, trained(part)) for part in prompt.parts] == [("prompt", "")]
    assert "".join(token.text for token in prompt.parts[0].tokens).endswith("<|im_start|>assistant\n")
    assert [(part.name, trained(part)) for part in text.parts] == [("text", "Hello")]
    assert [(part.name, trained(part)) for part in unanswered.parts] == [("messages", "")]


@pytest.mark.parametrize("said", ["naïve café", "数学は楽しい", "👍🏽 ok 👩‍👩‍👧", " two  spaces ", "\ud7ff\x00x"])
def test_the_texts_of_tokens_make_the_whole(tokenizer: Any, said: str) -> None:
    ids = tokenizer(said, add_special_tokens=False)["input_ids"]

    texts = token_texts(tokenizer, ids)

    assert ("".join(texts), len(texts)) == (said, len(ids))


def test_counts_are_those_of_what_is_read_in_one_go(tokenizer: Any) -> None:
    talk = len(picture(tokenizer, {"messages": TALK}).parts[0].tokens)
    pair = {"prompt": TALK[:1], "chosen": TALK[1:2], "rejected": building.turns("", "a" * 50)[1:]}

    assert count_tokens(tokenizer, {"messages": TALK}) == talk
    assert count_tokens(tokenizer, pair) == len(picture(tokenizer, pair).parts[1].tokens)
    assert count_tokens(tokenizer, {"text": ""}) == 0


def test_a_template_that_refuses_says_so_and_counts_nothing(tmp_path: Path) -> None:
    strict = tiny.save_tokenizer(tmp_path, "{{ raise_exception('No system here.') }}")

    assert count_tokens(strict, {"messages": TALK}) is None
    with pytest.raises(BadInput, match=r"No system here\."):
        picture(strict, {"messages": TALK})


def test_a_base_without_a_template_still_counts_texts(tmp_path: Path) -> None:
    plain = tiny.save_tokenizer(tmp_path, None)

    assert count_tokens(plain, {"messages": TALK}) is None
    assert count_tokens(plain, {"text": "Hello"}) == len(plain("Hello")["input_ids"])
