"""What a model sees of an example: every token with its text, and whether training learns it.

The ids and masks come from `trainers/data.py`, which makes the rows of a run, so the picture is what is trained on: a
template that marks the assistant's words gives one part; an unknown one gives a part for each answer, as training
does with it. Preferences have a part for each answer.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from trainers.data import (
    IGNORED,
    Conversation,
    Encoded,
    encode_completion,
    encode_plainly,
    encode_prompt,
    encoder,
)
from trainers.data_pairs import Preference, encode_preference

_REPLACEMENT = "\ufffd"
_LONGEST_WAIT = 8  # tokens; a UTF-8 character has at most four bytes


class Token(NamedTuple):
    """A token. Where one holds part of a character, the text stands with the token that ends it."""

    id: int
    text: str
    trained: bool


class Part(NamedTuple):
    """Tokens that are read in one go; `name` says which answer is learnt: messages, answer 2, chosen, text …"""

    name: str
    tokens: list[Token]


class Picture(NamedTuple):
    """An example as training reads it. `marked`: whether the chat template tells the assistant's words from others'."""

    parts: list[Part]
    marked: bool

    def to_json(self) -> dict[str, Any]:
        """Tokens as triples, to keep it short."""
        return {
            "marked": self.marked,
            "parts": [{"name": part.name, "tokens": [list(token) for token in part.tokens]} for part in self.parts],
        }


def picture(tokenizer: Any, content: dict[str, Any], template: str | None) -> Picture:
    """How training reads an example of any kind; raises BadInput where the template refuses it.

    `template`: `trainers.data.training_template` of the tokenizer.
    """
    parts = [Part(name, _tokens(tokenizer, *encoded)) for name, encoded in _encoded(tokenizer, content, template)]
    return Picture(parts, template is not None)


def count_tokens(tokenizer: Any, content: dict[str, Any]) -> int | None:
    """Tokens of the longest thing that is read in one go; None where the template refuses the example."""
    try:
        if "messages" in content:
            _need_template(tokenizer)
            return len(encode_plainly(tokenizer, _conversation(content, content["messages"])))
        return max((len(ids) for _, (ids, _) in _encoded(tokenizer, content, None)), default=0)
    except BadInput:
        return None


def _encoded(tokenizer: Any, content: dict[str, Any], template: str | None) -> list[tuple[str, Encoded]]:
    """The parts of an example as token ids and labels."""
    if "text" in content:
        ids: list[int] = tokenizer(content["text"], add_special_tokens=True)["input_ids"]
        return [("text", (ids, list(ids)))]
    _need_template(tokenizer)
    if "messages" in content:
        return _conversations(tokenizer, _conversation(content, content["messages"]), template)
    prompt = content.get("prompt") or []
    if "chosen" in content and "rejected" in content:
        row = Preference("row", prompt, content["chosen"], content["rejected"], content.get("tools"))
        start, chosen, rejected = encode_preference(tokenizer, row)
        return [
            ("chosen", (chosen, [IGNORED] * start + chosen[start:])),
            ("rejected", (rejected, [IGNORED] * start + rejected[start:])),
        ]
    if "completion" in content:
        whole = _conversation(content, prompt + content["completion"])
        return [("completion", encode_completion(tokenizer, whole, prompt))]
    ids = encode_prompt(tokenizer, _conversation(content, prompt))
    return [("prompt", (ids, [IGNORED] * len(ids)))]


def _conversations(tokenizer: Any, row: Conversation, template: str | None) -> list[tuple[str, Encoded]]:
    """One part where answers are marked, or where there are none; else one an answer."""
    if template is None and not any(message.get("role") == "assistant" for message in row.messages[1:]):
        ids = encode_plainly(tokenizer, row)
        return [("messages", (ids, [IGNORED] * len(ids)))]
    made = encoder(tokenizer, "assistant", template)(row)
    if template is not None:
        return [("messages", made[0])]
    return [(f"answer {number}", encoded) for number, encoded in enumerate(made, start=1)]


def _conversation(content: dict[str, Any], messages: list[dict[str, Any]]) -> Conversation:
    return Conversation("row", messages, content.get("tools") or None)


def _need_template(tokenizer: Any) -> None:
    if not tokenizer.chat_template:
        raise BadInput("This model has no chat template, so it cannot hold a conversation; choose a chat model.")


def _tokens(tokenizer: Any, ids: Sequence[int], labels: Sequence[int]) -> list[Token]:
    texts = token_texts(tokenizer, ids)
    return [Token(token, text, label != IGNORED) for token, text, label in zip(ids, texts, labels, strict=True)]


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """The text that each token adds; together they are the whole, special tokens included.

    Each is decoded together with the few before it, as in `trainers/engine/text.py`: some tokenizers drop a space
    when a token stands alone, and characters may be spread over several tokens.
    """
    texts = []
    context = given = 0
    for end in range(1, len(ids) + 1):
        before = _decode(tokenizer, ids[context:given])
        whole = _decode(tokenizer, ids[context:end])
        unfinished = whole.endswith(_REPLACEMENT) and end - given < _LONGEST_WAIT and end < len(ids)
        if unfinished:
            texts.append("")
            continue
        texts.append(whole[len(before) :])
        context, given = given, end
    return texts


def _decode(tokenizer: Any, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text
