"""The rows of the store as frozen dataclasses: what each table means, in Python's types.

JSON columns are decoded here, times are seconds since 1970 (UTC), ids are strings from `storage.clock`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

KINDS = ("sft", "preference", "prompts", "text")
# Of examples. draft and approved are frozen and trained on; rejected and deleted (the trash) are not. absent: taken
# back by undo; erased: nothing is left of it but its place.
STATUSES = ("draft", "approved", "rejected", "deleted")
LIVE = ("draft", "approved", "rejected")
FROZEN = ("draft", "approved")
CHOICES = ("a", "b", "tie", "both_bad")
# What a vote says elsewhere than in `choice`: in its ranking, or in its rating.
RANKED, RATED = "ranking", "rating"


@dataclass(frozen=True)
class Row:
    """A row; `from_row` decodes the columns named in `json_columns`."""

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The row type from a mapping of column to stored value; unknown columns are left out."""
        values = {name: row[name] for name in cls.__dataclass_fields__}
        for name in cls.json_columns():
            if values[name] is not None:
                values[name] = json.loads(values[name])
        return cls(**values)


@dataclass(frozen=True)
class Dataset(Row):
    """A named list of examples of one kind (`KINDS`)."""

    id: str
    name: str
    kind: str
    description: str
    created_at: float


@dataclass(frozen=True)
class Batch(Row):
    """One change to a dataset (an import, an edit, a deletion): seen whole or not at all.

    state: open (being written), published (seen), undone (hidden again, can be redone), dropped (its redo is
    gone because something newer was done). `step`: the order in which they were published.
    """

    number: int
    id: str
    dataset_id: str
    kind: str
    state: str
    author: str
    detail: dict[str, Any]
    created_at: float
    step: int | None = None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"detail"})


@dataclass(frozen=True)
class Segment(Row):
    """A run of examples that are seen or hidden together (storage/segments.py).

    batch: number of the import that it belongs to, None for what is added by hand. state: open (being filled),
    visible, hidden (undone), dropped (to be removed). `first`: how many numbers stand before it. `places`: its rows.
    """

    number: int
    dataset_id: str
    batch: int | None
    state: str
    author: str
    first: int
    places: int
    created_at: float


@dataclass(frozen=True)
class Example(Row):
    """An example as it stands. `number`: its place as people count. `reason`: why it was rejected.

    status: one of `STATUSES`. `change`: number of the batch that changed it last, 0 where it is as it came in; it
    grows with every change of text, tags or status. `turns`, `chars`, `split`: see storage/contents.py.
    """

    id: str
    dataset_id: str
    number: int
    revision_id: int
    content: dict[str, Any]
    sha256: str
    tags: list[str]
    status: str
    author: str
    revised_at: float
    change: int = 0
    turns: int = 0
    chars: int = 0
    split: str = "train"
    reason: str | None = None

    @property
    def key(self) -> int:
        """The key inside the store."""
        segment, _, place = self.id.partition("-")
        return int(segment) << 32 | int(place)

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"content", "tags"})


@dataclass(frozen=True)
class Version(Row):
    """A frozen list of example revisions of a dataset; `sha256` names its content.

    `key` is its number inside the store. `name`: given by a person. `note`: what was erased from it later.
    """

    id: str
    dataset_id: str
    number: int
    sha256: str
    rows: int
    created_at: float
    key: int
    name: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Study(Row):
    """A set of comparisons to be judged.

    `models`: ids of the contestants. `settings`: sampling, overlap, target. state: open or closed.
    """

    id: str
    name: str
    models: list[str]
    prompts_id: str | None
    settings: dict[str, Any]
    seed: int
    state: str
    created_at: float

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"models", "settings"})


@dataclass(frozen=True)
class Comparison(Row):
    """One prompt and its answers, one or more. split: train or measure, by hash of the prompt.

    state: waiting (answers wanted), answering (being made), ready, failed (with `error`), retired, continued (a
    conversation that goes on in the comparison whose `parent_id` is this one's; nobody judges it any more).
    source: prompts (from a dataset), free (typed by a person), answers (that a dataset held), import.
    `given`: people whose vote counts, skips left out.
    """

    id: str
    study_id: str
    number: int
    prompt: list[dict[str, Any]]
    prompt_sha256: str
    split: str
    source: str
    state: str
    error: str | None
    created_at: float
    ready_at: float | None
    parent_id: str | None
    given: int

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"prompt"})


@dataclass(frozen=True)
class Answer(Row):
    """One answer of a comparison; `text` and `stamp` are None until it has been made. position: 0 is "a".

    `model_name`: the contestant's name, unique in its study. `history`: turns between the shared prompt and this
    answer, where each side of a conversation went on by itself.
    """

    id: str
    comparison_id: str
    position: int
    model_id: str | None
    model_name: str
    text: str | None
    sha256: str | None
    stamp: dict[str, Any] | None
    tokens: int | None
    seconds: float | None
    created_at: float
    history: list[dict[str, Any]] | None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"stamp", "history"})


@dataclass(frozen=True)
class Vote(Row):
    """What one annotator said about one comparison; append-only, the newest row counts.

    choice: one of `CHOICES`, `RANKED`, `RATED`, `skip`, or `undo` (withdraws the one before). "a" is the answer at
    position 0, wherever it was shown. `shown_order`: positions from left to right. `shown_sha256`: hashes of the texts
    that were shown, by position. `ranking`: positions, best first, inner lists are ties. `strength`: 0 negligible to
    3 significant. `criteria`: key to the values by position. `reason`: of a skip. `edited`: the text to which the
    answer at `edited_position` was mended. `guidelines`: the version that was in force.
    """

    id: str
    comparison_id: str
    study_id: str
    annotator: str
    choice: str
    ranking: list[Any] | None
    strength: int | None
    criteria: dict[str, Any] | None
    rationale: str | None
    edited: str | None
    shown_order: list[int]
    shown_sha256: list[str]
    seconds: float | None
    source: str
    supersedes: str | None
    created_at: float
    chips: list[str] | None = None
    rating: float | None = None
    reason: str | None = None
    edited_position: int | None = None
    guidelines: int | None = None

    @classmethod
    def json_columns(cls) -> frozenset[str]:
        """Columns stored as JSON text."""
        return frozenset({"ranking", "criteria", "shown_order", "shown_sha256", "chips"})
