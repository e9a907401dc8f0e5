"""Tokens into text, one at a time, without broken characters or lost spaces.

A token may hold part of a UTF-8 character, and tokenizers that mark word starts drop a leading space when a
token is decoded alone. So each new token is decoded together with the few before it, and only what is new is
given out, once it no longer ends in the replacement character. (The scheme is that of vLLM and TGI.)
"""

from collections.abc import Sequence
from typing import Any

_REPLACEMENT = "\ufffd"
# A UTF-8 character has at most four bytes, so byte tokens resolve within four; text that still ends in the
# replacement character after this many tokens really contains it.
_LONGEST_WAIT = 8


class Detokeniser:
    """The text of one row so far; `push` returns what a new token adds to it."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._context = 0  # where decoding starts: the tokens before it only served as context
        self._given = 0  # tokens before this one are in the text already

    def push(self, token: int) -> str:
        """The text that this token completes; empty while a character is unfinished."""
        self._ids.append(token)
        before = self._decode(self._ids[self._context : self._given])
        whole = self._decode(self._ids[self._context :])
        unfinished = whole.endswith(_REPLACEMENT) and len(self._ids) - self._given < _LONGEST_WAIT
        if unfinished or len(whole) <= len(before):
            return ""
        return self._give(before, whole)

    def flush(self) -> str:
        """What is still held back at the end of an answer, less a character that the end cut in two."""
        before = self._decode(self._ids[self._context : self._given])
        whole = self._decode(self._ids[self._context :])
        return self._give(before, whole).rstrip(_REPLACEMENT)

    def _give(self, before: str, whole: str) -> str:
        self._context, self._given = self._given, len(self._ids)
        return whole[len(before) :]

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text
