"""Tasks that bring rows in: an import of files, each with its own settings, and a look at or a fetch from the Hub."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Any

from storage import batches, datasets, mappings, tasks
from storage.errors import BadInput, Conflict, NotFound
from storage.rows import Batch
from storage.rows_training import Task
from storage.store import Store
from studio.curation import editing, faults, hub_datasets, looking, uploads
from studio.curation.importing import Progress, Stopped, Upload, import_files
from studio.curation.reports import ImportFault, ImportReport, ImportReports

Json = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """One file of an import and what the person said about it."""

    upload: str
    dataset: str
    kind: str | None = None
    mapping: Mapping[str, str] | None = None
    encoding: str | None = None


def run_import(store: Store, task: Task) -> Json:
    """Import the files of a task one after the other; what is still wanted of one (its columns) keeps its upload."""
    wanted = [Wanted(**one) for one in task.payload["files"]]
    reports: list[ImportReport] = []
    files: list[Json] = []
    for number, one in enumerate(wanted):
        try:
            found = _import(store, one, task, _paced(store, task, number, len(wanted)))
        except Stopped as error:
            raise Stopped(_stopped(reports)) from error
        except (BadInput, Conflict, NotFound) as error:
            if len(wanted) == 1:
                raise
            fault = ImportFault(None, None, str(error))
            found = [ImportReport(_name(store, one), one.dataset, errors=[fault], sentence=str(error))]
        files += [_told(report, one) | _waiting(store, report, one) for report in found]
        if all(report.columns is None for report in found):
            uploads.remove(store.home, one.upload)
        reports += found
    return {"files": files, "uploads": [one.upload for one in wanted]}


def _import(store: Store, wanted: Wanted, task: Task, progress: Progress) -> list[ImportReport]:
    """Import one file, or the files of an archive."""
    path, name = uploads.located(store.home, wanted.upload)
    columns = looking.columns_in(path, name, wanted.encoding) if wanted.mapping else []
    report = import_files(
        store, [Upload(path, name)], wanted.dataset, kind=wanted.kind, mapping=wanted.mapping,
        encoding=wanted.encoding, author=task.payload.get("author", "me"), progress=progress,
    )  # fmt: skip
    reports = report.files if isinstance(report, ImportReports) else [report]
    if wanted.mapping and any(one.imported for one in reports):
        mappings.remember(store, columns, wanted.mapping, wanted.dataset)
    return reports


def _told(report: ImportReport, wanted: Wanted) -> Json:
    """A report for the page: with words for the shape, values beside the errors, and how a mended file must go in."""
    settings = {"kind": wanted.kind, "mapping": wanted.mapping, "encoding": wanted.encoding}
    more = {"says": looking.says(report.shape), "errors": faults.with_values(report), "settings": settings}
    return report.to_json() | more


def _waiting(store: Store, report: ImportReport, wanted: Wanted) -> Json:
    """The upload of a file whose columns must be explained, so that the page can ask about it."""
    if report.columns is None:
        return {}
    return {"upload": wanted.upload, "size": uploads.located(store.home, wanted.upload)[0].stat().st_size}


def _name(store: Store, wanted: Wanted) -> str:
    """The name of a file, if it is still there."""
    try:
        return uploads.located(store.home, wanted.upload)[1]
    except NotFound:
        return "a file that is no longer there"


def _stopped(reports: list[ImportReport]) -> str:
    """What a cancel left: files that were whole before it stay."""
    whole = [report.file for report in reports if report.imported]
    if not whole:
        return "The import was stopped; nothing was imported."
    return f"The import was stopped; {', '.join(whole)} had been imported before, and nothing of the rest was."


def _paced(store: Store, task: Task, number: int, count: int) -> Progress:
    """Progress of one file among several, with the time that is left of the whole."""
    begun = monotonic()

    def said(fraction: float, sentence: str) -> bool:
        which = f"File {number + 1} of {count}: " if count > 1 else ""
        speed = pace(fraction, sentence, monotonic() - begun)
        return tasks.advance(store, task.id, (number + fraction) / count, f"{which}{sentence}{speed}")

    return said


def pace(fraction: float, sentence: str, seconds: float) -> str:
    """How fast it goes and how long it will take, once a second has passed; `sentence` begins with the rows read."""
    rows = re.match(r"([\d,]+) rows read", sentence)
    if seconds < 1 or fraction <= 0:
        return ""
    speed = f", {int(rows[1].replace(',', '')) / seconds:,.0f} rows/s" if rows else ""
    return f"{speed}, about {ceil(seconds * (1 - fraction) / fraction):,} s left"


def run_hub_look(store: Store, task: Task) -> Json:
    """Say what a dataset on the Hub has."""
    _quiet()
    given = task.payload
    tasks.advance(store, task.id, 0.0, f"Asking the Hub about {given['id']} …")
    hub_datasets.reach(given["id"])
    found = hub_datasets.look(given["id"], given.get("config"), given.get("split"))
    return {"hub": found.to_json(), "wanted": given}


def run_hub_fetch(store: Store, task: Task) -> Json:
    """Fetch rows of a dataset on the Hub into an upload, which is imported like any other."""
    _quiet()
    given = task.payload
    part = hub_datasets.Part(given["config"], given["split"], given.get("columns") or (), given.get("limit"))
    tasks.advance(store, task.id, 0.0, f"Asking the Hub about {given['id']} …")
    hub_datasets.reach(given["id"])
    name = "-".join([given["id"].replace("/", "-"), *([part.config] if part.config != "default" else []), part.split])
    with uploads.Incoming(store.home, f"{name}.jsonl") as incoming:

        def watch(fraction: float, sentence: str) -> bool:
            return tasks.advance(store, task.id, fraction, sentence)

        if hub_datasets.fetch(given["id"], part, incoming.write, watch) is None:
            raise Stopped("The download was stopped; nothing of it was kept.")
    return {"upload": incoming.received._asdict()}


def _quiet() -> None:
    """Before `datasets` is imported: it counts nothing for anybody, draws no bars and needs no torch."""
    os.environ.update(HF_HUB_DISABLE_TELEMETRY="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1", USE_TORCH="0")


def take_back(store: Store, name: str, batch: str) -> Batch:
    """Undo one import; raises Conflict where it is not the newest change of its dataset, or was undone already."""
    dataset = datasets.get_dataset(store, name)
    known = batches.list_batches(store, dataset.id)
    if any(str(one.id) == batch and one.state in ("undone", "dropped") for one in known):
        raise Conflict("This import was taken back already.")
    newest = next((one for one in known if one.state == "published"), None)
    undone = editing.undo(store, dataset.id) if newest and str(newest.id) == batch else None
    if undone is None:
        since = f" ({editing.label_of(newest)})" if newest else ""
        raise Conflict(f'"{dataset.name}" was changed since this import{since}; undo that first, in the table below.')
    return undone
