"""A base's chat template: messages into text and tokens, the assistant's spans, and what ends a turn."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from storage.errors import BadInput

Messages = Sequence[dict[str, Any]]
Span = tuple[int, int]

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_PROBE = "zqxjk"  # a word that no template contains, to find where an assistant's text ends


class Rendered(NamedTuple):
    """A conversation as the model reads it; `spans` are the characters that the assistant wrote."""

    text: str
    spans: list[Span]


class Template:
    """The chat template of one tokenizer."""

    def __init__(self, tokenizer: Any, base: str) -> None:
        if not tokenizer.chat_template:
            raise BadInput(
                f"The base {base!r} has no chat template, so it cannot hold a conversation; choose an instruct "
                "or chat variant, or put a chat_template.jinja into its folder."
            )
        self._tokenizer = tokenizer
        self.source: str = tokenizer.get_chat_template()
        self.sha256 = hashlib.sha256(self.source.encode()).hexdigest()

    def tokens(self, messages: Messages, tools: list[Any] | None = None) -> list[int]:
        """The prompt that asks for the assistant's next message."""
        text = self.text(messages, tools, ask=True)
        # The template writes the special tokens itself; the tokenizer must not add its own once more.
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def text(self, messages: Messages, tools: list[Any] | None = None, ask: bool = False) -> str:
        """The conversation as text; `ask` opens the assistant's next turn."""
        try:
            rendered: str = self._tokenizer.apply_chat_template(
                list(messages), tools=tools, tokenize=False, add_generation_prompt=ask
            )
        except Exception as error:  # a template is a stranger's program: it may raise anything
            raise BadInput(f"The chat template refuses this conversation: {error}") from error
        return rendered

    def render(self, messages: Messages, tools: list[Any] | None = None) -> Rendered:
        """The whole conversation with the assistant's spans, which are what training on answers learns."""
        if _GENERATION.search(self.source):
            return self._marked(messages, tools)
        text = self.text(messages, tools)
        return Rendered(text, self._spans_by_prefix(messages, tools, text))

    def _marked(self, messages: Messages, tools: list[Any] | None) -> Rendered:
        """By the template's own `{% generation %}` marks."""
        from transformers.utils.chat_template_utils import render_jinja_template

        try:
            texts, spans = render_jinja_template(
                conversations=[list(messages)],
                tools=tools,
                chat_template=self.source,
                return_assistant_tokens_mask=True,
                **self._tokenizer.special_tokens_map,
            )
        except Exception as error:  # as above
            raise BadInput(f"The chat template refuses this conversation: {error}") from error
        return Rendered(texts[0], [(int(start), int(end)) for start, end in spans[0]])

    def _spans_by_prefix(self, messages: Messages, tools: list[Any] | None, text: str) -> list[Span]:
        """What each assistant message adds to the text before it.

        A template may render an earlier turn differently once later ones follow (Qwen3 drops old thoughts);
        where the prefix does not hold, the message's own text is looked up.
        """
        spans: list[Span] = []
        reached = 0
        for index, message in enumerate(messages):
            if message.get("role") != "assistant":
                continue
            span = self._added(messages, tools, index, text) or _found(message, text, reached)
            if span:
                spans.append(span)
                reached = span[1]
        return spans

    def _added(self, messages: Messages, tools: list[Any] | None, index: int, text: str) -> Span | None:
        try:
            before = self.text(messages[:index], tools, ask=True)
            after = self.text(messages[: index + 1], tools)
        except BadInput:  # some templates need a user's message first, or last
            return None
        fits = after.startswith(before) and text.startswith(after)
        return (len(before), len(after)) if fits else None

    def ends(self, model_ends: int | list[int] | None) -> frozenset[int]:
        """Tokens that end an answer: the generation config's, the tokenizer's, and the template's own.

        Many chat tunes end a turn with a token (`<|im_end|>`) that their configs forgot to name.
        """
        listed = model_ends if isinstance(model_ends, list) else [model_ends]
        found = {self._tokenizer.eos_token_id, *listed, self._turn_end()}
        return frozenset(int(token) for token in found if token is not None)

    def _turn_end(self) -> int | None:
        """The special token that the template writes right after an assistant's text."""
        try:
            text = self.text([{"role": "user", "content": "a"}, {"role": "assistant", "content": _PROBE}])
        except BadInput:
            return None
        after = text.rpartition(_PROBE)[2].lstrip()
        ids = self._tokenizer(after, add_special_tokens=False)["input_ids"]
        special = set(self._tokenizer.all_special_ids) | set(self._tokenizer.added_tokens_decoder)
        return int(ids[0]) if ids and ids[0] in special else None


def _found(message: dict[str, Any], text: str, start: int) -> Span | None:
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        return None
    at = text.find(content.strip(), start)
    return (at, at + len(content.strip())) if at >= 0 else None
