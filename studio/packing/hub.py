"""A pack on the Hugging Face Hub: one zip with a card in a dataset repository, sent in one commit and fetched again.

What is fetched is opened as any pack from strangers is: every file by its hash, into an empty home.
"""

import html
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.errors import NotFound
from storage.store import Store
from studio.clients.hub import Place, asking, client, send
from studio.packing.keeping import PACK, load, save

FILE = "project.zip"
_OTHERWISE = "pass the pack on as a file"
_COUNTED = ("datasets", "studies", "votes", "models", "jobs", "rounds")


def push(store: Store, place: Place, bases: bool = False) -> dict[str, Any]:
    """Pack the project and send it; what `keeping.save` says, and `url, repository`. Nothing stays on this machine.

    Raises Refused without a token or the right to write, NotReady where the Hub cannot be reached, BadInput for a name
    that the Hub does not take.
    """
    api = client(place, _OTHERWISE)
    with tempfile.TemporaryDirectory(dir=store.home.exports, prefix=".hub-") as folder:
        path = Path(folder) / FILE
        said = save(store, path, PACK, bases)
        with asking(place, _OTHERWISE):
            url = send(api, place, "dataset", {FILE: path, "README.md": card(said).encode()}, "Project from Ratchet")
    return {**said, "path": None, "url": url, "repository": place.repository}


def pull(
    store: Store, place: Place, bases: Mapping[str, Path] | None = None, starter: Path | None = None
) -> dict[str, Any]:
    """Fetch a pack and open it in this home, which must hold nothing; what `keeping.load` says, and `repository`."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    with tempfile.TemporaryDirectory(dir=store.home.uploads, prefix=".hub-") as folder:
        with _fetching(place):
            url = hf_hub_url(place.repository, FILE, repo_type="dataset", endpoint=place.endpoint)
            get_hf_file_metadata(url, endpoint=place.endpoint)  # fails at once; the download would try for 23 s
            path = hf_hub_download(
                place.repository, FILE, repo_type="dataset", local_dir=folder, endpoint=place.endpoint
            )
        said = load(store, Path(path), bases, starter, foreign=True)
    return {**said, "path": None, "repository": place.repository}


def card(said: Mapping[str, Any]) -> str:
    """The README of the repository; the Hub must not take the zip for rows of a dataset."""
    rows = "\n".join(f"| {name} | {said[name]} |" for name in _COUNTED)
    left = ", ".join(html.escape(str(name)) for name in said["left_out"])
    missing = f"\nIts bases are not in it: {left}. `--base NAME=FOLDER` says where they are.\n" if left else ""
    return f"""---
viewer: false
tags:
- ratchet
---

# A Ratchet project

A whole project as one file: data, comparisons, votes, adapters, recipes and hashes; no accounts and no secrets.

```sh
ratchet unpack --from-hub OWNER/NAME --home NEW-FOLDER
```
{missing}
| What | How many |
|---|---|
{rows}
"""


@contextmanager
def _fetching(place: Place) -> Iterator[None]:
    """As `asking`; raises NotFound as well, for a repository or a pack that is not there."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError

    name = place.repository
    with asking(place, _OTHERWISE):
        try:
            yield
        except LocalEntryNotFoundError:  # an EntryNotFoundError, but of a Hub that was not reached
            raise
        except RepositoryNotFoundError as error:
            raise NotFound(
                f'The Hub has no dataset "{name}", or this login may not see it (`hf auth login`).'
            ) from error
        except EntryNotFoundError as error:
            raise NotFound(f'"{name}" on the Hub holds no {FILE}: nobody has packed a project there.') from error
