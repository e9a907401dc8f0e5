"""Frozen rows into token ids: what TRL would make with `datasets.map`, made here, and counted.

Here are conversations and what all families of rows share; pairs are in `data_pairs.py`. Doing it here has three
reasons. What is cut or left out can be told in numbers. Arrow would give every message of a dataset every key that any
message has (`tool_calls: None`), which some templates print. And for a few hundred rows TRL's chain of maps costs more
than the tokenizing.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from storage.errors import BadInput

Messages = list[dict[str, Any]]
IGNORED = -100  # label of a token that is read but not learnt


class Conversation(NamedTuple):
    """A row of SFT data."""

    id: str
    messages: Messages
    tools: list[Any] | None


class Prepared(NamedTuple):
    """Rows as token ids, and what happened on the way. `longest`: tokens of the longest row."""

    rows: list[dict[str, Any]]
    truncated: int
    dropped: int
    identical: int
    longest: int


def read_conversations(rows: Iterable[dict[str, Any]]) -> list[Conversation]:
    """SFT rows from the frozen table; raises BadInput with the row's id for one that is no conversation."""
    found = []
    for row in rows:
        messages = messages_in(row, "messages")
        if not any(message["role"] == "assistant" for message in messages):
            raise BadInput(
                f'Row "{row.get("id")}" has no answer of the assistant, so there is nothing to learn from it.'
            )
        found.append(Conversation(str(row.get("id")), messages, tools_in(row)))
    return found


def messages_in(row: dict[str, Any], column: str) -> Messages:
    """A column's messages, stored as JSON text; raises BadInput with the row's id where they are none."""
    value = row.get(column)
    try:
        messages = json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise BadInput(f'Row "{row.get("id")}": column "{column}" is not JSON ({error}).') from error
    if not isinstance(messages, list) or not messages:
        raise BadInput(f'Row "{row.get("id")}": column "{column}" holds no list of messages.')
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise BadInput(f'Row "{row.get("id")}": a message in "{column}" has no role.')
        if not isinstance(message.get("content"), str | list) and not message.get("tool_calls"):
            raise BadInput(f'Row "{row.get("id")}": a message in "{column}" has neither content nor tool calls.')
    return messages


def tools_in(row: dict[str, Any]) -> list[Any] | None:
    """The tools that a row's conversation may call."""
    value = row.get("tools")
    tools = json.loads(value) if isinstance(value, str) and value else value
    return tools or None


def training_template(tokenizer: Any) -> str | None:
    """The template that marks the assistant's words: the tokenizer's own, TRL's for a known one, else None."""
    from trl.chat_template_utils import get_training_chat_template, has_generation_markers

    own: str = tokenizer.get_chat_template()
    if has_generation_markers(own):
        return own
    try:
        known: str | None = get_training_chat_template(tokenizer)
    except ValueError:  # TRL knows templates by their exact text only
        return None
    return known


def prepare_conversations(
    tokenizer: Any, rows: Sequence[Conversation], loss_on: str, max_length: int, keep_length: bool = False
) -> Prepared:
    """`input_ids` and `labels` of every row; rows without a token to learn within `max_length` are left out.

    A template without marks gives one row per assistant turn: everything before it is prompt.
    `keep_length`: do not cut, because packing will.
    """
    template = training_template(tokenizer) if loss_on == "assistant" else None
    encode = encoder(tokenizer, loss_on, template)
    made = [encoded for row in rows for encoded in encode(row)]
    kept = []
    for ids, labels in made:
        end = len(ids) if keep_length else max_length
        if any(label != IGNORED for label in labels[:end]):
            kept.append({"input_ids": ids[:end], "labels": labels[:end]})
    truncated = sum(len(ids) > max_length for ids, _ in made)
    longest = max((len(row["input_ids"]) for row in kept), default=0)
    return Prepared(kept, truncated, len(made) - len(kept), 0, longest)


Encoded = tuple[list[int], list[int]]


def encoder(tokenizer: Any, loss_on: str, template: str | None) -> Callable[[Conversation], list[Encoded]]:
    """What makes token ids and labels of a row: one pair, or one for each answer where no template marks them."""
    if loss_on == "all":
        return lambda row: [_whole(tokenizer, row)]
    if loss_on == "completion":
        return lambda row: _by_turn(tokenizer, row)[-1:]
    if template is not None:
        return lambda row: [_marked(tokenizer, row, template)]
    return lambda row: _by_turn(tokenizer, row)


