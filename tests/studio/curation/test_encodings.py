"""A short text in any of the encodings that people's old files are in is read as what it says."""

import pytest

from storage.errors import BadInput
from studio.curation.encodings import checked_encoding, detect
from studio.curation.letters import likeliest
from studio.curation.records import Unreadable
from tests.studio.curation.files import Write

TEXTS = {
    "Russian": "Привет, как дела? Сегодня хорошая погода, и мы идём гулять в парк.",
    "Bulgarian": "Българският език е индоевропейски език.",
    "Ukrainian": "Українська мова є мовою України, її вивчають.",
    "Greek": "Η ελληνική αποτελεί τη μητρική γλώσσα περίπου 12 εκατομμυρίων.",
    "Hebrew": "השפה העברית היא שפה שמית ממשפחת השפות.",
    "Arabic": "اللغة العربية هي أكثر اللغات السامية تحدثا.",
    "Turkish": "İstanbul, Türkiye'nin en kalabalık şehri; ağaç, çiçek, öğüt.",
    "Thai": "ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอน",
    "French": "Où est né le garçon? Il était une fois à la forêt.",
    "German": "Die Straße über die Brücke führt zur schönen Höhle.",
    "Spanish": "El niño comió piña en la montaña; ¿qué más quería?",
    "Swedish": "Hunden är på ön och äter smörgåsar.",
    "Polish": "Zażółć gęślą jaźń, proszę państwa, to jest piękny dzień.",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Hungarian": "Árvíztűrő tükörfúrógép, köszönöm szépen.",
    "Lithuanian": "Lietuvių kalba yra graži ir sena, šalis žydi.",
    "signs of print": "“Don’t,” she said – and left…",
    "Chinese": "今天天气很好，我们去公园散步吧。明天也许会下雨。",
    "traditional Chinese": "今天天氣很好，我們去公園散步吧。明天也許會下雨。",
    "Japanese": "今日は天気がいいので、公園に散歩に行きましょう。",
    "Korean": "오늘은 날씨가 좋아서 공원에 산책하러 갑니다.",
}
ENCODINGS = {
    "Russian": ["cp1251", "koi8_r", "cp866", "mac_cyrillic", "iso8859_5"],
    "Bulgarian": ["cp1251", "iso8859_5"],
    "Ukrainian": ["cp1251", "koi8_u"],
    "Greek": ["cp1253", "iso8859_7"],
    "Hebrew": ["cp1255", "iso8859_8"],
    "Arabic": ["cp1256", "iso8859_6"],
    "Turkish": ["cp1254", "iso8859_9"],
    "Thai": ["cp874"],
    "French": ["cp1252", "latin_1", "iso8859_15", "mac_roman"],
    "German": ["cp1252", "latin_1", "mac_roman", "cp850"],
    "Spanish": ["cp1252", "latin_1", "mac_roman"],
    "Swedish": ["cp1252", "latin_1", "mac_roman"],
    "Polish": ["cp1250", "iso8859_2", "cp852"],
    "Czech": ["cp1250", "iso8859_2", "cp852"],
    "Hungarian": ["cp1250", "iso8859_2"],
    "Lithuanian": ["cp1257"],
    "signs of print": ["cp1252"],
    "Chinese": ["gbk", "gb18030"],
    "traditional Chinese": ["big5"],
    "Japanese": ["shift_jis", "euc_jp"],
    "Korean": ["euc_kr"],
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
CASES = [(name, encoding) for name, encodings in ENCODINGS.items() for encoding in (*encodings, *UNICODE)]


@pytest.mark.parametrize(("name", "encoding"), CASES)
def test_a_short_text_is_read_as_what_it_says(write: Write, name: str, encoding: str) -> None:
    text = f"prompt,completion\n{TEXTS[name]}\n"
    content = text.encode(encoding)

    found = detect(write("a.csv", content))

    assert content.decode(found).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", "你好,再见"), ("gbk", "问题,答案"), ("gbk", "北京是中国的首都"), ("gbk", "高血压"),
        ("big5", "問題,答案"), ("big5", "臺北"), ("shift_jis", "質問,回答"), ("euc_jp", "こんにちは"),
        ("euc_kr", "서울"),
        ("cp1251", "Привет"), ("cp1255", "שלום"), ("cp1256", "نعم"), ("cp1254", "şehir"), ("cp1250", "część"),
        ("cp1252", "ja, schön"), ("cp1252", "Über,naïve"), ("cp1252", "Capitale du Brésil?,Brasília\nCafé,où"),
        ("cp1252", "ça va"), ("cp1252", "20°C,Perché è così"), ("cp1252", "não\nsão,então"),
        ("cp1252", "20° today,ok"), ("cp1252", "it’s,don’t"), ("cp1250", "hlavní město,Praha"), ("gbk", "选A,对"),
    ],
)  # fmt: skip
def test_a_word_or_two_are_enough(write: Write, encoding: str, text: str) -> None:
    content = f"prompt,completion\n{text}\n".encode(encoding)

    assert content.decode(detect(write("a.csv", content))) == f"prompt,completion\n{text}\n"


def test_a_file_of_which_most_lines_are_utf8_is_utf8(write: Write) -> None:
    lines = ["größer".encode(), "größer".encode("cp1252"), "schöner".encode()]

    assert detect(write("a.txt", b"\n".join(lines))) == "utf-8"
    assert detect(write("a.txt", b"\n".join(lines[1:2] * 3))) == "cp1252"


def test_text_of_two_bytes_a_sign_is_left_to_others() -> None:
    for name in ("Chinese", "Japanese", "Korean"):
        for encoding in ENCODINGS[name]:
            assert likeliest(TEXTS[name].encode(encoding)) is None


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "", "a\0b", "hex"])
def test_an_encoding_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is no encoding; use for example utf-8"):
        checked_encoding(name)


def test_a_binary_file_is_no_text(write: Write) -> None:
    with pytest.raises(Unreadable, match="is a binary file, not text"):
        detect(write("a.bin", bytes(range(256)) * 8))
