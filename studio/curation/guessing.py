"""Proposes what the columns of a file hold where no shape fits: by their names, in many languages, then by their cells.

A proposal is never used by itself. It fills the form in which a person says what the columns hold, with the rows
beside it as they would come out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studio.curation.messages import speaker_key

# Words that column names are made of, by the role they tell.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "chosen": ("chosen", "preferred", "better", "winner", "accepted", "good"),
    "rejected": ("rejected", "worse", "loser", "dispreferred", "bad"),
    "system": ("system", "persona", "systemprompt"),
    "answer": (
        "answer", "answers", "response", "responses", "completion", "output", "reply", "solution", "assistant",
        "target", "bot", "agent", "antwort", "lösung", "ausgabe", "respuesta", "réponse", "reponse",
        "risposta", "resposta", "antwoord", "svar", "vastaus", "odpowiedź", "odpowiedz", "odpověď", "válasz",
        "răspuns", "cevap", "yanıt", "yanit", "ответ", "відповідь", "απάντηση", "תשובה", "جواب", "الجواب",
        "إجابة", "پاسخ", "उत्तर", "答案", "回答", "回复", "答え", "回答文", "답변", "대답", "คำตอบ", "jawaban", "jibu",
    ),
    "prompt": (
        "prompt", "question", "questions", "instruction", "query", "request", "ask", "user", "human", "task",
        "problem", "customer", "utterance", "frage", "aufgabe", "anweisung", "pregunta", "instrucción",
        "demande", "domanda", "pergunta", "vraag", "fråga", "spørgsmål", "spørsmål", "kysymys", "pytanie",
        "otázka", "kérdés", "întrebare", "soru", "вопрос", "питання", "ερώτηση", "שאלה", "سؤال", "السؤال",
        "پرسش", "प्रश्न", "问题", "提问", "問題", "質問", "질문", "คำถาม", "pertanyaan", "swali",
    ),
    "context": ("context", "passage", "background", "kontext", "contexto", "contexte", "контекст", "上下文", "背景"),
    "text": (
        "text", "content", "body", "document", "article", "story", "review", "comment", "sentence",
        "paragraph", "inhalt", "beschreibung", "description", "descripción", "texto", "texte", "testo",
        "tekst", "contenido", "текст", "описание", "κείμενο", "טקסט", "نص", "文本", "内容", "正文", "本文", "텍스트",
        "본문",
    ),
}  # fmt: skip
_BOUNDARY = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")
_NUMBERISH = re.compile(r"[\d\s.,:;/%+\-TZ€$£]*")
# A column of texts has cells of so many words in the middle; less is a name, a date or a category.
_WORDS_OF_TEXT = 4


class Guess(NamedTuple):
    """Roles by column, and how sure that is: 0.9 by two names, 0.6 by one, 0.4 by the cells alone, 0 where unknown."""

    mapping: dict[str, str]
    confidence: float

    def told(self) -> dict[str, Any]:
        """For the look at a file."""
        return {"proposed": self.mapping, "confidence": self.confidence}


def guess(columns: Sequence[str], rows: Sequence[Any]) -> Guess:
    """What the columns of a file probably hold, judged by its first rows."""
    records = [row for row in rows if isinstance(row, Mapping)]
    for name in columns:
        if any(_is_talk(row.get(name)) for row in records[:5]):
            return Guess({name: "messages"}, 0.9)
    return _by_name(columns, records) or _by_cells(columns, records)


def _is_talk(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and speaker_key(value[0]) is not None


def _by_name(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> Guess | None:
    """Roles by the words in the names, each role once, the first column that tells it."""
    found: dict[str, str] = {}
    for name in columns:
        role = _role_of(name)
        if role and role not in found.values() and any(_words(row.get(name)) for row in records):
            found[name] = role
    roles = set(found.values())
    wanted: tuple[str, ...]
    if {"prompt", "chosen", "rejected"} <= roles:
        wanted, sure = ("prompt", "chosen", "rejected", "system", "context"), 0.9
    elif {"prompt", "answer"} <= roles:
        wanted, sure = ("prompt", "answer", "system", "context"), 0.9
    elif "prompt" in roles and (other := _longest(columns, records, found)):
        return Guess({**_only(found, ("prompt", "system", "context")), other: "answer"}, 0.6)
    elif "text" in roles:
        wanted, sure = ("text",), 0.6
    else:
        return None
    return Guess(_only(found, wanted), sure)


def _only(found: Mapping[str, str], wanted: Sequence[str]) -> dict[str, str]:
    return {name: role for name, role in found.items() if role in wanted}


def _role_of(name: str) -> str | None:
    """The role that a column's name tells."""
    words = {word.lower() for word in _BOUNDARY.split(name) if word} | {name.strip().lower()}
    return next((role for role, known in _WORDS.items() if words & set(known)), None)


def _by_cells(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> Guess:
    """Two columns of texts are a question and its answer, one alone is text."""
    texts = [name for name in columns if _typical(name, records) >= _WORDS_OF_TEXT]
    if len(texts) == 1:
        return Guess({texts[0]: "text"}, 0.4)
    if len(texts) != 2:
        return Guess({}, 0.0)
    asks = [sum("?" in str(row.get(name, "")) or "？" in str(row.get(name, "")) for row in records) for name in texts]
    first, second = texts if asks[0] >= asks[1] else reversed(texts)
    return Guess({first: "prompt", second: "answer"}, 0.4)


def _longest(columns: Sequence[str], records: Sequence[Mapping[str, Any]], taken: Mapping[str, str]) -> str | None:
    """The column of the longest texts among those that have no role."""
    sizes = {name: _typical(name, records) for name in columns if name not in taken}
    best = max(sizes, key=lambda name: sizes[name], default=None)
    return best if best is not None and sizes[best] >= _WORDS_OF_TEXT else None


def _typical(name: str, records: Sequence[Mapping[str, Any]]) -> int:
    """How many words a column's cells have in the middle of their order."""
    counts = sorted(_words(row.get(name)) for row in records)
    return counts[len(counts) // 2] if counts else 0


def _words(value: Any) -> int:
    """Words of a cell; in scripts without spaces a word is taken to have two signs. Numbers and dates have none."""
    if not isinstance(value, str) or _NUMBERISH.fullmatch(value):
        return 0
    wide = sum(1 for sign in value[:1000] if sign > "\u2e80")
    return len(value.split()) + wide // 2
