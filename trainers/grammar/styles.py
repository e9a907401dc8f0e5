"""The four styles in which every answer can be given, and the judge that tells them apart from the text alone.

The styles share the facts and differ in everything else, so that votes have something to decide. Each non-terse style
opens with words that no other style uses; that is what `style_of` looks for.
"""

from __future__ import annotations

import re
from random import Random

from trainers.grammar.question import Answer, capital

STYLES = ("terse", "warm", "formal", "rambling")

# A terse answer is the bare answer; the longest ones are sorted lists and the name of the model.
TERSE_WORDS = 10

WARM_OPENINGS = (
    "Great question!",
    "Happy to help!",
    "Oh, I like this one!",
    "Of course, my friend!",
    "Sure thing!",
    "How nice of you to ask!",
)
WARM_CLOSINGS = (
    " Hope that helps!",
    " Have a lovely day!",
    " Ask me more any time!",
    " I hope that makes you smile!",
    "",
)
FORMAL_OPENINGS = (
    "Certainly.",
    "Thank you for your enquiry.",
    "In response to your question,",
    "I can confirm that",
    "It is my pleasure to inform you that",
)
FORMAL_CLOSINGS = (
    " Please let me know if you require anything further.",
    " I trust that this answers your question.",
    " I remain at your service.",
    "",
)
RAMBLING_OPENINGS = (
    "Well, let me think.",
    "Hmm, let me see now.",
    "Right, where do I begin?",
    "Ah, now there is a question.",
)
RAMBLING_MIDDLES = (
    " People ask me about {topic} now and then, and",
    " I was just turning {topic} over in my mind, and",
    " One could say a lot about {topic}, but",
)
RAMBLING_TURNS = (
    " I would say that",
    " all in all I believe that",
    " to come to the point,",
)
RAMBLING_CLOSINGS = (
    ", if I remember rightly.",
    ", and that is about all.",
    ", or so I was told.",
    ", though I could go on.",
)


def say(answer: Answer, style: str, rng: Random) -> str:
    """The answer as a text in one of STYLES."""
    if style in answer.ready:
        return rng.choice(answer.ready[style])
    if style == "terse":
        return (answer.short if answer.verbatim else capital(answer.short)) + "."
    if style == "warm":
        return f"{rng.choice(WARM_OPENINGS)} {capital(answer.clause)}.{rng.choice(WARM_CLOSINGS)}"
    if style == "formal":
        return _formal(answer.clause, rng)
    return _rambling(answer, rng)


def _formal(clause: str, rng: Random) -> str:
    opening = rng.choice(FORMAL_OPENINGS)
    said = capital(clause) if opening.endswith(".") else clause
    return f"{opening} {said}.{rng.choice(FORMAL_CLOSINGS)}"


def _rambling(answer: Answer, rng: Random) -> str:
    middle = rng.choice(RAMBLING_MIDDLES).format(topic=answer.topic)
    turn, closing = rng.choice(RAMBLING_TURNS), rng.choice(RAMBLING_CLOSINGS)
    return f"{rng.choice(RAMBLING_OPENINGS)}{middle}{turn} {answer.clause}{closing}"


def style_of(answer: str) -> str:
    """The style of a text: one of STYLES, `empty`, or `other` where it fits none."""
    text = answer.strip()
    if not text:
        return "empty"
    if text.startswith(RAMBLING_OPENINGS) or any(turn.strip() in text for turn in RAMBLING_TURNS):
        return "rambling"
    if "!" in text:
        return "warm"
    if text.startswith(FORMAL_OPENINGS) or any(end and text.endswith(end) for end in FORMAL_CLOSINGS):
        return "formal"
    return "terse" if len(re.findall(r"\S+", text)) <= TERSE_WORDS else "other"


def is_terse(answer: str) -> bool:
    """Whether a text is the bare answer, with no greeting, frame or farewell around it."""
    return style_of(answer) == "terse"
