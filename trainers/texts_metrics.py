"""How near an answer is to its reference, by words and by characters; 0 to 1, higher is nearer.

Small enough to be ours: ROUGE-L (Lin 2004, W04-1013) as the F1 of the longest common subsequence of words, in lower
case and without punctuation, and chrF (Popović 2015, W15-3049), n-grams of 1 to 6 characters without white space, with
beta 2. Both are means over single answers, so a single answer can be looked at as well.
"""

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_MOST_WORDS = 400  # the table of common subsequences grows with the square
_CHARACTERS, _BETA = 6, 2.0


def exact_match(answer: str, reference: str) -> float:
    """1 where both are the same but for case and white space."""
    return float(" ".join(answer.casefold().split()) == " ".join(reference.casefold().split()))


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words."""
    said, wanted = _words(answer), _words(reference)
    common = _longest_common(said, wanted)
    return 2 * common / (len(said) + len(wanted)) if said and wanted else float(said == wanted)


def chrf(answer: str, reference: str) -> float:
    """Character n-gram F-score; recall counts `beta` times as much as precision."""
    said, wanted = "".join(answer.split()), "".join(reference.split())
    scores = []
    for size in range(1, _CHARACTERS + 1):
        mine, theirs = _grams(said, size), _grams(wanted, size)
        if mine and theirs:
            scores.append(_f_score(mine, theirs))
    return sum(scores) / len(scores) if scores else float(said == wanted)


def _f_score(mine: Counter[str], theirs: Counter[str]) -> float:
    common = sum((mine & theirs).values())
    if not common:
        return 0.0
    precision, recall = common / sum(mine.values()), common / sum(theirs.values())
    return (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def _grams(text: str, size: int) -> Counter[str]:
    return Counter(text[at : at + size] for at in range(len(text) - size + 1))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())[:_MOST_WORDS]


def _longest_common(first: Sequence[str], second: Sequence[str]) -> int:
    row = [0] * (len(second) + 1)
    for word in first:
        corner = 0
        for at, other in enumerate(second, 1):
            corner, row[at] = row[at], corner + 1 if word == other else max(row[at], row[at - 1])
    return row[-1]
