"""Tokens into text: no broken characters, no lost spaces, whatever the tokenizer."""

from pathlib import Path
from typing import Any

import pytest

from tests.trainers.engine import tiny

pytestmark = pytest.mark.torch

TEXTS = [
    "What is the capital of France?",
    "Größe, naïve, 東京 and 😀 are words; 👩‍👩‍👧 is a family.",
    "  two spaces,\n\n a blank line\tand a tab ",
    "😀😀😀",
    "مرحبا بالعالم",
    "the sign \ufffd itself is kept",
]


def byte_level(folder: Path) -> Any:
    return tiny.save_tokenizer(folder)


def sentencepiece_like(folder: Path) -> Any:
    """As Llama 2: a space is part of the word that follows, unknown characters are bytes, decoding strips one."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    raw.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    raw.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    corpus = ["What is the capital of France?", "two spaces, a blank line and words the sign itself is kept"] * 8
    raw.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=400, special_tokens=special, show_progress=False))
    for byte in special[1:]:  # bytes are ordinary tokens; only the trainer must be told of them
        raw.add_tokens([byte])
    return PreTrainedTokenizerFast(tokenizer_object=_without_special(raw, special[1:]), unk_token="<unk>")


def _without_special(raw: Any, names: list[str]) -> Any:
    """The same tokenizer with these tokens as plain parts of the vocabulary."""
    import json

    from tokenizers import Tokenizer

    said = json.loads(raw.to_str())
    said["added_tokens"] = [token for token in said["added_tokens"] if token["content"] not in names]
    return Tokenizer.from_str(json.dumps(said))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("make", [byte_level, sentencepiece_like])
def test_the_pieces_are_the_text_and_none_holds_half_a_character(make: Any, text: str, tmp_path: Path) -> None:
    from trainers.engine.text import Detokeniser

    tokenizer = make(tmp_path)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    detokeniser = Detokeniser(tokenizer)

    pieces = [detokeniser.push(token) for token in ids]
    pieces.append(detokeniser.flush())

    assert "".join(pieces) == tokenizer.decode(ids, clean_up_tokenization_spaces=False)
    if "\ufffd" not in text:
        assert not any("\ufffd" in piece for piece in pieces)
        assert "".join(pieces) == text


CUT = "👩🏽‍🚀 says 你好，世界 𠮷野家 🇫🇷 e\u0301 नमस्ते ok"


@pytest.mark.parametrize("make", [byte_level, sentencepiece_like])
def test_wherever_an_answer_is_cut_what_was_said_is_whole_characters_of_the_text(make: Any, tmp_path: Path) -> None:
    """Emoji of several code points, signs of four bytes and marks: each token sequence is cut after every token."""
    from trainers.engine.text import Detokeniser

    tokenizer = make(tmp_path)
    ids = tokenizer(CUT, add_special_tokens=False)["input_ids"]
    said = []
    for end in range(len(ids) + 1):
        detokeniser = Detokeniser(tokenizer)
        pieces = [detokeniser.push(token) for token in ids[:end]]
        said.append("".join([*pieces, detokeniser.flush()]))

    assert len(ids) > len(CUT)  # most of its characters are cut into several tokens
    assert [text for text in said if not CUT.startswith(text)] == []
    assert sorted(said, key=len) == said
    assert (said[0], said[-1]) == ("", CUT)


@pytest.mark.parametrize("make", [byte_level, sentencepiece_like])
def test_a_character_is_given_out_with_the_token_that_completes_it(make: Any, tmp_path: Path) -> None:
    from trainers.engine.text import Detokeniser

    tokenizer = make(tmp_path)
    detokeniser = Detokeniser(tokenizer)
    ids = tokenizer("a\U0001f9edb", add_special_tokens=False)["input_ids"]

    pieces = [detokeniser.push(token) for token in ids]

    assert [piece for piece in pieces if piece] == ["a", "\U0001f9ed", "b"]
    assert pieces[-1] == "b"


def test_an_answer_that_is_cut_inside_a_character_ends_before_it(tmp_path: Path) -> None:
    from trainers.engine.text import Detokeniser

    tokenizer = byte_level(tmp_path)
    ids = tokenizer("ok \U0001f9ed", add_special_tokens=False)["input_ids"]
    detokeniser = Detokeniser(tokenizer)

    pieces = [detokeniser.push(token) for token in ids[:-1]]
    pieces.append(detokeniser.flush())

    assert len(ids) > 3
    assert "".join(pieces) == "ok "


def test_text_comes_word_by_word_not_at_the_end(tmp_path: Path) -> None:
    from trainers.engine.text import Detokeniser

    tokenizer = byte_level(tmp_path)
    detokeniser = Detokeniser(tokenizer)

    pieces = [detokeniser.push(token) for token in tokenizer("one two three four")["input_ids"]]

    assert pieces == ["one", " two", " three", " four"]
