"""The Hugging Face Hub as a place to send files to: its own client, one commit, and its errors as sentences.

The token is the one that the Hub's own client finds: HF_TOKEN in the environment, or what `hf auth login` left.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from storage.errors import BadInput, NotReady, Refused

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError


@dataclass(frozen=True)
class Place:
    """Where on the Hub, and what a card says beside the facts. `endpoint`: a Hub of one's own."""

    repository: str
    private: bool = True
    licence: str = ""
    description: str = ""
    endpoint: str | None = None


def client(place: Place, otherwise: str) -> "HfApi":
    """The Hub's client, once it has said that it knows the token: before minutes of writing.

    `otherwise` is what can be done without the Hub, as an order ("export to a file"). Raises as `asking` does, and
    Refused where there is no token.
    """
    from huggingface_hub import HfApi, get_token

    if get_token() is None:
        raise Refused(
            "There is no token for the Hub: set HF_TOKEN or log in with `hf auth login`, then try again; "
            f"or {otherwise}."
        )
    api = HfApi(endpoint=place.endpoint)
    with asking(place, otherwise):
        api.whoami()
    return api


def files_of(folder: Path) -> dict[str, Path]:
    """Every file below a folder, by the name that it shall have in the repository."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def send(api: "HfApi", place: Place, kind: str, files: Mapping[str, Path | bytes], message: str) -> str:
    """Make the repository if there is none, and send all files in one commit; the repository's address.

    `kind` is "dataset" or "model". Raises what the Hub's client raises: call it within `asking`.
    """
    from huggingface_hub import CommitOperationAdd

    url = api.create_repo(place.repository, repo_type=kind, private=place.private, exist_ok=True)
    adding = [CommitOperationAdd(name, source) for name, source in files.items()]
    api.create_commit(place.repository, adding, commit_message=message, repo_type=kind)
    return str(url)


@contextmanager
def asking(place: Place, otherwise: str) -> Iterator[None]:
    """Whatever the Hub's client raises within as one sentence with the way out.

    Raises BadInput for a name that the Hub does not take, Refused for a token that may not, NotReady where the Hub
    cannot be reached or fails.
    """
    # The client's own HTTPError: the library that it speaks HTTP with is its own business.
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled
    from huggingface_hub.errors import HTTPError as AnyHTTPError  # type: ignore[attr-defined]

    try:
        yield
    except HFValidationError as error:
        raise BadInput(f'"{place.repository}" is no name on the Hub; it looks like owner/name.') from error
    except OfflineModeIsEnabled as error:
        raise NotReady(f"The Hub is switched off here (HF_HUB_OFFLINE); {otherwise} instead.") from error
    except HfHubHTTPError as error:
        raise _answered(place, error, otherwise) from error
    except (LocalEntryNotFoundError, AnyHTTPError, OSError) as error:
        raise NotReady(
            f"The Hub cannot be reached from here: try again when there is a connection, or {otherwise}."
        ) from error


def _answered(place: Place, error: "HfHubHTTPError", otherwise: str) -> Refused | NotReady:
    """What an answer of the Hub that is no success means."""
    status = error.response.status_code if error.response is not None else 0
    if status in (401, 403):
        return Refused(
            f'The Hub does not let this token write to "{place.repository}": log in with a token that may write '
            "(`hf auth login`), or take a name of your own."
        )
    return NotReady(f"The Hub answered with status {status or 'unknown'}; try again, or {otherwise}.")
