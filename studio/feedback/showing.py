"""What a person is shown of a comparison, before they have voted on it.

Blind by construction: what is shown carries texts and their hashes and nothing that says who wrote them. Which answer
stands left is drawn from a hash of comparison, person and study, so that it is the same after a refresh, different for
the next person, and stored with the vote.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from storage.comparisons import Whole
from storage.prompts import Messages
from storage.rows import Answer, Study
from studio.feedback.ballots import layout_of
from studio.feedback.shuffling import shuffled
from studio.feedback.study_settings import settings_of

# Names by which models call themselves; an answer with one of them is judged by its name, not by its words.
_IDENTITIES = re.compile(
    r"\b(chat\s?gpt|gpt-?\d\w*|open\s?ai|claude|anthropic|llama|meta ai|mistral|mixtral|gemini|gemma|bard|deepmind|"
    r"qwen|tongyi|alibaba cloud|deepseek|phi-?\d|falcon|vicuna|alpaca|command r|cohere|grok|yi-\d+b|smollm|olmo|"
    r"granite|nemotron|internlm|baichuan|chatglm|zephyr|kimi|moonshot)\b",
    re.IGNORECASE,
)
# Parts of those names, for a quick look: the pattern takes ten times as long as all of these.
_HINTS = (
    "gpt", "openai", "open ai", "claude", "anthropic", "llama", "meta ai", "mistral", "mixtral", "gemini", "gemma",
    "bard", "deepmind", "qwen", "tongyi", "alibaba", "deepseek", "phi", "falcon", "vicuna", "alpaca", "command r",
    "cohere", "grok", "yi-", "smollm", "olmo", "granite", "nemotron", "internlm", "baichuan", "chatglm", "zephyr",
    "kimi", "moonshot",
)  # fmt: skip
# A name like "a1" occurs in a text by chance.
_BY_CHANCE = 3
# In the words of a failure: where something is, and the name by which an endpoint knows a model.
_ADDRESSES = (
    re.compile(r"\bhttps?://[^\s\"'`)\]}>]+"),
    re.compile(r"(?<![\w.])(?:~|\.{1,2})?/[^\s\"'`:;,)]+/[^\s\"'`:;,)]*"),
)
_CALLED = re.compile(r"\bmodel\s+([\"'`])[^\"'`]{1,200}\1", re.IGNORECASE)


class Shown(NamedTuple):
    """A comparison as one person sees it: answers from left to right; no names.

    `alias`: the id under which it is shown, where that is not its own. `lease_until`: how long it is kept for this
    person, in seconds since 1970; None where nothing is kept.
    """

    whole: Whole
    order: list[int]
    answers: list[Answer]
    layout: str
    alias: str | None = None
    lease_until: float | None = None

    @property
    def id(self) -> str:
        """The id by which the browser knows it."""
        return self.alias or self.whole.comparison.id

    def to_json(self) -> dict[str, Any]:
        """For the browser: nothing in it depends on who answered, but for the words themselves."""
        comparison = self.whole.comparison
        return {
            "comparison": self.id,
            "state": comparison.state,
            "source": comparison.source,
            "layout": self.layout,
            "prompt": as_turns(comparison.prompt),
            "error": without_names(comparison.error, (answer.model_name for answer in self.answers))
            if comparison.error
            else None,
            "sides": [
                {
                    "text": answer.text,
                    "sha256": answer.sha256,
                    "history": None if answer.history is None else as_turns(answer.history),
                }
                for answer in self.answers
            ],
            "names_a_model": names_a_model(self.whole.answers),
            "lease_until": self.lease_until,
        }


def shown_order(study_seed: int, comparison_id: str, annotator: str, count: int) -> list[int]:
    """Positions from left to right: a permutation drawn from a hash, each one as likely as the others."""
    return sorted(range(count), key=lambda place: shuffled("side", study_seed, comparison_id, annotator, place))


def show(study: Study, whole: Whole, annotator: str, order: Sequence[int] | None = None) -> Shown:
    """The comparison as this person sees it; `order` where it was or shall be another one than drawn."""
    count = len(whole.answers)
    seen = list(order) if order else shown_order(study.seed, whole.comparison.id, annotator, count)
    return Shown(whole, seen, [whole.answers[position] for position in seen], layout_of(settings_of(study), count))


def names_a_model(answers: Sequence[Answer]) -> bool:
    """Whether an answer mentions a model: one that everybody knows, or a contestant, its own name or the other's.

    It is said of the comparison, never of one side: "this one names itself" would tell who it is.
    """
    texts = [answer.text or "" for answer in answers]
    texts += [
        as_text(turn.get("content"))
        for answer in answers
        for turn in answer.history or ()
        if turn.get("role") == "assistant"
    ]
    names = {answer.model_name for answer in answers if len(answer.model_name) > _BY_CHANCE}
    return any(_names_one(text, names) for text in texts)


def _names_one(text: str, names: Collection[str]) -> bool:
    """Whether a text holds one of these names or one that everybody knows; most texts hold not even a part of one."""
    plain = " ".join(text.casefold().split())
    if any(hint in plain for hint in _HINTS) and _IDENTITIES.search(text):
        return True
    near = [re.escape(name) for name in names if name.casefold() in text.casefold()]
    return bool(near) and bool(re.search(rf"(?<![\w-])({'|'.join(near)})(?![\w-])", text, re.IGNORECASE))


def without_names(sentence: str, names: Iterable[str]) -> str:
    """The sentence of a failure without what tells who failed: it is shown before any vote.

    An endpoint says what it likes there: the contestants' names, the name that it knows a model by, its address.
    """
    for pattern in _ADDRESSES:
        sentence = pattern.sub("(an address)", sentence)
    for name in sorted(set(names), key=len, reverse=True):
        if name:
            bare = rf"(?<![\w-]){re.escape(name)}(?![\w-])" if len(name) > _BY_CHANCE else r"(?!)"
            sentence = re.sub(rf'"{re.escape(name)}"|{bare}', "a model", sentence, flags=re.IGNORECASE)
    sentence = _IDENTITIES.sub("a model", _CALLED.sub("model", sentence))
    return sentence[:1].upper() + sentence[1:]


def as_turns(messages: Messages) -> list[dict[str, Any]]:
    """Turns with their role and their text alone."""
    return [{"role": turn.get("role"), "content": as_text(turn.get("content"))} for turn in messages]


def as_text(content: Any) -> str:
    """A turn's content as text; the parts of a list are joined."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)
    return "" if content is None else str(content)
