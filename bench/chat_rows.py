"""Chat rows for measurements: about 600 bytes each, no two alike, words as frequent as in real text."""

import json
from itertools import accumulate
from pathlib import Path
from random import Random

_VOCABULARY = 30_000
_WORDS = 84
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def write_rows(path: Path, rows: int, seed: int = 7) -> list[str]:
    """Write a JSONL file of conversations of two turns; returns the words from the most to the least frequent."""
    chance = Random(seed)
    words = vocabulary(chance)
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            said = chance.choices(words, cum_weights=weights, k=_WORDS)
            question, answer = f"{number}. {' '.join(said[:16])}?", f"{' '.join(said[16:50])}. {' '.join(said[50:])}."
            messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            file.write(json.dumps({"messages": messages}) + "\n")
    return words


def vocabulary(chance: Random) -> list[str]:
    """Made-up words of two to eleven letters."""
    words: dict[str, None] = {}
    while len(words) < _VOCABULARY:
        length = chance.choice((2, 3, 4, 4, 5, 5, 6, 6, 7, 8, 9, 11))
        words["".join(chance.choices(_LETTERS, weights=range(26, 0, -1), k=length))] = None
    return list(words)
