"""Checks for personal data and secrets: addresses, numbers and keys, with a mask in their place.

Numbers count only when their checksum or their numbering plan holds (Luhn for cards, ISO 7064 for IBANs, the ITU's
plans for telephones), because data for mathematics is full of long numbers.
"""

import ipaddress
import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from studio.curation.checks.check import Check, Detail, Mended
from studio.curation.checks.passages import Content, passages, place, replaced


class Span(NamedTuple):
    """Characters `start` to `end` of a text are of this kind (`EMAIL`, `PHONE` …)."""

    start: int
    end: int
    what: str


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_KEY = re.compile(
    r"""
    -----BEGIN[ ][A-Z ]{0,40}PRIVATE[ ]KEY-----(?:.{0,10000}?-----END[ ][A-Z ]{0,40}PRIVATE[ ]KEY-----)?
  | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
  | \bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,200}
  | \bgh[pousr]_[A-Za-z0-9]{36,255}\b | \bgithub_pat_[A-Za-z0-9_]{40,255}\b
  | \bhf_[A-Za-z0-9]{30,60}\b
  | \bxox[abprs]-[A-Za-z0-9-]{10,200}
  | \bAIza[0-9A-Za-z_-]{35}
  | \beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}
  | (?<=://)[^\s/:@]{1,64}:[^\s/:@]{1,128}(?=@)
    """,
    re.VERBOSE | re.DOTALL,
)
# Without any of these there is no key: looking for them first takes a tenth of the time.
_KEY_STARTS = ("-----BEGIN", "AKIA", "ASIA", "sk-", "gh", "hf_", "xox", "AIza", "eyJ", "://")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[0-9A-Z]{4}){2,7}(?:[ ]?[0-9A-Z]{1,4})?\b")
_CARD = re.compile(r"(?<![\w.+-])(?:\d[ -]?){12,18}\d(?![\w-]|\.\d)")
# Numbers as the schemes give them out: Visa, Mastercard, American Express, Diners, Discover and UnionPay, JCB.
_ISSUED = re.compile(
    r"4(?:\d{15}|\d{18})|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d{2}|4[4-9]\d|2\d{2})\d{12,15}|35\d{14}"
)
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2}(?:[0-9A-Fa-f]{0,4}:){1,5}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION = re.compile(r"(?:version|release|section|chapter|v\.?)\s*$", re.IGNORECASE)
# With a country's code, or as written in North America; other national forms look like any number.
_PHONE = re.compile(r"(?<![\w.+])(?:\+|00(?=[1-9]))\d[\d ().\-/]{6,22}\d(?!\w)")
_PHONE_US = re.compile(r"(?<![\w.+/-])(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\w-])")


def spans_of(text: str) -> list[Span]:
    """Personal data in a text, in order, without overlaps: the first kind to claim a place has it."""
    taken: list[Span] = []
    for span in chain(_keys(text), _emails(text), _ibans(text), _cards(text), _addresses(text), _phones(text)):
        if not any(span.start < old.end and old.start < span.end for old in taken):
            taken.append(span)
    return sorted(taken)


def _keys(text: str) -> Iterator[Span]:
    likely = any(start in text for start in _KEY_STARTS)
    return (Span(*found.span(), "KEY") for found in (_KEY.finditer(text) if likely else ()))


def _emails(text: str) -> Iterator[Span]:
    return (Span(*found.span(), "EMAIL") for found in (_EMAIL.finditer(text) if "@" in text else ()))


def _ibans(text: str) -> Iterator[Span]:
    from stdnum import iban

    for found in _IBAN.finditer(text):
        # What stands behind an IBAN may look like its last group: try without it as well.
        said = found[0]
        while len(said) > 14 and not iban.is_valid(said):
            said = said[: max(said.rfind(" "), 0)]
        if len(said) > 14:
            yield Span(found.start(), found.start() + len(said), "IBAN")


def _cards(text: str) -> Iterator[Span]:
    from stdnum import luhn

    for found in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", found[0])
        if _ISSUED.fullmatch(digits) and luhn.is_valid(digits):
            yield Span(*found.span(), "CARD")


def _addresses(text: str) -> Iterator[Span]:
    """Internet addresses that lead somewhere; 127.0.0.1 and version numbers are nobody's."""
    for found in (*_IP4.finditer(text), *_IP6.finditer(text)):
        try:
            address = ipaddress.ip_address(found[0])
        except ValueError:
            continue
        if address.is_global and not _VERSION.search(text[max(0, found.start() - 12) : found.start()]):
            yield Span(*found.span(), "IP")


def _phones(text: str) -> Iterator[Span]:
    import phonenumbers

    for pattern, region in ((_PHONE, None), (_PHONE_US, "US")):
        for found in pattern.finditer(text):
            said = f"+{found[0][2:]}" if found[0].startswith("00") else found[0]
            try:
                number = phonenumbers.parse(said, region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                yield Span(*found.span(), "PHONE")


def masked(text: str) -> str:
    """A text with `[EMAIL]`, `[PHONE]` … in the place of personal data, until none is left.

    A mask may lay bare what its neighbour hid: in "a@b.de+49 30 901820" the number counts as one only afterwards.
    """
    while spans := spans_of(text):
        for span in reversed(spans):
            text = f"{text[: span.start]}[{span.what}]{text[span.end :]}"
    return text


def find_personal(content: Content) -> Detail | None:
    """Where personal data stands, metadata included; the detail never holds the data itself."""
    places = [
        {"path": place(passage.path), "start": span.start, "end": span.end, "what": span.what}
        for passage in passages(content, metadata=True)
        for span in spans_of(passage.text)
    ]
    if not places:
        return None
    kinds = sorted({str(item["what"]) for item in places})
    names = {"EMAIL": "e-mail address", "PHONE": "telephone number", "CARD": "card number", "KEY": "key or password"}
    return {"sentence": f"Found: {', '.join(names.get(kind, kind) for kind in kinds)}.", "places": places}


def mask(content: Content, _: Detail) -> Mended:
    """The example with masks in the place of personal data."""
    texts = {
        passage.path: hidden
        for passage in passages(content, metadata=True)
        if (hidden := masked(passage.text)) != passage.text
    }
    return replaced(content, texts) if texts else None


CHECKS = (
    Check(
        "personal-data", "warning", "Personal data and secrets",
        "E-mail addresses, telephone, card and account numbers, internet addresses or keys: "
        "a model can learn them by heart and say them to anyone.",
        "Mask them. The old text stays in the row's history; use Erase where it must be gone for good.",
        find_personal, mask, "Mask",
    ),
)  # fmt: skip
