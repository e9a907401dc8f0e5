"""Tells the encodings of Chinese, Japanese and Korean apart by how common the characters are that they make of a text.

For short texts: in a long one nearly every wrong encoding meets a byte that it does not know. Each of the old
national sets keeps its common characters in rows of their own; what lies outside of them is rare in that language.
"""

from collections.abc import Callable
from dataclasses import dataclass

_SIMPLIFIED = frozenset(
    "的一是了不在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没"
    "日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理"
    "美点月明其种声全工己话者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少"
    "关并内加化由却代军产入先山五太水万市体别处总才场师书比住员性通目华报立题答案病医药治疗请谢吗呢怎哪谁京城首都血压糖尿"
)
_TRADITIONAL = frozenset(
    "的一是了不在人有我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可裡後小麼心多天而能好都然沒"
    "日於起還發成事只作當想看文無開手十用主行方又如前所本見經頭面公同三已老從動兩長知民樣現分將外但身些與高意進把法此實回二理"
    "美點月明其種聲全工己話者向情部正名定女問力機給等幾很業最間新什打便位因重被走電四第門相次東政海口使教西再平真聽世氣信北少"
    "關並內加化由卻代軍產入先山五太水萬市體別處總才場師書比住員性通目華報立題答案臺灣台請謝嗎呢怎哪誰"
)
_JAPANESE = frozenset(
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校"
    "語土木聞食車何南万毎白天母火右読友左休父雨質問答京"
)
_KOREAN = frozenset(
    "이다는에의가을로하지고한기서사도스어나시은자인리해정과일수대들부그아전제구보라조국원만여장용동주중회세유우상무소방선공비신"
    "문위요관안오간치진경재모결개발면화마내않등했으년음계성분술물학러바트연실생식행미강습니까입합거것게말없있저때너네니데된될"
    "려며았었왜울녕질답변날씨좋산책갑를"
)
_RARE, _PLAIN, _SIGN = -1.0, 0.35, 0.5
# Texts in the right encoding reach 0.5 and more; letters of another script that happen to fit stay below.
_LEAST = 0.45
_SAMPLE = 20_000


@dataclass(frozen=True)
class _Set:
    """An encoding, its most common characters, and whether a character belongs to the rows of its common ones."""

    encoding: str
    common: frozenset[str]
    plain: Callable[[str], bool]


def _in_rows(codec: str, first: int, last: int) -> Callable[[str], bool]:
    """Whether a character's first byte in a codec lies in the rows of common characters."""

    def plain(sign: str) -> bool:
        try:
            code = sign.encode(codec)
        except UnicodeEncodeError:
            return False
        return len(code) == 2 and first <= code[0] <= last

    return plain


def _is_kana(sign: str) -> bool:
    return "\u3041" <= sign <= "\u30fe"


_SETS = (
    _Set("gb18030", _SIMPLIFIED, _in_rows("gb2312", 0xB0, 0xD7)),
    _Set("big5", _TRADITIONAL, _in_rows("big5", 0xA4, 0xC6)),
    _Set("shift_jis", _JAPANESE, _in_rows("euc_jp", 0xB0, 0xCF)),
    _Set("euc_jp", _JAPANESE, _in_rows("euc_jp", 0xB0, 0xCF)),
    _Set("euc_kr", _KOREAN, _in_rows("euc_kr", 0xB0, 0xC8)),
)


def likeliest(sample: bytes) -> str | None:
    """The encoding that makes the most common characters of a text; None where none makes a text of it."""
    sample = sample[:_SAMPLE]
    found = [(one.encoding, _score(sample, one)) for one in _SETS]
    name, score = max(found, key=lambda pair: pair[1])
    return name if score >= _LEAST else None


def _score(sample: bytes, one: _Set) -> float:
    """How common the characters beyond ASCII are, in the mean; the least there is where the encoding does not fit."""
    cut = sample if len(sample) < _SAMPLE else sample[: sample.rfind(b"\n") + 1] or sample
    try:
        text = cut.decode(one.encoding)
    except UnicodeDecodeError:
        return _RARE
    worths = [
        _RARE if _is_alone(before, after) else _worth(sign, one)
        for before, sign, after in zip(f" {text}", text, f"{text[1:]} ", strict=False)
        if not sign.isascii()
    ]
    return sum(worths) / len(worths) if worths else _RARE


def _is_alone(before: str, after: str) -> bool:
    """Whether a character stands in the middle of a Latin word: the accent of "naïve" takes the "v" along."""
    return before.isascii() and after.isascii() and (before.islower() or after.islower())


def _worth(sign: str, one: _Set) -> float:
    if sign in one.common:
        return 1.0
    if _is_kana(sign):
        return 1.0 if one.common is _JAPANESE else _RARE
    if "\u3000" <= sign <= "\u303f" or "\uff01" <= sign <= "\uff5e":
        return _SIGN
    return _PLAIN if one.plain(sign) else _RARE
