"""Keeping an answer: the conversation up to it becomes an example to train on, with one key.

The example says from which comparison it comes and names no model: whoever keeps an answer may not have judged yet.
Prompts that are kept for measuring must not train: answers to them are kept as rejected examples, as mended ones are.
"""

from typing import NamedTuple

from storage import changes, examples, saved, search
from storage.contents import prepared
from storage.datasets import ensure_dataset
from storage.errors import BadInput, NotFound, NotReady
from storage.rows import LIVE, Example
from storage.saved import KEPT
from storage.store import Store
from studio.feedback.conversations import conversation, source_of
from studio.feedback.fixing import MEASURES
from studio.feedback.showing import Shown
from studio.people.roles import Action, Actor, require


class Kept(NamedTuple):
    """Where an answer stands now; `new` is False where it had been kept before. `note`: why it does not train."""

    dataset: str
    example: Example
    new: bool
    note: str | None


def keep(store: Store, actor: Actor, study: str, shown: Shown, side: int, dataset: str) -> Kept:
    """Keep the answer on a side (from left to right) as an example of a dataset, made where it is absent.

    The same answer in the same dataset is kept once. Raises Forbidden, BadInput, NotReady, Conflict for a dataset of
    another kind.
    """
    require(actor, Action.EDIT_DATA)
    if not 0 <= side < len(shown.answers):
        raise BadInput(f"There is no answer {side} to keep; they are counted 0 to {len(shown.answers) - 1}.")
    answer = shown.answers[side]
    if not answer.text or answer.sha256 is None:
        raise NotReady("This answer is not complete yet; keep it when it is.")
    target = ensure_dataset(store, dataset, "sft")
    comparison_id = shown.whole.comparison.id
    note = MEASURES if shown.whole.comparison.split == "measure" else None
    content = {"messages": conversation(shown.whole, answer), "metadata": source_of(study, shown.whole)}
    with store.write():
        before = saved.find(store, comparison_id, answer.position, target.id, KEPT)
        if before and (found := _live(store, before.example_id)):
            return Kept(target.name, found, False, note)
        row = prepared(content, status="rejected" if note else "draft")
        example_id = changes.add_within(store, target, row, actor.name, what="kept an answer", reason=note)
        saved.add(
            store, KEPT, shown.whole.comparison.study_id, comparison_id, answer.position, answer.sha256, target.id,
            example_id, actor.name,
        )  # fmt: skip
    search.catch_up(store)
    return Kept(target.name, examples.get_example(store, example_id), True, note)


def _live(store: Store, example_id: str) -> Example | None:
    """The example where it stands still; None where it was deleted or undone."""
    try:
        found = examples.get_example(store, example_id)
    except NotFound:
        return None
    return found if found.status in LIVE else None
