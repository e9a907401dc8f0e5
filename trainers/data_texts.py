"""Rows of continued pretraining into token ids: whole texts in pieces, every token learnt, none thrown away."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput
from trainers.data import Conversation, Messages, Prepared, encode_plainly, messages_in, tools_in

_WORDS = 8  # of a text, asked as a prompt when the result is looked at


class Text(NamedTuple):
    """A row: a text, or a conversation that is read as one."""

    id: str
    text: str | None
    talk: Conversation | None


def read_texts(rows: Iterable[dict[str, Any]]) -> list[Text]:
    """Rows from the frozen table; raises BadInput with the row's id for one that holds neither."""
    found = []
    for row in rows:
        name, text = str(row.get("id")), row.get("text")
        if row.get("messages"):
            found.append(Text(name, None, Conversation(name, messages_in(row, "messages"), tools_in(row))))
        elif isinstance(text, str) and text.strip():
            found.append(Text(name, text, None))
        else:
            raise BadInput(f'Row "{name}" holds no text, so there is nothing to learn from it.')
    return found


def prepare_texts(tokenizer: Any, rows: Sequence[Text], max_length: int) -> Prepared:
    """`input_ids` and `labels` of pieces of at most `max_length` tokens; a text ends with the end token.

    Pieces are about equally long, so that no text ends in a scrap.
    """
    pieces = [piece for row in rows for piece in _pieces(_ids(tokenizer, row), max_length)]
    kept = [{"input_ids": piece, "labels": list(piece)} for piece in pieces if len(piece) > 1]
    return Prepared(kept, 0, len(pieces) - len(kept), 0, max(map(len, pieces), default=0))


def _ids(tokenizer: Any, row: Text) -> list[int]:
    if row.talk is not None:
        return encode_plainly(tokenizer, row.talk)
    ids: list[int] = tokenizer(row.text)["input_ids"]
    end = tokenizer.eos_token_id
    return ids if end is None or ids[-1:] == [end] else [*ids, end]


def _pieces(ids: list[int], most: int) -> list[list[int]]:
    count = -(-len(ids) // most)
    return [ids[at * len(ids) // count : (at + 1) * len(ids) // count] for at in range(count)]


def openings(rows: Sequence[Text]) -> list[Messages]:
    """What the result is asked for a look: the first words of texts, and the questions of conversations."""
    asked: list[Messages] = []
    for row in rows:
        if row.text is not None:
            asked.append([{"role": "user", "content": " ".join(row.text.split()[:_WORDS])}])
        elif row.talk is not None and row.talk.messages[0]["role"] == "user":
            asked.append(row.talk.messages[:1])
    return asked
