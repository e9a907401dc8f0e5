"""A dataset on its way to the Hugging Face Hub: the rows as files by split, and the data card that describes them."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storage.clock import new_id
from storage.store import Store
from studio.clients.hub import Place, asking, client, files_of, send
from studio.curation.export_card import data_card
from studio.curation.export_facts import facts_of
from studio.curation.export_formats import FORMATS, target_of
from studio.curation.export_sources import kind_of
from studio.curation.exporting import ExportReport, Progress, Stopped, Wish, write

# Ours, and what the Hub calls them.
_SPLITS = {"train": "train", "measure": "test"}
FOLDER = ".hub-"  # what the folder of an export to the Hub begins with
_OTHERWISE = "export to a file"
_WRITTEN = 0.7  # share of the progress that writing takes


def push(store: Store, wish: Wish, place: Place, progress: Progress | None = None) -> dict[str, Any]:
    """Write the files, then send all in one commit; the address, rows, and what was left out.

    Raises Refused without a token or without the right to write, NotReady where the Hub cannot be reached, BadInput
    for a name that the Hub does not take, Stopped where `progress` answered True. Nothing is left on this machine.
    """
    say = progress or (lambda fraction, sentence: None)
    api = client(place, _OTHERWISE)
    folder = store.home.exports / f"{FOLDER}{new_id()}"
    folder.mkdir(parents=True)
    try:
        made = _written(store, wish, folder, lambda done, said: say(done * _WRITTEN, said))
        if not made.splits:
            return made.said
        card = data_card(facts_of(store, wish, made.splits, made.files, made.dropped, place.licence, place.description))
        (folder / "README.md").write_text(card, encoding="utf-8", newline="")
        if say(_WRITTEN, f"sending to {place.repository}"):
            raise Stopped("The export was stopped; nothing was sent to the Hub.")
        with asking(place, _OTHERWISE):
            address = send(api, place, "dataset", files_of(folder), "Export from Ratchet")
        return {**made.said, "url": address, "repository": place.repository}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Written:
    """The files of an export by the Hub's names of the splits, and what the report says."""

    splits: dict[str, int]
    files: dict[str, str]
    dropped: dict[str, int]
    said: dict[str, Any]


def _written(store: Store, wish: Wish, folder: Path, progress: Progress) -> Written:
    """One file a split; a split without rows has none."""
    wanted = [name for name in _SPLITS if name in wish.policies] or list(_SPLITS)
    if wish.source.study:
        wanted = ["train"]  # votes on measure prompts never train
    container = "parquet" if _fits_parquet(store, wish) else "jsonl"
    (folder / "data").mkdir()
    splits, files, dropped, reports = {}, {}, Counter[str](), []
    for number, split in enumerate(wanted):
        path = folder / "data" / f"{_SPLITS[split]}.{container}"
        narrowed = wish if wish.source.study else replace(wish, policies=(*_without_split(wish), split))
        report = write(store, narrowed, path, _part(progress, number, len(wanted)))
        reports.append(report)
        dropped.update(report.dropped)
        if report.rows:
            splits[_SPLITS[split]] = report.rows
            files[_SPLITS[split]] = f"data/{path.name}"
    if len(wanted) > 1:  # what one file leaves to the other is not left out
        for reason in ("kept for measuring", "may be trained on"):
            dropped.pop(reason, None)
    return Written(splits, files, dict(dropped), _said(wish, reports, splits, dict(dropped)))


def _said(wish: Wish, reports: list[ExportReport], splits: dict[str, int], dropped: dict[str, int]) -> dict[str, Any]:
    """The report as JSON."""
    rows = sum(splits.values())
    sentence = None if rows else reports[0].sentence
    said = {"dataset": wish.source.name, "format": wish.format, "rows": rows, "splits": splits, "dropped": dropped}
    return said | ({"sentence": sentence} if sentence else {})


def _without_split(wish: Wish) -> tuple[str, ...]:
    return tuple(name for name in wish.policies if name not in _SPLITS)


def _fits_parquet(store: Store, wish: Wish) -> bool:
    """Whether the rows can be Parquet, which the Hub shows best."""
    if wish.format in FORMATS:
        return FORMATS[wish.format].uniform
    return target_of(wish.format, kind_of(store, wish.source)).format.uniform


def _part(progress: Progress, number: int, count: int) -> Callable[[float, str], bool | None]:
    return lambda fraction, sentence: progress((number + fraction) / count, sentence)
