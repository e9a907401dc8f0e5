"""Preferences as the trainers of other programs read them: DPO, KTO, reward models, rankings.

A preference has one of three forms: a pair (chosen, rejected, perhaps a margin), a thumb (one answer, good or bad),
or a score (one answer and a number).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from storage.prompts import content_sha256
from studio.curation.export_chats import Content, Dropped, Made, flat_answer, flat_prompt, native, openai
from studio.curation.messages import Message


class Stored(NamedTuple):
    """An example on its way out. `revision`: None where it comes from votes."""

    content: dict[str, Any]
    tags: Sequence[str] = ()
    status: str = "draft"
    split: str = "train"
    revision: int | None = None


def as_preference(content: Content) -> list[Made]:
    """Our own form of all three."""
    if "chosen" in content:
        return [native(content, "prompt", "chosen", "rejected")]
    if "completion" in content:
        said = {key: content[key] for key in ("label", "score") if key in content}
        return [native(content, "prompt", "completion") | said]
    raise Dropped("not a preference")


def as_dpo(content: Content) -> list[Made]:
    """TRL's preference rows: prompt, chosen and rejected as messages."""
    return [native(_pair(content), "prompt", "chosen", "rejected")]


def as_kto(content: Content) -> list[Made]:
    """TRL's unpaired rows: prompt, completion, label. A pair becomes two: its chosen answer good, its rejected bad."""
    if "label" in content:
        return [native(content, "prompt", "completion") | {"label": content["label"]}]
    pair = _pair(content)
    kept = {key: pair[key] for key in ("tools", "metadata") if key in pair}
    return [
        native({"prompt": pair["prompt"], "completion": pair[side], **kept}, "prompt", "completion") | {"label": label}
        for side, label in (("chosen", True), ("rejected", False))
    ]


def as_scored(content: Content) -> list[Made]:
    """One answer and its score."""
    if "score" not in content:
        raise Dropped("no score")
    return [native(content, "prompt", "completion") | {"score": content["score"]}]


def as_flat_dpo(content: Content) -> list[Made]:
    """A pair as texts, for a table."""
    pair = _pair(content)
    record = flat_prompt(pair) | {side: flat_answer(pair[side]) for side in ("chosen", "rejected")}
    return [record | ({"margin": pair["margin"]} if "margin" in pair else {})]


def as_flat_kto(content: Content) -> list[Made]:
    """Thumbs as texts, for a table."""
    return [
        flat_prompt(record) | {"completion": flat_answer(record["completion"]), "label": record["label"]}
        for record in as_kto(content)
    ]


def as_flat_scored(content: Content) -> list[Made]:
    """A scored answer as texts, for a table."""
    (record,) = as_scored(content)
    return [flat_prompt(record) | {"completion": flat_answer(record["completion"]), "score": record["score"]}]


def as_ranking(content: Content) -> list[Made]:
    """A prompt with its answers, best first; equal ranks are ties. A margin becomes the difference of two scores."""
    if "answers" in content:
        answers = [_ranked(answer) for answer in content["answers"]]
        return [native(content, "prompt") | {"answers": answers}]
    pair = _pair(content)
    sides = [{"messages": [openai(item) for item in pair[side]]} for side in ("chosen", "rejected")]
    if pair.get("margin", 1) <= 0:
        raise Dropped("a margin that puts no answer first")
    order = [{"score": pair["margin"]}, {"score": 0}] if "margin" in pair else [{"rank": 1}, {"rank": 2}]
    kept = {key: pair[key] for key in ("tools", "metadata") if key in pair}
    return [native({"prompt": pair["prompt"], **kept}, "prompt") | {"answers": _joined(sides, order)}]


def _ranked(answer: Mapping[str, Any]) -> Made:
    return {**answer, "messages": [openai(item) for item in answer["messages"]]}


def _joined(sides: Sequence[Made], order: Sequence[Made]) -> list[Made]:
    return [side | said for side, said in zip(sides, order, strict=True)]


def _pair(content: Content) -> Content:
    """The content, if it is a pair; raises Dropped for anything else."""
    if "chosen" not in content:
        raise Dropped("no pair of answers")
    return content


def whole_rankings(stored: Iterable[Stored]) -> Iterator[Stored]:
    """Neighbours that are all the pairs of one ranking put together to it again; everything else as it is."""
    for _, group in groupby(stored, key=_prompt_of):
        rows = list(group)
        ranking = _ranking_of(rows) if len(rows) > 1 else None
        yield from [ranking] if ranking else rows


def _prompt_of(item: Stored) -> str:
    """What neighbours must share: all but the answers."""
    content = item.content
    if "chosen" not in content or "margin" in content:
        return str(id(item))
    return content_sha256([content["prompt"], content.get("tools"), content.get("metadata"), list(item.tags)])


def _ranking_of(rows: Sequence[Stored]) -> Stored | None:
    """The ranking whose pairs these rows are, in the order in which an import makes them; None where there is none."""
    answers: dict[str, list[Message]] = {}
    better: set[tuple[str, str]] = set()
    for row in rows:
        keys = [content_sha256(row.content[side]) for side in ("chosen", "rejected")]
        answers.update(zip(keys, (row.content["chosen"], row.content["rejected"]), strict=True))
        better.add((keys[0], keys[1]))
    beaten_by = {key: sum(worse == key for _, worse in better) for key in answers}
    expected = {(one, two) for one in answers for two in answers if beaten_by[one] < beaten_by[two]}
    if expected != better or len(better) != len(rows):
        return None
    ranks = sorted(set(beaten_by.values()))
    order = sorted(answers, key=lambda key: beaten_by[key])
    ranked = [{"messages": answers[key], "rank": ranks.index(beaten_by[key]) + 1} for key in order]
    first = rows[0]
    content: dict[str, Any] = {
        key: first.content[key] for key in ("prompt", "tools", "metadata") if key in first.content
    }
    return first._replace(content={**content, "answers": ranked})
