"""The place where a judge of toxic language plugs in. None is shipped: a word list that fits all is a myth.

Two judges fit. A word list: a file `toxic-words.txt` in the project's folder, one word or phrase a line, found as
whole words in any case. A classifier: any `Judge`, such as a model that was trained here by the method `classify`.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from storage.prompts import text_sha256
from studio.curation.checks.check import Check, Detail
from studio.curation.checks.passages import Content, passages, place

Judge = Callable[[str], Sequence[tuple[int, int]]]
"""The toxic spans of a text, as characters from and to; a classifier that judges whole texts gives all of it."""

WORDS_FILE = "toxic-words.txt"


def word_list(home: Path) -> list[str]:
    """The project's own words, lines that begin with # left out; empty where there is no file."""
    path = home / WORDS_FILE
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def judge_by_words(words: Sequence[str]) -> Judge:
    """Whole words and phrases, in any case."""
    longest_first = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
    return lambda text: [found.span() for found in pattern.finditer(text)]


def toxicity(judge: Judge | None, version: str = "") -> Check:
    """The check by a judge; without one it finds nothing and says that it did not run."""

    def find(content: Content) -> Detail | None:
        assert judge is not None
        places = [
            {"path": place(passage.path), "start": start, "end": end}
            for passage in passages(content)
            for start, end in judge(passage.text)
        ]
        return {"sentence": "Language that your judge calls toxic.", "places": places} if places else None

    return Check(
        "toxicity", "warning", "Toxic language",
        f"Words of your list ({WORDS_FILE} in the project's folder), or what your classifier calls toxic.",
        "Some rows need such words (a lesson about them, a user who swears): look before you act.",
        find if judge else None,
        version=version or "1",
    )  # fmt: skip


def by_word_list(home: Path) -> Check:
    """The check by the project's word list; its version follows the words."""
    words = word_list(home)
    return toxicity(judge_by_words(words) if words else None, text_sha256("\n".join(words))[:12])
