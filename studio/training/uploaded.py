"""An adapter that somebody sends from the browser: as a zip file, or file by file.

Only what an adapter needs is taken, by its name; whatever else is in there (pickles, code) is never written anywhere
but into the upload itself, which goes.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from storage.errors import BadInput, Refused
from storage.rows_training import Model
from storage.store import Store
from storage.weights import PICKLES
from studio.curation import uploads
from studio.curation.archives import is_several, members
from studio.people.roles import Action, Actor, require
from studio.training.adding import ADAPTER_FILES, Choices, add_folder, check_free

_NEEDED = ADAPTER_FILES[:2]


def add_uploaded(
    store: Store, actor: Actor, upload_ids: Sequence[str], name: str | None = None, base: str | None = None
) -> Model:
    """Add the adapter that was uploaded, checked against its base; the uploads are removed whatever comes of it.

    `base`: by name, where the adapter's own configuration names another. Raises Forbidden, Refused for pickles,
    BadInput for what is no adapter or does not fit, NotFound for a base that is not here.
    """
    require(actor, Action.MANAGE_MODELS)
    try:
        if name is not None:
            check_free(store, name)
        with tempfile.TemporaryDirectory(prefix=".adapter-", dir=store.home.uploads) as passing:
            folder = Path(passing) / "adapter"
            folder.mkdir()
            _gather(store, upload_ids, folder)
            return add_folder(store, folder, name, Choices(base=base))
    finally:
        for upload_id in upload_ids:
            uploads.remove(store.home, upload_id)


def _gather(store: Store, upload_ids: Sequence[str], folder: Path) -> None:
    """Bring an adapter's files together; raises where there is none, or more than one."""
    seen: list[str] = []
    for upload_id in upload_ids:
        path, name = uploads.located(store.home, upload_id)
        if is_several(path):
            with members(path, name) as found:
                for member in found:
                    _take(member.path, member.name, folder, seen)
        else:
            _take(path, name, folder, seen)
    if all((folder / name).is_file() for name in _NEEDED):
        return
    pickles = [name for name in seen if Path(name).suffix in PICKLES]
    if pickles and not (folder / ADAPTER_FILES[1]).is_file():
        raise Refused(
            f"The upload holds its weights only as a pickle ({pickles[0]}), which can run code when it is read; save "
            "the adapter as safetensors and send that."
        )
    told = ", ".join(sorted(seen)[:8]) or "nothing"
    raise BadInput(f"An adapter is {' and '.join(_NEEDED)}; the upload holds {told}.")


def _take(path: Path, name: str, folder: Path, seen: list[str]) -> None:
    """Take a file that an adapter needs; raises BadInput for a second one of its name."""
    seen.append(name)
    if name not in ADAPTER_FILES:
        return
    if (folder / name).exists():
        raise BadInput(f"The upload holds several files named {name}; send one adapter at a time.")
    shutil.copyfile(path, folder / name)
