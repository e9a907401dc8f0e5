"""From answers to a dataset: the rows that are asked, and what becomes of them when all are answered.

One model makes conversations (kind sft): what it was told, and its answer. Several make prompts with several answers,
which `ratchet compare --answers` lays side by side. Where a row came from and what produced each answer stand in its
metadata. The new dataset appears whole, by one commit.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from storage import answerings
from storage.answerings import Answering, BulkAnswer
from storage.clock import now
from storage.contents import prepared, words_of
from storage.datasets import begin_dataset, find_dataset, get_dataset
from storage.errors import BadInput
from storage.models import get_model
from storage.prompts import Messages, content_sha256
from storage.rows import Version
from storage.search import spaced
from storage.store import Store
from storage.versions import contents
from studio.curation.import_writer import ImportWriter, Row, unhurried
from studio.feedback.comparing import prompt_in
from studio.feedback.contestants import question
from studio.feedback.study_settings import Contestant

_CHUNK = 200

Given = Mapping[tuple[str, str], BulkAnswer]


class Asked(NamedTuple):
    """A row that asks something."""

    example_id: str
    prompt: Messages
    sha256: str


def asked_rows(store: Store, version: Version, count: int | None) -> Iterator[Asked]:
    """The rows of a version that ask something, in order; `count`: at most so many."""
    return islice(_asked(store, version), count)


def _asked(store: Store, version: Version) -> Iterator[Asked]:
    for row in contents(store, version):
        prompt = prompt_in(json.loads(row["content"]))
        if prompt:
            yield Asked(row["example_id"], prompt, content_sha256(prompt))


def make_dataset(store: Store, answering: Answering, rows: Callable[[], Iterator[Asked]]) -> dict[str, Any]:
    """Make the dataset of an answering that has all its answers; what became of it, as its `result`.

    Where the name was taken meanwhile it gets a number behind it. Raises BadInput where no row has an answer.
    """
    made = begin_dataset(store, "sft" if len(answering.model_ids) == 1 else "prompts")
    left_out: Counter[str] = Counter()
    written = duplicates = 0
    with unhurried(store), ImportWriter(store, made, answering.created_by or "me", f"answers: {answering.id}") as out:
        for some in _chunks(rows()):
            given = answerings.given(store, answering.id, [one.example_id for one in some])
            fresh = [row for one in some if (row := _row(store, answering, one, given, left_out)) is not None]
            new = [row for row, is_new in zip(fresh, out.are_new(fresh), strict=True) if is_new]
            duplicates += len(fresh) - len(new)
            written += len(new)
            out.write(new)
        if not written:
            raise BadInput(f"No row was answered: {'; '.join(left_out) or 'there were none'}.")
        result = {"rows": written, "duplicates": duplicates, "left_out": dict(left_out)}
        # Before the dataset appears: whoever is killed between the two finds it by that (`made_already`).
        name = _free(store, answering.target)
        answering = answerings.change(store, answering.id, target=name, made_id=made.id, result=result)
        source = get_dataset(store, answering.dataset_id)
        label = f"answered {written:,} rows of {source.name}"
        out.publish(name, {"label": label, "rows": written, "answering": answering.id})
    return _done(store, answering, made.id, result)


def _free(store: Store, name: str) -> str:
    """The name, or the name with the first free number behind it."""
    number, wish = 1, name
    while find_dataset(store, wish):
        number += 1
        wish = f"{name[:58]}-{number}"
    return wish


def made_already(store: Store, answering: Answering) -> dict[str, Any] | None:
    """What became of an answering whose dataset has appeared, and whose process was killed before it could say so."""
    made = find_dataset(store, answering.made_id) if answering.made_id else None
    if made is None or made.name == f".{made.id}":
        return None
    return _done(store, answering, made.id, answering.result or {})


def _done(store: Store, answering: Answering, made_id: str, result: dict[str, Any]) -> dict[str, Any]:
    answerings.change(store, answering.id, state="done", error=None, finished_at=now())
    return {"answering": answering.id, "dataset": answering.target, "made": made_id, **result}


def _chunks(rows: Iterator[Asked]) -> Iterator[list[Asked]]:
    while some := list(islice(rows, _CHUNK)):
        yield some


def _row(store: Store, answering: Answering, asked: Asked, given: Given, left_out: Counter[str]) -> Row | None:
    """What becomes of one row; None, with the reason counted, where answers are missing."""
    answers = [given.get((asked.example_id, model_id)) for model_id in answering.model_ids]
    good = [one for one in answers if one is not None and one.text is not None]
    if len(good) < min(2, len(answers)):
        left_out[next((one.error for one in answers if one and one.error), "no answer")[:200]] += 1
        return None
    content = _content(store, answering, asked, good)
    return Row(prepared(content), spaced(words_of(content)))


def _content(store: Store, answering: Answering, asked: Asked, good: Sequence[BulkAnswer]) -> dict[str, Any]:
    names = [get_model(store, one.model_id).name for one in good]
    said = question(Contestant("", "", answering.system, None), asked.prompt)
    turns = [[{"role": "assistant", "content": one.text or ""}] for one in good]
    about: dict[str, Any] = {"answering": answering.id, "source": asked.example_id}
    if len(answering.model_ids) == 1:
        about |= {"model": names[0], "stamp": good[0].stamp}
        return {"messages": [*said, *turns[0]], "metadata": about}
    stamps = {name: one.stamp for name, one in zip(names, good, strict=True)}
    answers = [{"messages": turn, "model": name} for name, turn in zip(names, turns, strict=True)]
    return {"prompt": said, "answers": answers, "metadata": {**about, "stamps": stamps}}
