"""Which encoding a file is written in: Unicode where it says so or proves to be so, else the likeliest guess.

Encodings are told apart by their letters (letters.py) or characters (characters.py), what is left by
charset-normalizer. The person is told the guess (`encoding` of the report) and may name another: it can be wrong.
"""

import codecs
import unicodedata
from pathlib import Path
from typing import NamedTuple

from storage.errors import BadInput
from studio.curation import characters, letters
from studio.curation.records import Unreadable

_BLOCK = 1 << 20
# Enough text for a guess; beyond it guessing only becomes slower.
_SAMPLE = 200_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Tried in this order where charset-normalizer has no answer: the pickiest first, the last one takes any byte.
_FALLBACKS = ("big5", "cp950", "big5hkscs", "shift_jis", "euc_kr", "gb18030", "cp1252", "latin-1")
# What a guess is named by: the relative that people know, where it writes the text as well.
_USUAL = {
    "euc_jis_2004": "euc_jp",
    "euc_jisx0213": "euc_jp",
    "big5hkscs": "big5",
    "gb2312": "gb18030",
    "gbk": "gb18030",
}


class _Utf8(NamedTuple):
    """What a strict reading as UTF-8 found: bad bytes, good multi-byte characters, where the first bad byte is."""

    bad: int
    good: int
    first_bad: int


def detect(path: Path, called: str | None = None) -> str:
    """The name of the encoding, as Python knows it; raises Unreadable for a file that is no text.

    `called`: the file's name for people, where its path has another.
    """
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head[:4096]):
        return wide
    _refuse_binary(head, called or path.name)
    found = _read_as_utf8(path)
    # Stray bad bytes in a UTF-8 file spoil their rows, not the file.
    if found.bad <= found.good // 4 or (found.bad <= found.good and _mostly_utf8(head)):
        return "utf-8"
    return _guess(path, found.first_bad)


def checked_encoding(name: str) -> str:
    """The encoding that a person named, as Python knows it; raises BadInput for one that it does not know."""
    try:
        found = codecs.lookup(name.strip())
        "".encode(found.name)  # a codec like "base64" is none for text
    except (LookupError, UnicodeError, ValueError):
        raise BadInput(f'"{name}" is no encoding; use for example utf-8, utf-16, gb18030, cp1252 or cp1251.') from None
    return found.name


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark: zero bytes, which no other text has, in every other place only.

    Chinese and its like have them in their spaces, digits and ends of lines alone.
    """
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) < max(2, len(head) // 200) or min(even, odd) > max(even, odd) // 10:
        return None
    name = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = head[: len(head) // 2 * 2].decode(name, "strict" if len(head) < 4096 else "ignore")
    except UnicodeDecodeError:
        return None
    strange = sum(1 for sign in text if unicodedata.category(sign) in ("Cc", "Cn", "Co") and sign not in "\t\n\r")
    return name if strange <= len(text) // 50 else None


def _refuse_binary(head: bytes, name: str) -> None:
    """Refuse what is no text: many control bytes that text never has."""
    odd = sum(head.count(code) for code in (*range(8), *range(14, 27), *range(28, 32)))
    if head and odd > max(1, 0.02 * len(head)):
        raise Unreadable(f'"{name}" is a binary file, not text; import JSONL, JSON, CSV, TSV, Parquet or plain text.')


def _mostly_utf8(head: bytes) -> bool:
    """Whether most lines beyond ASCII are good UTF-8; in another encoding few lines happen to be so as a whole."""
    lines = [line for line in head.splitlines() if not line.isascii()]
    good = sum(1 for line in lines if _fits(line, "utf-8"))
    return good * 2 >= len(lines)


def _read_as_utf8(path: Path) -> _Utf8:
    """Read the whole file as UTF-8, block by block."""
    bad = good = 0
    first_bad, offset = -1, 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = decoder.decode(block)
            if not text.isascii():
                kept = text.encode("utf-8", "ignore").decode()  # without the stand-ins for bad bytes
                escaped = len(text) - len(kept)
                good += len(kept) - len(kept.encode("ascii", "ignore"))
                if escaped and first_bad < 0:
                    first_bad = offset
                bad += escaped
            offset += len(block)
    tail = decoder.decode(b"", final=True)
    return _Utf8(bad + len(tail), good, max(first_bad, 0))


def _guess(path: Path, start: int) -> str:
    """The likeliest encoding of the text around the first byte that is no UTF-8."""
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        file.seek(start)
        sample = file.read(_SAMPLE)
    if name := characters.likeliest(sample) or letters.likeliest(sample):
        return name
    found = list(from_bytes(sample))
    if not found:
        return next(name for name in _FALLBACKS if _fits(sample, name))
    best = found[0]
    # Latin code pages often fit equally well; of equals the one that people use is the likeliest.
    equals = {name for item in found if item.coherence >= best.coherence and item.chaos <= best.chaos
              for name in item.could_be_from_charset}  # fmt: skip
    if "cp1252" in equals:
        return "cp1252"
    usual = _USUAL.get(best.encoding, best.encoding)
    return usual if _fits(sample, usual) else str(best.encoding)


def _fits(sample: bytes, name: str) -> bool:
    """Whether the sample can be read in this encoding, a character cut off at its end aside."""
    try:
        codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True
