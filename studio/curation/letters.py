"""Tells one-byte encodings apart by the letters that they make of a text: for short texts, where general guessers err.

Each encoding is tried with the letters of the languages that were written in it, the most frequent first. What
counts is how likely the letters are, whether capitals stand where capitals stand, and whether letters keep company
that their script keeps: Latin accents stand among plain letters, Cyrillic and Greek ones among their own.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise


@dataclass(frozen=True)
class _Script:
    """Letters by frequency (about; several languages run together), and the encodings that write them."""

    letters: str
    encodings: tuple[str, ...]
    latin: bool = False


# Where several encodings write a text alike, the first one is named.
_WESTERN = ("cp1252", "mac_roman", "cp850")
_CENTRAL = ("cp1250", "iso8859_2", "cp852")
_SCRIPTS = (
    # English with what word processors put in, and names and words of its neighbours.
    _Script("’“”–…é‘—£°èáíóöüäçñàêïëôâîúùåøæãõ", _WESTERN[:1], latin=True),
    _Script("éèàêçôùâîïûëœ", _WESTERN, latin=True),
    _Script("äüößé", _WESTERN, latin=True),
    _Script("óíáéñúü¿¡", _WESTERN, latin=True),
    _Script("ãçéáíóõêâúàô", _WESTERN, latin=True),
    _Script("åäöøæéð", _WESTERN, latin=True),
    _Script("èàùòéì", _WESTERN, latin=True),
    _Script(
        "оеаинтсрвлкмдпуяыьгізбчйхжшїюцщєэфъёґўјњљћђџ",
        ("cp1251", "koi8_r", "koi8_u", "cp866", "mac_cyrillic", "iso8859_5"),
    ),
    _Script("αοιετσνρηπκμυλςίάόέγδωήθφχύβξώζψϊϋΐΰ", ("cp1253", "iso8859_7")),
    _Script("יוהלאמרתבשנדקחעפטסגצזכםןץךף", ("cp1255",)),
    _Script("الينمروتبةعدسفهكقحأجشصطىخإذزضءثغظئآؤ،؟؛ـ", ("cp1256", "iso8859_6")),
    _Script("านรอกเงมยลวดทสต่ะปบคิ้หแีพชจใขำัุูไโถธซศภณฟึผ", ("cp874",)),
    _Script("ıüşğçöiİâîû", ("cp1254",), latin=True),
    _Script("łęąóśżćńź", _CENTRAL, latin=True),
    _Script("íáéřěýšžčůúťďňóľäôĺŕ", _CENTRAL, latin=True),
    _Script("áéöíőóüúű", _CENTRAL, latin=True),
    _Script("ăîşţâ", _CENTRAL, latin=True),
    _Script("čšžćđ", _CENTRAL, latin=True),
    _Script("āėšīēžūąčęįņļķģųõäöü", ("cp1257",), latin=True),
)
_SIGNS = frozenset("’‘“”„«»–—…•°§№€©®·\u00a0´")
# Logarithms of likelihoods: a sign of print, which says little, and anything that no text of the script has.
_SIGN, _STRANGE = -3.5, math.log(0.0005)
_CAPITAL, _CAPITAL_INSIDE, _COMPANY = -0.7, -3.0, -2.5
# Below this mean the text is in none of these scripts. Fitting texts reach -2.3 to -3.6.
_LEAST = -4.2
# What speaks for the encoding of most old files before a letter is read: much for three, nothing for a hundred.
_COMMON = 4.5
_SAMPLE = 20_000


def likeliest(sample: bytes) -> str | None:
    """The one-byte encoding that makes the likeliest letters of a text; None where none makes a text of it."""
    sample = sample[:_SAMPLE]
    found = [(name, score) for script in _SCRIPTS for name in script.encodings
             if (score := _score(sample, name, script)) is not None]  # fmt: skip
    name, score = max(found, key=lambda pair: pair[1], default=(None, _LEAST))
    return name if score >= _LEAST else None


def _score(sample: bytes, name: str, script: _Script) -> float | None:
    """How likely the text is in this encoding: the mean over its letters beyond ASCII; None where it does not fit."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return None
    worths = list(_worths(f" {text} ", script))
    common = _COMMON if name == "cp1252" else 0.0
    return (sum(worths) + common) / len(worths) if worths else None


def _worths(text: str, script: _Script) -> Iterator[float]:
    known = _likelihoods(script.letters)
    for (before, sign), (_, after) in pairwise(pairwise(text)):
        if sign.isascii():
            continue
        low = sign.lower()
        worth = known.get(low, known.get(sign, _SIGN if sign in _SIGNS else _STRANGE))
        if low != sign:
            worth += _CAPITAL_INSIDE if before.islower() and before.isalpha() else _CAPITAL
        if sign.isalpha():
            worth += _company(before, after, script.latin)
        yield worth


def _company(before: str, after: str, latin: bool) -> float:
    """What a letter's neighbours say against it."""
    if latin:
        return _COMPANY / 2 if all(sign.isalpha() and not sign.isascii() for sign in (before, after)) else 0.0
    return _COMPANY if any(sign.isalpha() and sign.isascii() for sign in (before, after)) else 0.0


@lru_cache(maxsize=16)
def _likelihoods(letters: str) -> dict[str, float]:
    """The logarithm of each letter's share; shares fall with the place in the order, as they do in languages."""
    weights = [math.exp(-4 * place / len(letters)) for place in range(len(letters))]
    return {letter: math.log(weight / sum(weights)) for letter, weight in zip(letters, weights, strict=True)}
