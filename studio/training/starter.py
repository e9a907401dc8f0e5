"""What a new home begins with: the starter model and its data, a first study and the first round.

Safe to call at every start and by several processes at once: what is there already is left as it is, and a lock
keeps two first starts from doing the same work. A home that is ready costs a handful of reads.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from storage import comparisons, datasets, models, rounds
from storage.clock import new_id
from storage.errors import NotReady
from storage.rows_training import Model
from storage.store import Store
from studio.curation.importing import import_files
from studio.rounds.ledger import FIRST_STUDY, STARTER_PROMPTS
from studio.settings import Settings
from studio.training.folders import inspect_base

STARTER = "starter"
_AUTHOR = "ratchet"


class Starter(NamedTuple):
    """What a home begins with, and whether this call made any of it."""

    model: Model
    made: bool


def ensure_starter(store: Store, settings: Settings) -> Starter:
    """Make a new home ready; raises NotReady where the package lacks the starter's files."""
    if _complete(store):
        return Starter(models.get_model(store, STARTER), False)
    with _alone(store):
        if not _complete(store):
            _make(store, settings.static / "starter")
    return Starter(models.get_model(store, STARTER), True)


def _complete(store: Store) -> bool:
    """Whether everything is there; the round is made last."""
    return bool(store.value("select 1 from rounds limit 1"))


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Let one process of this home make the starter at a time."""
    with (store.home.path / "starter.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(store: Store, source: Path) -> None:
    """Model, datasets, first study, first round, in this order; what an earlier try made is kept."""
    if not (source / "model" / "config.json").is_file():
        raise NotReady(f"The starter model is missing from {source}; `make starter` builds it.")
    model = _ensure_model(store, source / "model")
    _ensure_dataset(store, source / "starter.jsonl", STARTER, "sft")
    _ensure_dataset(store, source / "starter-prompts.jsonl", STARTER_PROMPTS, "prompts")
    if not store.value("select 1 from studies where name = ?", [FIRST_STUDY]):
        prompts = datasets.get_dataset(store, STARTER_PROMPTS)
        # One model twice: two answers differ in style, so there is something to vote on before anything is trained.
        comparisons.create_study(store, FIRST_STUDY, [model, model], prompts.id)
    rounds.open_round(store, model.id)


def _ensure_model(store: Store, source: Path) -> Model:
    """Copy the starter's weights into the home, then add its row."""
    if store.value("select 1 from models where name = ?", [STARTER]):
        return models.get_model(store, STARTER)
    target = store.home.model(STARTER)
    if not target.exists():
        passing = target.with_name(f".new-{new_id()}")
        shutil.copytree(source, passing)
        passing.rename(target)
    weights = inspect_base(target)
    return models.add_model(
        store,
        STARTER,
        "base",
        path=str(target),
        base_sha256=weights.sha256,
        template_sha256=weights.template_sha256,
        parameters=weights.parameters,
    )


def _ensure_dataset(store: Store, path: Path, name: str, kind: str) -> None:
    """Import one of the starter's files."""
    known = store.value("select id from datasets where name = ?", [name])
    if known is None or not datasets.count_examples(store, known):
        import_files(store, [path], name, kind=kind, author=_AUTHOR)
