"""The language of an example, and answers in another language than their question.

py3langid was chosen by measurement on 1,230 short texts in nine languages: 98.3 % right at 0.1 ms a text and 5 MB;
lingua in its low-accuracy mode 96.3 % at 0.5 ms, in full 98.9 % at 2.5 ms and 1.2 GB. Where py3langid is at least
0.9 sure, all its answers were right; below that we say nothing.
"""

from functools import lru_cache
from typing import Any

from studio.curation.checks.check import Check, Detail, at
from studio.curation.checks.passages import Content, body, passages, spoken, strands

_SURE = 0.9
_ENOUGH = 300  # characters of each turn: the time goes into characters, and more hardly make it surer
_SHORTEST = 12
# Varieties and neighbours that short texts cannot tell apart, under one name.
_SAME = {
    "arz": "ar",
    "ary": "ar",
    "yue": "zh",
    "wuu": "zh",
    "pcm": "en",
    "bs": "sr",
    "hr": "sr",
    "nb": "no",
    "nn": "no",
}


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The model, read once a process (0.5 s)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_of(text: str) -> str | None:
    """The language of a text by its ISO 639 code, or None where it is too short or unsure."""
    text = text[:_ENOUGH].strip()
    return _classified(text) if len(text) >= _SHORTEST else None


@lru_cache(maxsize=64)
def _classified(text: str) -> str | None:
    """The language of a text; remembered for a moment, because two checks ask about each turn."""
    code, sure = _identifier().classify(text.encode("utf-8", "replace").decode())
    return _SAME.get(code, str(code)) if sure >= _SURE else None


def language_of_example(content: Content) -> str | None:
    """The language that most of an example is in, by the length of its turns."""
    said: dict[str, int] = {}
    for passage in passages(content):
        if passage.role in ("user", "assistant", "text") and (code := language_of(passage.text)):
            said[code] = said.get(code, 0) + len(passage.text)
    return max(said, key=said.__getitem__) if said else language_of(body(content))


def find_switch(content: Content) -> Detail | None:
    """An answer in another language than the turn before it."""
    for part, messages in strands(content):
        for number, message in enumerate(messages):
            if message.get("role") != "assistant" or not number or messages[number - 1].get("role") != "user":
                continue
            asked, said = language_of(spoken([messages[number - 1]])), language_of(spoken([message]))
            if asked and said and asked != said:
                return at(f"The question is in {asked}, the answer in {said}.", part, asked=asked, answered=said)
    return None


CHECKS = (
    Check(
        "answer-language", "info", "Answers in another language",
        "The answer is in another language than the question. Right for translations, wrong elsewhere.",
        "Look whether the question asks for it.",
        find_switch,
    ),
    Check(
        "language", "info", "Another language than most",
        "Nearly all rows are in one language, this one is in another.",
        "Keep it if you want it; a few rows of a language teach a model little but to switch at random.",
    ),
)  # fmt: skip
