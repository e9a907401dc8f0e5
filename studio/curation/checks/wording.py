"""Checks of how answers are worded: cut off, refusing, or full of a chatbot's set phrases."""

import re
import unicodedata

from studio.curation.checks.check import Check, Detail, Mended, at
from studio.curation.checks.passages import Content, answers_of, place, replaced

_LONG_LINE = 60  # characters; shorter last lines are titles, verses, results, names
_LIST_ITEM = re.compile(r"\s*(?:[-*+•>|#]|\d+[.)]|[a-zA-Z][.)])\s*")
# Last lines that need no full stop: a link, a hashtag, the row of a table, a name below a quotation.
_NEEDS_NO_STOP = re.compile(r"(?:https?://|www\.|#)\S+$|\|.*\||[\"”’*_)] ?[-–—~] ?\w[^,]{1,50}$|^[-–—~]")
# Scripts that are written without full stops.
_NO_STOPS = ("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")

_REFUSALS = re.compile(
    r"""
    ^\W*(?:
      (?:i['’]?m|i\ am|my\ apologies|sorry|unfortunately|apologies|as\ an\ ai\b[^.]{0,60}?)[^.!?\n]{0,60}?
        \bi\ (?:can['’]?t|cannot|can\ not|am\ (?:not\ able|unable)|['’]m\ (?:not\ able|unable)|won['’]?t|must\ decline)
    | i['’]?m\ (?:sorry|not\ able\ to|unable\ to)\b[^.!?\n]{0,80}
        \b(?:can['’]?t|cannot|unable|help|assist|provide|fulfil)
    | i\ (?:can['’]?t|cannot|can\ not|won['’]?t|am\ unable\ to|am\ not\ able\ to)\ (?:help|assist|provide|fulfil|comply|
        answer|do\ that|engage|discuss|support|create|generate|participate)
    | (?:es\ tut\ mir\ leid|tut\ mir\ leid|leider)[^.!?\n]{0,80}\bkann\ ich\b[^.!?\n]{0,80}\bnicht\b
    | je\ suis\ désolée?[^.!?\n]{0,80}\bne\ (?:peux|puis)\ pas\b
    | lo\ siento[^.!?\n]{0,80}\bno\ puedo\b
    | извините[^.!?\n]{0,80}\bне\ могу\b
    | (?:很?抱歉|对不起)[^。！？\n]{0,40}(?:无法|不能)
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)

_AS_AN_AI = (
    r"as\s+an?\s+(?:ai|artificial\s+intelligence|large\s+language\s+model)"
    r"(?:\s+(?:language\s+)?(?:model|assistant|chatbot))?"
)
_SET_PHRASES = re.compile(
    rf"""
    \b{_AS_AN_AI}\b
  | \bi(?:['’]m|\ am)\ (?:just\ |only\ )?an?
    \ (?:ai|artificial\ intelligence|large)\ (?:language\ )?(?:model|assistant)\b
  | \bas\ of\ my\ (?:last|latest|most\ recent)\ (?:knowledge\ )?(?:update|training|cut-?off)
  | \bmy\ (?:knowledge|training)\ cut-?off\b
  | \b(?:developed|trained|created|made)\ by\ (?:openai|anthropic|google\ deepmind|meta\ ai|alibaba\ cloud)\b
  | \bi(?:['’]m|\ am)\ (?:chatgpt|claude|bard|gemini|gpt-?[345])\b
  | \bregenerate\ response\b
  | 作为一个(?:人工智能|AI)
  | \bals\ (?:ki|künstliche\ intelligenz)[- ]?(?:sprach)?modell\b
  | \ben\ tant\ qu['’](?:ia|intelligence\ artificielle|assistant)
  | \bcomo\ (?:modelo\ de\ lenguaje|inteligencia\ artificial)
  | \bкак\ (?:языковая\ модель|искусственный\ интеллект)
    """,
    re.IGNORECASE | re.VERBOSE,
)
# One of these stands in every set phrase; looking for them first takes a tenth of the time.
_TELLTALE = ("model", "assistant", "as an ai", "as a", "i am", "i'm", "i’m", " my ", " by ", "regenerate", "作为一个",
             "als ki", "künstliche", "en tant", "como ", "как ")  # fmt: skip
_OPENING = re.compile(rf"(^|(?<=[.!?]\s)|(?<=\n)){_AS_AN_AI}\s*,\s*(\w)", re.IGNORECASE)


def find_cut(content: Content) -> Detail | None:
    """Answers that stop in the middle: within a sentence, or within a block of code."""
    cut = [place(passage.path) for passage in answers_of(content) if looks_cut(passage.text)]
    return at("An answer seems to be cut off at its end.", *cut) if cut else None


def looks_cut(text: str) -> bool:
    """Whether a text stops in the middle; a long last line of prose without any closing sign, or an open fence."""
    text = text.rstrip()
    if text.count("```") % 2:
        return True
    line = text.rpartition("\n")[2]
    if text.endswith("```") or _LIST_ITEM.match(line) or _NEEDS_NO_STOP.search(line) or "\t" in line:
        return False
    wide = unicodedata.east_asian_width(line[-1:] or " ") == "W"
    if len(line) < (_LONG_LINE // 3 if wide else _LONG_LINE):
        return False
    last = line[-1]
    if unicodedata.name(last, "").startswith(_NO_STOPS):
        return False
    return last.isalpha() or last in ",;-–(、，"


def find_refusal(content: Content) -> Detail | None:
    """Answers that begin by declining."""
    refusing = [place(passage.path) for passage in answers_of(content) if _REFUSALS.search(passage.text[:400])]
    return at("An answer declines.", *refusing) if refusing else None


def find_set_phrases(content: Content) -> Detail | None:
    """Where answers talk like some other chatbot about itself."""
    places = [
        {"path": place(passage.path), "start": found.start(), "end": found.end()}
        for passage in answers_of(content)
        if _may_speak_of_itself(passage.text)
        for found in _SET_PHRASES.finditer(passage.text)
    ]
    return {"sentence": "An answer speaks of itself as some AI model.", "places": places} if places else None


def _may_speak_of_itself(text: str) -> bool:
    lowered = text.lower()
    return any(sign in lowered for sign in _TELLTALE)


def drop_openings(content: Content, _: Detail) -> Mended:
    """Answers without "As an AI language model, " where a sentence opens with it; None where none does."""
    texts = {
        passage.path: _OPENING.sub(lambda found: found[1] + found[2].upper(), passage.text)
        for passage in answers_of(content)
        if _OPENING.search(passage.text)
    }
    return replaced(content, texts) if texts else None


CHECKS = (
    Check(
        "truncated", "warning", "Answers that look cut off",
        "The last answer stops within a sentence or within a block of code; a model learns to stop there.",
        "Finish the answer, or put the row into the trash. A guess from the last line: look before you act.",
        find_cut,
    ),
    Check(
        "refusal", "warning", "Refusals",
        "The answer declines to help. A few are wanted, many make a model decline harmless questions.",
        "Keep those that decline for a good reason, and write an answer for the others.",
        find_refusal,
    ),
    Check(
        "boilerplate", "warning", "Chatbot boilerplate",
        'The answer says "As an AI language model", names a knowledge cut-off, or claims to be another model.',
        "Sentences that open with the phrase can lose it; claims to be another model need a person.",
        find_set_phrases, drop_openings, "Remove the opening phrase",
    ),
)  # fmt: skip
