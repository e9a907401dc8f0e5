"""What a data card says, gathered from the store: sources, people, findings, statuses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from storage import batches, datasets, findings
from storage.comparisons import get_study
from storage.errors import BadInput
from storage.models import get_model
from storage.rows import LIVE, Batch, Dataset
from storage.store import Store
from storage.votes import current_votes
from studio.curation.checks.registry import checks
from studio.curation.export_card import Facts, Found, Origin
from studio.curation.exporting import Wish

_MOST_CHANGES = 10_000


def facts_of(
    store: Store,
    wish: Wish,
    splits: Mapping[str, int],
    files: Mapping[str, str],
    dropped: Mapping[str, int],
    licence: str = "",
    description: str = "",
) -> Facts:
    """The facts of an export; raises BadInput for a licence that is no identifier."""
    if licence and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]{0,60}", licence):
        raise BadInput(f'"{licence}" is no licence as the Hub names them; write for example apache-2.0 or cc-by-4.0.')
    source = wish.source
    common = Facts(
        source.name, "preference", wish.format, dict(splits), dict(files), description, licence or "unknown",
        policies=wish.policies, dropped=dict(dropped),
    )  # fmt: skip
    if source.study:
        return replace(common, labelled=_voted(store, source.study))
    dataset = datasets.get_dataset(store, str(source.dataset))
    changes = batches.list_batches(store, dataset.id, _MOST_CHANGES)
    languages = findings.languages(store, dataset.id)  # of every row that was looked at
    done = [change for change in changes if change.state == "published"]
    return replace(
        common,
        kind=dataset.kind,
        description=description or dataset.description,
        version=None if source.version is None else str(source.version),
        statuses={status: datasets.count_examples(store, dataset.id, (status,)) for status in LIVE},
        origins=[_origin(change) for change in done if change.kind == "import"],
        labelled=_by_hand([change for change in done if change.kind != "import"]),
        findings=_found(store, dataset, languages),
        languages=[code for code in languages if code],
    )


def _origin(change: Batch) -> Origin:
    """The source that an import came from."""
    detail = change.detail
    day = datetime.fromtimestamp(change.created_at, UTC).strftime("%Y-%m-%d")
    licence = detail.get("license") or detail.get("licence")
    return Origin(str(detail.get("file") or "unknown"), int(detail.get("rows") or 0), day, licence and str(licence))


def _by_hand(changes: Sequence[Batch]) -> list[str]:
    """How many changes people made; who they are is nobody's business."""
    if not changes:
        return ["No example was changed after its import."]
    people = len({change.author for change in changes})
    return [f"{_count(len(changes), 'change')} by {_count(people, 'person', 'people')} after the import."]


def _voted(store: Store, name: str) -> list[str]:
    """How a study was judged."""
    study = get_study(store, name)
    votes = [vote for vote in current_votes(store, study.id) if vote.choice != "skip"]
    people = len({vote.annotator for vote in votes})
    models = ", ".join(get_model(store, model_id).name for model_id in study.models)
    judged = f"{_count(len(votes), 'vote')} by {_count(people, 'person', 'people')}"
    return [
        f"{judged}, who compared answers side by side without seeing which model gave them.",
        f"The answers are from: {models}.",
        "Votes on prompts that are kept for measuring are not in it.",
    ]


def _found(store: Store, dataset: Dataset, languages: Mapping[str, int]) -> list[Found] | None:
    """What the checks found; None where no row has been looked at."""
    if not languages:
        return None
    counted = [
        Found(check.name, check.severity, findings.tally(store, dataset.id, check.name, most=0)[0])
        for check in checks(store.home.path).values()
    ]
    return [found for found in counted if found.examples]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
