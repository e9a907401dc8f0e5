"""What the sequences of a run add up to: tokens, what is learnt, what is cut, what is there twice, and what is wrong.

Pure functions over `trainers.inspection.Piece`; the tokenizer is asked only for texts and special tokens.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trainers.inspection import Inspected, Piece

NOTHING_SHARE = 0.2
"""Share of rows without a token to learn above which a run is refused: then most of it is not what it seems."""

TWICE_SHARE = 0.1
_EXAMPLES, _EXAMPLE_TOKENS = 5, 400
_END_WORDS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|eot|>", "<|END_OF_TURN_TOKEN|>")
_CONTEXT = 4  # tokens


class Counts(NamedTuple):
    """Counts of a run. `deaf`: ids of rows that train on nothing; `longest`: tokens of the longest piece, uncut."""

    rows: int
    tokens: int
    trained: int
    truncated: int
    identical: int
    duplicates: int
    deaf: list[str]
    longest: int


class Check(NamedTuple):
    """One thing that was looked at, in a sentence."""

    name: str
    ok: bool
    sentence: str


def count(inspected: Inspected, max_length: int) -> Counts:
    """Add up what is left of the sequences behind the cut at `max_length`."""
    pieces = inspected.pieces
    learnt: Counter[str] = Counter()
    for piece in pieces:
        learnt[piece.row] += sum(piece.trained[:max_length])
    same = Counter((piece.side, tuple(piece.ids)) for piece in pieces if piece.side != "rejected")
    return Counts(
        rows=len(learnt),
        tokens=sum(min(len(piece.ids), max_length) for piece in pieces),
        trained=sum(learnt.values()),
        truncated=len({piece.row for piece in pieces if len(piece.ids) > max_length}),
        identical=inspected.identical,
        duplicates=sum(number - 1 for number in same.values()),
        deaf=_deaf(inspected, learnt, max_length),
        longest=max((len(piece.ids) for piece in pieces), default=0),
    )


def _deaf(inspected: Inspected, learnt: Mapping[str, int], max_length: int) -> list[str]:
    """Rows that train on nothing: no token is learnt, or no answer fits behind the prompt."""
    if not inspected.made:
        return [row for row, number in learnt.items() if not number]
    return [piece.row for piece in inspected.pieces if len(piece.ids) + inspected.made > max_length]


def overlap(learnt: Inspected, measured: Inspected) -> int:
    """How many rows to measure on are learnt from as well, word for word."""
    known = {tuple(piece.ids) for piece in learnt.pieces}
    return len({piece.row for piece in measured.pieces if tuple(piece.ids) in known})


def refusals(counts: Counts, max_length: int) -> list[str]:
    """What forbids a run with these rows, with row or option and the way out."""
    if not counts.rows:
        return ["There is no row to train on; choose another dataset."]
    said = []
    if len(counts.deaf) > NOTHING_SHARE * counts.rows:
        way = (
            f"raise max_length (now {max_length}; the longest row has {counts.longest} tokens)"
            if counts.truncated
            else "write answers into them or leave them out"
        )
        said.append(
            f'{len(counts.deaf)} of {counts.rows} rows hold nothing to learn (the first is "{counts.deaf[0]}"); {way}.'
        )
    if counts.identical == counts.rows:
        said.append(
            f"All {counts.rows} pairs are the same on both sides once they are cut at max_length {max_length}; "
            "raise max_length, or choose pairs whose answers differ."
        )
    return said


def warnings(counts: Counts, max_length: int, overlapping: int) -> list[str]:
    """What may spoil a run without forbidding it."""
    few = 0 < len(counts.deaf) <= NOTHING_SHARE * counts.rows
    cut = f"{counts.truncated} of {counts.rows} rows are longer than max_length ({max_length}) and are cut"
    same = f"{counts.identical} of {counts.rows} pairs are the same on both sides once they are cut"
    said = [
        (few, f'{_rows(len(counts.deaf))} nothing to learn and will be left out (the first is "{_first(counts)}").'),
        (counts.truncated, f"{cut}; the longest has {counts.longest} tokens."),
        (0 < counts.identical < counts.rows, f"{same}: they teach nothing and are left out."),
        (
            counts.duplicates > TWICE_SHARE * counts.rows,
            f"{counts.duplicates} of {counts.rows} rows are there more than once: what they say weighs more.",
        ),
        (overlapping, f"{overlapping} of the rows to measure on are learnt from as well: the measure will flatter."),
    ]
    return [sentence for happened, sentence in said if happened]


def _first(counts: Counts) -> str:
    return counts.deaf[0] if counts.deaf else ""


def _rows(number: int) -> str:
    return "1 row holds" if number == 1 else f"{number} rows hold"


def checks(
    tokenizer: Any, pieces: Sequence[Piece], max_length: int, vocabulary: float, answers: bool = True
) -> list[Check]:
    """Whether template, tokenizer and model fit each other, seen in the sequences themselves.

    `vocabulary`: rows of the model's embedding. `answers`: whether the rows teach answers, which must come to an end.
    """
    ends = _ends(tokenizer)
    whole = [piece for piece in pieces if len(piece.ids) <= max_length and any(piece.trained)]
    stops = sum(
        any(token in ends for token, learnt in zip(piece.ids, piece.trained, strict=True) if learnt) for piece in whole
    )
    start = tokenizer.bos_token_id
    twice = sum(start is not None and piece.ids[:2] == [start, start] for piece in pieces)
    unknown = tokenizer.unk_token_id
    strange = sum(unknown is not None and unknown in piece.ids for piece in pieces)
    outside = sum(max(piece.ids, default=0) >= vocabulary for piece in pieces)
    found = [
        _check("end", stops > 0 or not whole, "Answers end with a token that says so.",
               "No answer ends with an end token that is learnt, so the model will not learn to stop; "
               "choose a chat template that writes one."),
        _check("start", not twice, "Every row begins with one start token at most.",
               f"{twice} sequences begin with two start tokens; the chat template and the tokenizer both write one."),
        _check("unknown", not strange, "The tokenizer knows every sign.",
               f"{strange} sequences hold signs that the tokenizer does not know; all of them are learnt as one."),
        _check("vocabulary", not outside, "The model knows every token.",
               f"{outside} sequences hold tokens that the model has no weights for; the tokenizer is another model's."),
    ]  # fmt: skip
    return found if answers else [check for check in found if check.name != "end"]


def _check(name: str, ok: bool, good: str, bad: str) -> Check:
    return Check(name, bool(ok), good if ok else bad)


def _ends(tokenizer: Any) -> set[int]:
    """Ids that end an answer: the end token, and special tokens whose names say that a turn ends."""
    words = (
        "<|im_end|>",
        "<|eot_id|>",
        "<end_of_turn>",
        "<|end|>",
        "<|endoftext|>",
        "<|eot|>",
        "<|END_OF_TURN_TOKEN|>",
    )
    known = dict(tokenizer.get_added_vocab())
    return {known[word] for word in words if word in known} | {tokenizer.eos_token_id}


def in_texts(tokenizer: Any, rows: Sequence[Mapping[str, Any]]) -> Check:
    """Special tokens written out in the texts, which a tokenizer takes for the real ones."""
    special = [token for token in tokenizer.all_special_tokens if len(token) > 3]
    found = [
        str(row.get("id"))
        for row in rows
        if any(token in value for name, value in row.items() if name != "id" and isinstance(value, str)
               for token in special)
    ]  # fmt: skip
    return _check(
        "special-tokens",
        not found,
        "No text holds a special token.",
        f"{len(found)} rows hold a special token such as {', '.join(special[:2])} in their text (the first is "
        f'"{found[0] if found else ""}"): the model will read it as a turn that is none; take it out.',
    )


def examples(tokenizer: Any, pieces: Sequence[Piece], max_length: int) -> list[dict[str, Any]]:
    """Five rows spread over all, token by token, and whether each is learnt."""
    step = max(1, len(pieces) // _EXAMPLES)
    chosen = list(pieces[::step])[:_EXAMPLES]
    cut = min(max_length, _EXAMPLE_TOKENS)
    return [
        {"id": f"{piece.row} ({piece.side})" if piece.side else piece.row, "tokens": _coloured(tokenizer, piece, cut)}
        for piece in chosen
    ]


def _coloured(tokenizer: Any, piece: Piece, cut: int) -> list[dict[str, Any]]:
    """Tokens as text; those that make one sign together are shown as one."""
    found: list[dict[str, Any]] = []
    held: list[int] = []
    for at, trained in enumerate(piece.trained[:cut]):
        held.append(piece.ids[at])
        # Many tokenizers drop a space before the first token of a text, so each is read behind those before it.
        before = piece.ids[max(0, at + 1 - len(held) - _CONTEXT) : at + 1 - len(held)]
        text = tokenizer.decode(before + held)[len(tokenizer.decode(before)) :]
        if text.endswith("\ufffd") and len(held) < 4:
            continue
        found.append({"text": text, "trained": bool(trained)})
        held = []
    return found
