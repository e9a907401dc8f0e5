"""The grammar of everyday conversations from which the starter model and its data are made; needs no torch."""

from trainers.grammar.conversation import converse, starter_prompts, starter_rows
from trainers.grammar.judge import expected, is_correct
from trainers.grammar.question import UnknownPrompt
from trainers.grammar.skills import SKILLS
from trainers.grammar.styles import STYLES, is_terse, style_of

__all__ = [
    "SKILLS",
    "STYLES",
    "UnknownPrompt",
    "converse",
    "expected",
    "is_correct",
    "is_terse",
    "starter_prompts",
    "starter_rows",
    "style_of",
]