def _whole(tokenizer: Any, row: Conversation) -> Encoded:
    ids = render(tokenizer, row, row.messages)["input_ids"]
    return ids, list(ids)


def _marked(tokenizer: Any, row: Conversation, template: str) -> Encoded:
    rendered = render(tokenizer, row, row.messages, chat_template=template, return_assistant_tokens_mask=True)
    ids, mask = rendered["input_ids"], rendered["assistant_masks"]
    return ids, [token if learnt else IGNORED for token, learnt in zip(ids, mask, strict=True)]


def _by_turn(tokenizer: Any, row: Conversation) -> list[Encoded]:
    made = []
    for index, message in enumerate(row.messages):
        if message["role"] == "assistant" and index > 0:
            turn = row._replace(messages=row.messages[: index + 1])
            made.append(encode_completion(tokenizer, turn, row.messages[:index]))
    return made


def encode_completion(tokenizer: Any, row: Conversation, prompt: Messages) -> Encoded:
    """One answer after its prompt: ids of the whole, labels of the answer; `row.messages` begin with the prompt."""
    before = render(tokenizer, row, prompt, add_generation_prompt=True)["input_ids"]
    ids = render(tokenizer, row, row.messages)["input_ids"]
    start = shared_start(before, ids)
    end = max(start, len(ids) - (0 if row.messages[-1].get("tool_calls") else _trailing(tokenizer, ids)))
    return ids, [IGNORED] * start + ids[start:end] + [IGNORED] * (len(ids) - end)


def _trailing(tokenizer: Any, ids: list[int]) -> int:
    """How many tokens a template writes behind the one that ends an answer: a line's end, the end of the text.

    The model never writes them: it was stopped before. Tool calls end with several special tokens that it does write.
    """
    special = set(tokenizer.all_special_ids)
    begin = len(ids)
    while begin and (ids[begin - 1] in special or not tokenizer.decode([ids[begin - 1]]).strip()):
        begin -= 1
    ends = [at for at in range(begin, len(ids)) if ids[at] in special]
    return len(ids) - 1 - ends[0] if ends else 0


def encode_prompt(tokenizer: Any, row: Conversation) -> list[int]:
    """What a model reads before it answers."""
    return render(tokenizer, row, row.messages, add_generation_prompt=True)["input_ids"]


def encode_plainly(tokenizer: Any, row: Conversation) -> list[int]:
    """A conversation as it stands, with nothing marked."""
    return render(tokenizer, row, row.messages)["input_ids"]


class Row(Protocol):
    """What every row of every method has."""

    @property
    def id(self) -> str:
        """The row by name, for sentences about it."""

    @property
    def tools(self) -> list[Any] | None:
        """Tools that its conversation may call."""


def render(tokenizer: Any, row: Row, messages: Messages, **how: Any) -> dict[str, list[int]]:
    """Messages through the chat template; raises BadInput with the row's id where the template refuses them."""
    try:
        rendered: dict[str, list[int]] = tokenizer.apply_chat_template(
            messages, tools=row.tools, tokenize=True, return_dict=True, **how
        )
    except Exception as error:  # a template is a stranger's program: it may raise anything
        raise BadInput(f'The chat template refuses row "{row.id}": {error}') from error
    return rendered


def shared_start(first: list[int], second: list[int]) -> int:
    """How many tokens two sequences share from their start: tokens may merge where prompt and answer meet."""
    for index, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return index
    return min(len(first), len(second))


def losses(prepared: Prepared, max_length: int) -> list[str]:
    """Sentences about rows that were cut or left out."""
    said = []
    if prepared.dropped:
        said.append(f"{_rows(prepared.dropped)} left out: the prompt alone fills max_length ({max_length} tokens).")
    if prepared.truncated:
        said.append(f"{_rows(prepared.truncated)} cut at max_length ({max_length} tokens): their ends are not learnt.")
    if prepared.identical:
        said.append(f"{_rows(prepared.identical)} left out: both answers are the same.")
    return said


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count} rows were"


def prompts_of(rows: Sequence[Conversation]) -> list[Messages]:
    """What a model would be asked in each row: everything before its last answer."""
    prompts = []
    for row in rows:
        answers = [index for index, message in enumerate(row.messages) if message["role"] == "assistant"]
        if answers[-1]:
            prompts.append(row.messages[: answers[-1]])
    return prompts
