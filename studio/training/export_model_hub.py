"""A model on its way to the Hugging Face Hub: written and tested as for a folder, then sent in one commit."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import tasks
from storage.clock import new_id
from storage.errors import BadInput
from storage.rows_training import Task
from storage.store import Store
from studio.clients.hub import Place, asking, client, files_of, send
from studio.curation.export_hub import FOLDER
from studio.curation.exporting import Progress
from studio.settings import Settings
from studio.training.exporting_models import Leaving, export_model, exportable

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_OTHERWISE = "export to a folder"
_WRITTEN = 0.7  # share of the progress that writing and testing take


def push_model(
    store: Store, reference: str, leaving: Leaving, place: Place, progress: Progress | None = None
) -> dict[str, Any]:
    """Write and test a model, then send it with its card; what `export_model` found, with `url` and `repository`.

    Raises Refused without a token or the right to write, NotReady where the Hub cannot be reached, BadInput for a name
    or a card that the Hub does not take. Nothing is left on this machine.
    """
    say = progress or (lambda fraction, sentence: None)
    exportable(store, reference, leaving.form)
    api = client(place, _OTHERWISE)
    folder = store.home.exports / f"{FOLDER}{new_id()}"
    try:
        say(0.05, "Writing the model and testing what was written.")
        found = export_model(store, reference, leaving, folder)
        say(_WRITTEN, f"Sending it to {place.repository}.")
        with asking(place, _OTHERWISE):
            address = _send(api, place, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    said = {name: value for name, value in found.items() if name != "path"}
    return {**said, "url": address, "repository": place.repository}


def run_push_model(store: Store, task: Task) -> dict[str, Any]:
    """The task "push-model"."""
    said = task.payload
    settings = Settings.from_env(os.environ, home=store.home.path)
    place = Place(**said["place"])
    leaving = Leaving(said["as"], place.licence, settings.llama_cpp)
    return push_model(
        store, said["model"], leaving, place, lambda done, words: tasks.advance(store, task.id, done, words)
    )


def _send(api: "HfApi", place: Place, folder: Path) -> str:
    """The card judged by the Hub first, then one commit with all files; the address of the model."""
    from huggingface_hub.errors import HFValidationError

    try:
        return send(api, place, "model", files_of(folder), "Export from Ratchet")
    except HFValidationError:
        raise
    except ValueError as error:  # what its validator says of the card's metadata
        raise BadInput(f"The Hub does not take the card README.md: {error}") from error
