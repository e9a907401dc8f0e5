"""Fix it: an answer that somebody mended with their vote becomes an example to train on, and goes with the vote.

After such a vote the examples of the study are brought in line with the votes that count: what is missing is written,
what belongs to a withdrawn or excluded vote, or to a known answer, goes to the trash. The web commits vote and example
together; elsewhere a crash between both is made good by the vote being sent again, or by the next mended answer.

Prompts that are kept for measuring must not train: mended answers to them are kept as rejected examples.
"""

from storage import changes, examples, gold, saved, search
from storage.changes import Change
from storage.comparisons import get_comparison
from storage.contents import prepared
from storage.datasets import create_dataset, find_dataset
from storage.errors import NotFound
from storage.prompts import text_sha256
from storage.rows import Dataset, Study, Vote
from storage.saved import FIXED, Saved
from storage.store import Store
from studio.feedback.conversations import conversation, source_of
from studio.feedback.kept_votes import kept

TAG = "fix"
MEASURES = "The prompt is kept for measuring, so it does not train."

_LONGEST_NAME = 64


def bring_in_line(store: Store, study: Study) -> None:
    """Have the dataset of mended answers hold those of the votes that count, and no others."""
    known = gold.standing(store, study.id)
    counting = kept(store, study.id, saved.mended(store, study.id)).votes
    wanted = {vote.id: vote for vote in counting if vote.comparison_id not in known}
    for one in saved.standing(store, study.id, FIXED):
        if one.vote_id not in wanted and not _handed_over(store, one, wanted):
            _trash(store, one)
    standing = {one.vote_id for one in saved.standing(store, study.id, FIXED)}
    missing = [vote for vote in wanted.values() if vote.id not in standing]
    if missing:
        _write(store, study, missing)


def fixes_name(study: Study) -> str:
    """The name of the dataset of mended answers."""
    return f"{study.name[: _LONGEST_NAME - len('-fixes-99')]}-fixes"


def _handed_over(store: Store, one: Saved, wanted: dict[str, Vote]) -> bool:
    """Whether the same person's newer vote says the same about the same answer; then it owns the example."""
    for vote in wanted.values():
        same = (vote.comparison_id, vote.edited_position, vote.annotator) == (
            one.comparison_id,
            one.position,
            one.author,
        )
        if same and text_sha256(vote.edited or "") == one.text_sha256:
            saved.hand_over(store, one, vote.id)
            return True
    return False


def _trash(store: Store, one: Saved) -> None:
    """Put an example into the trash, from where it can be restored; one that is gone already stays gone."""
    try:
        example = examples.get_example(store, one.example_id)
        changes.edit(
            store, example, Change(status="deleted"), kind="delete", author=one.author,
            label=f"deleted example {example.number}: its vote does not count any more",
        )  # fmt: skip
    except NotFound:
        pass  # undone or erased by hand meanwhile
    saved.trashed(store, one)


def _write(store: Store, study: Study, votes: list[Vote]) -> None:
    """Write the examples that are missing; two that do so at once write each of them once."""
    with store.write():
        dataset = _dataset(store, study)
        standing = {one.vote_id for one in saved.standing(store, study.id, FIXED)}
        for vote in votes:
            if vote.id not in standing:
                _write_one(store, study, dataset, vote)
    if not store.writing:  # the index has a lock of its own, for which no transaction waits
        search.catch_up(store)


def _write_one(store: Store, study: Study, dataset: Dataset, vote: Vote) -> None:
    whole = get_comparison(store, vote.comparison_id)
    assert vote.edited is not None and vote.edited_position is not None, "only mended votes are written"
    answer = whole.answers[vote.edited_position]
    content = {
        "messages": conversation(whole, answer, vote.edited),
        "metadata": source_of(study.name, whole, vote=vote.id),
    }
    measures = whole.comparison.split == "measure"
    example_id = changes.add_within(
        store, dataset, prepared(content, (TAG,), "rejected" if measures else "draft"), vote.annotator,
        what="kept a mended answer", reason=MEASURES if measures else None,
    )  # fmt: skip
    saved.add(
        store, FIXED, study.id, whole.comparison.id, answer.position, text_sha256(vote.edited), dataset.id,
        example_id, vote.annotator, vote.id,
    )  # fmt: skip


def _dataset(store: Store, study: Study) -> Dataset:
    """The dataset of mended answers, made where it is absent; another name where that one holds something else."""
    name, number = fixes_name(study), 2
    wish = name
    while (found := find_dataset(store, wish)) and found.kind != "sft":
        wish, number = f"{name}-{number}", number + 1
    return found or create_dataset(store, wish, "sft", f'Answers that were mended while judging "{study.name}".')
