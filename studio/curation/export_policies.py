"""Which examples go into an export: named policies, to be combined, each with the reason for what it leaves out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from storage.errors import BadInput
from storage.findings import looked_at, with_errors
from storage.store import Store
from studio.curation.export_preferences import Stored

_CHUNK = 500


@dataclass(frozen=True)
class Policy:
    """A rule for what goes in. `of`: what it is about; of status, split and votes at most one policy each is named."""

    name: str
    help: str
    of: str
    votes: bool = False


_ALL = (
    Policy("not-rejected", "drafts and approved examples, as training takes them (the default)", "status"),
    Policy("approved", "approved examples only", "status"),
    Policy("all", "everything that is not in the trash, rejected examples too", "status"),
    Policy("no-errors", "only examples that were checked and have no error", "findings"),
    Policy("train", "only prompts that may be trained on", "split"),
    Policy("measure", "only prompts that are kept for measuring", "split"),
    Policy("drop-ties", "without rankings in which two answers tie", "ties"),
    Policy("each", "every decisive vote makes a pair (the default for votes)", "votes", votes=True),
    Policy("majority", "a pair where more than half of all who voted prefer the same answer", "votes", votes=True),
    Policy("unanimous", "a pair where all who voted prefer the same answer", "votes", votes=True),
    Policy("weighted", "a pair for the answer that more people prefer, with its lead as weight", "votes", votes=True),
    Policy("both-bad-as-negatives", "answers that were both called bad become bad examples for KTO", "bad", votes=True),
)
POLICIES: Mapping[str, Policy] = {policy.name: policy for policy in _ALL}
DEFAULT = "not-rejected"
_ONE_EACH = ("status", "split", "votes")


class Judged(NamedTuple):
    """An example and why it stays out, or None."""

    item: Stored
    reason: str | None


def chosen(wanted: str | Iterable[str] | None, votes: bool = False) -> tuple[str, ...]:
    """The policies that a wish names, with commas between or as a list; raises BadInput for what cannot be.

    `votes`: whether the votes of a study are exported, and not a dataset.
    """
    words = wanted.split(",") if isinstance(wanted, str) else [*(wanted or ())]
    names = tuple(dict.fromkeys(part.strip() for word in words for part in word.split(",") if part.strip()))
    for name in names:
        if name not in POLICIES:
            raise BadInput(f'"{name}" is no policy; the policies are {", ".join(POLICIES)}.')
        if POLICIES[name].votes and not votes:
            raise BadInput(f'The policy "{name}" is for the votes of a study; name one with --study.')
        if votes and POLICIES[name].of in ("status", "split", "findings"):
            raise BadInput(
                f'The policy "{name}" is for datasets: votes have no status, and on measure prompts they never train.'
            )
    for subject in _ONE_EACH:
        rivals = [name for name in names if POLICIES[name].of == subject]
        if len(rivals) > 1:
            raise BadInput(f'The policies "{rivals[0]}" and "{rivals[1]}" exclude each other; name one of them.')
    return names


def sift(store: Store, stored: Iterable[Stored], names: Sequence[str]) -> Iterator[Judged]:
    """Each example with the reason of the first policy that leaves it out."""
    items = iter(stored)
    while chunk := list(islice(items, _CHUNK)):
        checked = _checked(store, chunk) if "no-errors" in names else None
        for item in chunk:
            yield Judged(item, _against(item, names, checked))


class _Checked(NamedTuple):
    """Revisions that were looked at, and those of them with an error."""

    seen: set[int]
    wrong: set[int]


def _checked(store: Store, chunk: Sequence[Stored]) -> _Checked:
    revisions = [item.revision for item in chunk if item.revision is not None]
    return _Checked(looked_at(store, revisions), with_errors(store, revisions))


def _against(item: Stored, names: Sequence[str], checked: _Checked | None) -> str | None:
    """Why an example stays out."""
    if "approved" in names and item.status != "approved":
        return item.status
    if "all" not in names and item.status == "rejected":
        return "rejected"
    if "train" in names and item.split == "measure":
        return "kept for measuring"
    if "measure" in names and item.split == "train":
        return "may be trained on"
    if checked and item.revision in checked.wrong:
        return "error found"
    if checked and item.revision not in checked.seen:
        return "not checked"
    return "tie" if "drop-ties" in names and _ties(item) else None


def _ties(item: Stored) -> bool:
    """Whether two answers of a ranking stand on the same place."""
    answers = item.content.get("answers") or ()
    places = [answer.get("rank", answer.get("score")) for answer in answers]
    return len(set(places)) < len(places)


_IN_WORDS: Mapping[str, tuple[str, str]] = {
    "draft": ("is a draft", "are drafts"),
    "rejected": ("is rejected", "are rejected"),
    "kept for measuring": ("is kept for measuring", "are kept for measuring"),
    "may be trained on": ("may be trained on", "may be trained on"),
    "error found": ("has an error", "have errors"),
    "not checked": ("is not checked (run the checks first)", "are not checked (run the checks first)"),
    "tie": ("is a tie", "are ties"),
}


def why_empty(total: int, dropped: Mapping[str, int], names: Sequence[str], format_: str) -> str:
    """Why nothing came out, in one sentence: "0 approved of 500; 480 are drafts, 20 are rejected."."""
    if not total:
        return "There is nothing to export: no example is there."
    what = "0 approved" if "approved" in names else f"0 examples for the format {format_}"
    reasons = ", ".join(
        f"{count:,} {_IN_WORDS[reason][count != 1]}" if reason in _IN_WORDS else f"{count:,} left out: {reason}"
        for reason, count in sorted(dropped.items(), key=lambda pair: -pair[1])
    )
    return f"{what} of {total:,}; {reasons}."
