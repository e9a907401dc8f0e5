"""Checks for text that was decoded wrongly (mojibake), characters that were lost, and signs that nobody can see."""

import re

from studio.curation.checks.check import Check, Detail, Mended
from studio.curation.checks.passages import Content, passages, place, replaced

_LOST = "\ufffd"
# Control characters other than tab and line ends, and halves of surrogate pairs.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def find_damage(content: Content) -> Detail | None:
    """Texts that hold mojibake (`cafÃ©`), the replacement character, or control characters."""
    places = [
        {"path": place(passage.path), "what": what}
        for passage in passages(content)
        if (what := damage_of(passage.text)) is not None
    ]
    if not places:
        return None
    said = {"mojibake": "decoded wrongly", "lost": "missing characters", "control": "holding control characters"}
    kinds = sorted({said[str(item["what"])] for item in places})
    return {"sentence": f"Text is {', '.join(kinds)}.", "places": places}


def damage_of(text: str) -> str | None:
    """`mojibake`, `lost` or `control`, the first that fits; None for sound text."""
    if not text.isascii() and not _CONTROL.search(text) and repaired(text) != text:
        return "mojibake"
    if _LOST in text:
        return "lost"
    return "control" if _CONTROL.search(text) else None


def repaired(text: str) -> str:
    """A text decoded rightly where it shows that it was not; ftfy changes nothing that could be meant.

    Robyn Speer, "ftfy" (2019), zenodo.org/record/2591652.
    """
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    return fix_encoding(text) if is_bad(text) else text


def repair(content: Content, _: Detail) -> Mended:
    """The example with texts decoded rightly and without control characters; lost characters stay lost.

    A text of nothing but control characters stays for a person to look at: mended, it would be an empty turn.
    """
    texts = {
        passage.path: sound
        for passage in passages(content)
        if (sound := repaired(_CONTROL.sub("", passage.text))) != passage.text and sound.strip()
    }
    return replaced(content, texts) if texts else None


CHECKS = (
    Check(
        "encoding", "warning", "Damaged characters",
        "The text was read in a wrong encoding somewhere (cafÃ© for café), lost characters, or holds control signs.",
        "Wrong decoding can be turned back and control signs removed; lost characters must be written again.",
        find_damage, repair, "Repair",
    ),
)  # fmt: skip
