"""What is exported: a dataset as it stands, one of its versions, or preferences from the votes of a study."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from storage import datasets, examples, versions
from storage.comparisons import get_study
from storage.contents import opening_sha256
from storage.errors import BadInput
from storage.prompts import split_of
from storage.queries import Query
from storage.rows import LIVE
from storage.store import Store
from storage.votes import current_votes
from studio.curation.export_preferences import Stored
from studio.feedback.policies import Options
from studio.feedback.preferences import preferences

_NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True)
class Source:
    """What to export: the name of a dataset, perhaps a version of it, or the name of a study."""

    dataset: str | None = None
    version: int | str | None = None
    study: str | None = None

    def __post_init__(self) -> None:
        """Refuse both and neither."""
        if bool(self.dataset) == bool(self.study):
            raise BadInput("Name a dataset to export, or with --study a study whose votes are exported.")

    @property
    def name(self) -> str:
        """What files are named after."""
        return str(self.dataset or self.study)


def kind_of(store: Store, source: Source) -> str:
    """The kind of what comes out; raises NotFound for an unknown dataset or study."""
    if source.study:
        get_study(store, source.study)
        return "preference"
    return datasets.get_dataset(store, str(source.dataset)).kind


def count(store: Store, source: Source) -> int:
    """About how many examples there are, for the progress."""
    if source.study:
        return len(current_votes(store, get_study(store, source.study).id))
    dataset = datasets.get_dataset(store, str(source.dataset))
    version = _version(store, source)
    return version.rows if version else datasets.count_examples(store, dataset.id)


def stored(store: Store, source: Source, policies: Sequence[str], left_out: Counter[str]) -> Iterator[Stored]:
    """The examples one after the other; what never becomes one (votes without a preference) is counted apart."""
    if source.study:
        yield from _voted(store, source.study, policies, left_out)
        return
    version = _version(store, source)
    if version:
        for row in versions.contents(store, version):
            content = json.loads(row["content"])
            split = split_of(opening_sha256(content))
            yield Stored(content, json.loads(row["tags"]), row["status"], split, row["revision_id"])
        return
    dataset = datasets.get_dataset(store, str(source.dataset))
    for found in examples.stream(store, dataset.id, Query(status=LIVE)):
        yield Stored(found.content, found.tags, found.status, found.split, found.revision_id)


def _version(store: Store, source: Source) -> Any:
    """The frozen version that is meant, by number or id; None for the dataset as it stands."""
    if source.version is None:
        return None
    dataset = datasets.get_dataset(store, str(source.dataset))
    if isinstance(source.version, int) or _NUMBER.fullmatch(source.version):
        return versions.numbered(store, dataset, int(source.version))
    return versions.get_version(store, source.version)


def _voted(store: Store, study: str, policies: Sequence[str], left_out: Counter[str]) -> Iterator[Stored]:
    """Pairs by the policy, single answers by their ratings, and where wanted both bad answers of a comparison."""
    policy = next((name for name in ("majority", "unanimous", "weighted") if name in policies), "each")
    bad = "negatives" if "both-bad-as-negatives" in policies else "drop"
    found = preferences(store, study, policy, Options(both_bad=bad))
    left_out.update(found.dropped)
    for pair in found.pairs:
        margin = {} if pair.margin is None else {"margin": pair.margin}
        told = {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected, **margin}
        yield Stored(told | _weight(pair.weight))
    for one in found.thumbs:
        told = {"prompt": one.prompt, "completion": one.completion, "label": one.desirable}
        yield Stored(told | _weight(one.weight))


def _weight(weight: float) -> dict[str, Any]:
    """How far the votes lead, where a policy says so."""
    return {} if weight == 1.0 else {"metadata": {"weight": weight}}
