"""A pack on the Hugging Face Hub: one zip with a card in a dataset repository, sent in one commit and fetched again.

The token is the one that the Hub's own client finds (HF_TOKEN, or what `hf auth login` left). What is fetched is opened
as any pack from strangers is: every file by its hash, into an empty home.
"""

import html
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import BadInput, NotFound, NotReady, Refused
from storage.store import Store
from studio.packing.keeping import PACK, load, save

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FILE = "project.zip"
_COUNTED = ("datasets", "studies", "votes", "models", "jobs", "rounds")


@dataclass(frozen=True)
class Place:
    """Where on the Hub. `endpoint`: a Hub of one's own."""

    repository: str
    private: bool = True
    endpoint: str | None = None


def push(store: Store, place: Place, bases: bool = False) -> dict[str, Any]:
    """Pack the project and send it; what `keeping.save` says, and `url, repository`. Nothing stays on this machine.

    Raises Refused without a token or the right to write, NotReady where the Hub cannot be reached, BadInput for a name
    that the Hub does not take.
    """
    api = _hub(place)
    with _asking(place):
        api.whoami()  # before minutes of packing
    with tempfile.TemporaryDirectory(dir=store.home.exports, prefix=".hub-") as folder:
        path = Path(folder) / FILE
        said = save(store, path, PACK, bases)
        with _asking(place):
            url = _send(api, place, {FILE: path, "README.md": card(said).encode()})
    return {**said, "path": None, "url": url, "repository": place.repository}


def pull(
    store: Store, place: Place, bases: Mapping[str, Path] | None = None, starter: Path | None = None
) -> dict[str, Any]:
    """Fetch a pack and open it in this home, which must hold nothing; what `keeping.load` says, and `repository`."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    with tempfile.TemporaryDirectory(dir=store.home.uploads, prefix=".hub-") as folder:
        with _asking(place):
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


def _hub(place: Place) -> "HfApi":
    """The Hub's own client; raises Refused where it finds no token."""
    from huggingface_hub import HfApi, get_token

    if get_token() is None:
        raise Refused(
            "There is no token for the Hub: set HF_TOKEN or log in with `hf auth login`, then try again; "
            "or write the pack to a file."
        )
    return HfApi(endpoint=place.endpoint)


def _send(api: "HfApi", place: Place, files: Mapping[str, Path | bytes]) -> str:
    """One commit with all files; the address of the repository."""
    from huggingface_hub import CommitOperationAdd

    url = api.create_repo(place.repository, repo_type="dataset", private=place.private, exist_ok=True)
    adding = [CommitOperationAdd(name, source) for name, source in files.items()]
    api.create_commit(place.repository, adding, commit_message="Project from Ratchet", repo_type="dataset")
    return str(url)


@contextmanager
def _asking(place: Place) -> Iterator[None]:
    """Whatever the Hub's client raises as one sentence with the way out."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )
    from huggingface_hub.errors import HTTPError as AnyHTTPError  # type: ignore[attr-defined]

    name = place.repository
    try:
        yield
    except HFValidationError as error:
        raise BadInput(f'"{name}" is no name on the Hub; it looks like owner/name.') from error
    except (OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        raise NotReady(f'The Hub cannot be reached for "{name}"; pass the pack on as a file instead.') from error
    except RepositoryNotFoundError as error:
        raise NotFound(f'The Hub has no dataset "{name}", or this login may not see it (`hf auth login`).') from error
    except EntryNotFoundError as error:
        raise NotFound(f'"{name}" on the Hub holds no {FILE}: nobody has packed a project there.') from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise Refused(
                f'The Hub does not let this token at "{name}": log in with another one (`hf auth login`), or take a '
                "name of your own."
            ) from error
        raise NotReady(f"The Hub answered with status {status or 'unknown'}; try again later.") from error
    except (AnyHTTPError, OSError) as error:
        raise NotReady(f'The Hub cannot be reached for "{name}"; pass the pack on as a file instead.') from error
